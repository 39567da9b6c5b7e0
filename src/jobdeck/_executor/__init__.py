"""``concurrent.futures.Executor`` over the deck, and the pools that are behind it."""

from .call_group import CallGroup
from .executor import JobExecutor
from .isolated import IsolatedPool
from .shared import SharedPool
from .task import Call, TaskFuture

__all__ = ["Call", "CallGroup", "IsolatedPool", "JobExecutor", "SharedPool", "TaskFuture"]

"""``concurrent.futures.Executor`` over the deck."""

from .executor import JobExecutor

__all__ = ["JobExecutor"]

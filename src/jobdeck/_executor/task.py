"""One call that was handed to an executor, and its future."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from .._errors import JobError
from .._job import Job
from .call_group import CallGroup

R = TypeVar("R")


class Pool(Protocol):
    """What runs the calls."""

    def submit(self, call: Call) -> TaskFuture[Any]: ...
    def job_of(self, future: TaskFuture[Any]) -> Job[Any]: ...
    def cancel(self, future: TaskFuture[Any]) -> bool: ...
    def close_group(self, group: CallGroup) -> None:
        """Take no more calls into a group."""

    def close(self, *, cancel_futures: bool) -> None:
        """Take no more calls; with `cancel_futures`, also none of those that have not begun."""

    def join(self) -> None:
        """Wait until all calls have ended."""


@dataclass(frozen=True)
class Call:
    """A function with its arguments and the group that it is in; its title stands for the function's name."""

    function: Callable[..., Any]
    group: CallGroup
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    title: str | None = None

    @property
    def name(self) -> str:
        """What it is called in the deck."""
        name = self.title or getattr(self.function, "__name__", None)
        return name if isinstance(name, str) and name else type(self.function).__name__


class TaskFuture(Future[R], Generic[R]):
    """The future of a call; it works wherever a ``concurrent.futures.Future`` does.

    `cancel` is that of every such future: it keeps a call from beginning, and does nothing to one that runs.
    ``future.job.cancel()`` stops that, too, where the job has a process of its own.
    """

    def __init__(self, pool: Pool, call: Call) -> None:
        super().__init__()
        self._pool = pool
        self._call = call
        self._job_id: str | None = None
        self._began = False

    @property
    def job(self) -> Job[R]:
        """The job in the deck; waits for the moment until it is there.

        Raises
        ------
        JobError
            There is none: the call could not be sent to another process, or was cancelled before.
        """
        return self._pool.job_of(self)

    @property
    def job_id(self) -> str:
        """The id of the job. JobError if there is none yet, or never will be."""
        if self._job_id is None:
            raise JobError(f"the call of {self._call.name!r} has no job: it never came into the deck")
        return self._job_id

    def running(self) -> bool:
        """Tell whether the call runs."""
        return self._began and not self.done()

    def cancel(self) -> bool:
        """Keep the call from beginning; False where it runs or has ended."""
        if self.done():
            return self.cancelled()
        return self._pool.cancel(self)

    # --- for the pool

    def drop(self) -> bool:
        """Become cancelled, and tell whoever waits; False where it has ended otherwise."""
        if not super().cancel():
            return False
        with self._condition:
            is_told = self._state == "CANCELLED_AND_NOTIFIED"
        if not is_told:
            self.set_running_or_notify_cancel()
        return True

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """Take on what the call came to."""
        if self.done() or not self.set_running_or_notify_cancel():
            return
        if error is None:
            self.set_result(value)
        else:
            self.set_exception(error)


class Arrivals:
    """Lets any thread wait until futures have their jobs."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def tell(self) -> None:
        """Some have, or never will."""
        with self._condition:
            self._condition.notify_all()

    def wait_for(self, is_settled: Callable[[], bool], seconds: float) -> None:
        """Wait until that is so; it is asked again whenever some have."""
        with self._condition:
            self._condition.wait_for(is_settled, seconds)

"""A real ``concurrent.futures.Future`` that mirrors a job."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from .._errors import JobNotFoundError, RuntimeInvalidStateError, StoreError
from .._status import JobStatus, is_final
from . import pool
from .live import News

if TYPE_CHECKING:
    from .handle import Job

R = TypeVar("R")

_log = logging.getLogger(__name__)

_PAUSE: Final = 0.5


class JobFuture(Future[R]):
    """A future for a job's result; it works with ``concurrent.futures.wait``, ``as_completed`` and asyncio.

    Attributes
    ----------
    job : Job
    """

    def __init__(self, job: Job[R]) -> None:
        super().__init__()
        self.job = job
        self._settling = threading.Lock()
        self._is_settled = False

    def begin(self) -> None:
        """Mirror the job from now on, until it has ended; kept alive as long."""
        pool.enter(self)
        self.job._taps[self] = self._hear
        self.job._service.follow(self.job)
        if self.job.in_final_state():
            pool.schedule(self)

    def _hear(self, news: News) -> None:
        # Done-callbacks are anybody's code: they run in the pool, never in the follower's thread.
        if news.is_last:
            pool.schedule(self)

    def work(self) -> None:
        """Settle in a pool thread."""
        try:
            self.settle()
        except StoreError as error:
            _log.warning("the end of job %s cannot be read (%s); trying again", self.job.job_id(), error)
            again = threading.Timer(_PAUSE, pool.schedule, (self,))
            again.daemon = True
            again.start()

    def cancel(self) -> bool:
        """Ask the job to stop.

        Returns
        -------
        bool
            Whether it is cancelled now. A running job needs time to stop: then it is False, and the future
            becomes cancelled as soon as the job is.
        """
        with contextlib.suppress(RuntimeInvalidStateError):  # it has ended: the answer tells
            self.job.cancel()
        self.settle()
        return self.cancelled()

    def running(self) -> bool:
        """Tell whether the job runs."""
        return not self.done() and self.job.running()

    def settle(self) -> None:
        """Take on the job's end, if it has ended. Safe from any thread."""
        try:
            record = self.job._read()
        except JobNotFoundError as error:
            self._settle(partial(self.set_exception, error))
            return
        if not is_final(record.status):
            return
        if record.status == JobStatus.CANCELLED:
            super().cancel()
            self._settle(lambda: None)
            return
        self.job._catch_up()
        try:
            value = self.job._result_of(record)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits for the future gets it
            self._settle(partial(self.set_exception, error))
        else:
            self._settle(partial(self.set_result, value))

    def _settle(self, settle: Callable[[], None]) -> None:
        with self._settling:
            if self._is_settled:
                return
            self._is_settled = True
        self.job._taps.pop(self, None)
        pool.leave(self)
        self.set_running_or_notify_cancel()
        settle()

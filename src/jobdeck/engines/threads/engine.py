"""The kernel's side of the engine, which has the rest of it, too: its jobs run here."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..._errors import EngineError
from ..._ports import Store
from ..._records import JobRecord, NewJob, Payload
from ..._status import is_final
from ..lock import WatchLock
from ..lost import close_lost_processes
from ..marks import agent_id, process_lock
from .agent import ThreadsAgent
from .work import Work

NAME: Final = "threads"


class ThreadsEngine:
    """Runs jobs in threads of this process, with the very objects that they were given.

    Parameters
    ----------
    home : Path
        The store's home.
    store
        Gives the store.
    written
        Called when something was written down.
    """

    name = NAME
    shares_memory = True

    def __init__(self, home: Path, store: Callable[[], Store], written: Callable[[], None]) -> None:
        self.agent = agent_id(NAME)
        self._get_store = store
        self._own_lock = WatchLock(home, process_lock(self.agent))
        self._lock = threading.Lock()
        self._coming = 0
        self._works: weakref.WeakValueDictionary[str, Work] = weakref.WeakValueDictionary()
        self._served = ThreadsAgent(NAME, self.agent, store, written, self._let_go)

    def check(self, metadata: Mapping[str, Any]) -> None:
        """Do nothing: metadata say nothing to this engine."""

    def ensure_agent(self) -> None:
        """Have the queue looked at."""
        self._served.ring()

    def live_agent(self) -> str | None:
        """The id under which this process runs jobs, None until it does."""
        return self.agent if self._own_lock.held else None

    def add(self, several: Sequence[NewJob]) -> list[JobRecord]:
        """Add new jobs to the store, those of this process and those that name another one.

        Raises
        ------
        JobError
            A program or its inputs are not in this process; nothing was added.
        """
        with self._lock:
            # From here on, it does not let go of the lock by which others know that these jobs are somebody's.
            self._coming += 1
        try:
            own = [new if new.agent is not None else self._own(new) for new in several]
            store = self._get_store()
            if any(new.agent == self.agent for new in own):
                self._hold()
            records = store.add_jobs(own)
            for new, record in zip(own, records, strict=True):
                if new.agent == self.agent and not is_final(record.status):
                    self._keep(record, new)
            return records
        finally:
            with self._lock:
                self._coming -= 1

    def _own(self, new: NewJob) -> NewJob:
        Work("", Payload(new.program, new.inputs, new.context))
        return replace(new, agent=self.agent)

    def _hold(self) -> None:
        with self._lock:
            if not self._own_lock.held and not self._own_lock.take(self.agent):
                raise EngineError(f"the lock of {self.agent} is taken by somebody else")

    def _keep(self, record: JobRecord, new: NewJob) -> None:
        work = Work(record.job_id, Payload(new.program, new.inputs, new.context))
        self._works[record.job_id] = work
        self._served.keep(work)

    def _let_go(self) -> None:
        with self._lock:
            if not self._coming:
                self._own_lock.release()

    def work(self, job_id: str) -> Work | None:
        """Return what this process has of a job, for whoever wants to keep it."""
        return self._works.get(job_id)

    @property
    def is_busy(self) -> bool:
        """Whether there are jobs that wait or run here, or something that was not written down."""
        if self._served.is_busy:
            self._served.sweep()
        return self._served.is_busy or bool(self._coming)

    def rest(self, may_rest: bool) -> None:
        """Let go of thread and lock once there is nothing to do, or keep both for retries that others ask for."""
        self._served.may_rest = may_rest
        self._served.ring()

    def close(self) -> None:
        """Run no more jobs, and give the lock back."""
        self._served.close()
        with self._lock:
            self._own_lock.release()

    def leave(self) -> None:
        """At the end of the process: close what waits or runs here, as whoever looks next would."""
        if self._own_lock.held:
            close_lost_processes(self._get_store(), NAME, leaving=self.agent)
            self._own_lock.release()

    def forget(self) -> None:
        """In a forked child: leave all to the parent."""
        self._own_lock.forget()

"""The engines of one home, as one process has them: found by name, chosen for a job, and looked after."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ._errors import EngineError, JobError, StoreError
from ._ports import Engine, Store
from ._records import Gone, JobQuery, JobRecord, NewJob
from .engines.dask import address as dask
from .engines.dask.engine import DaskEngine
from .engines.local.engine import LocalEngine
from .engines.lock import AgentLock
from .engines.lost import close_lost, close_lost_processes
from .engines.marks import process_lock
from .engines.threads.engine import ThreadsEngine

VARIABLE: Final = "JOBDECK_ENGINE"
"""The environment variable that names the engine of jobs for which nobody has named one."""
_NAMES: Final = "'local', 'threads' or 'dask://HOST:PORT'"


def is_engine(name: str) -> bool:
    """Tell whether an engine of jobdeck's own can be called so."""
    return name in (LocalEngine.name, ThreadsEngine.name) or dask.is_dask(name)


class Engines:
    """The engines of a home.

    Parameters
    ----------
    home : Path
        The store's home.
    store
        Gives the store.
    written
        Called when an engine of this process wrote something down.
    """

    def __init__(self, home: Path, store: Callable[[], Store], written: Callable[[], None]) -> None:
        self._home = home
        self._get_store = store
        self._written = written
        self._lock = threading.RLock()
        self._known: dict[str, Engine] = {}
        self._threads: ThreadsEngine | None = None

    # --- which

    def named(self, name: str) -> Engine:
        """Return the engine of that name. EngineError if there is none."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._make(name)
            return self._known[name]

    def name_of(self, given: Any) -> str:
        """Return the name of an engine that is given by its name, or as a Dask client or cluster.

        Raises
        ------
        EngineError
            There is no such engine.
        """
        name = given if isinstance(given, str) else dask.engine_of(given)
        if name is None:
            raise EngineError(f"an engine is {_NAMES}, or a Dask client or cluster, not {type(given).__name__}")
        if not isinstance(given, str):
            # The store makes the home, and refuses one that others could read.
            dask.keep_security(self._get_store().home, name, given)
        return self.named(name).name

    def default(self) -> str:
        """Return the name of the engine of jobs for which nobody has named one.

        Raises
        ------
        EngineError
            ``JOBDECK_ENGINE`` or the home's setting names none that there is.
        """
        for where, said in (
            (VARIABLE, os.environ.get(VARIABLE)),
            ("the setting 'engine' of this home", self._get_store().setting("engine")),
        ):
            if said:
                try:
                    return self.name_of(said)
                except EngineError as error:
                    raise EngineError(f"{where} is {said!r}: {error}") from error
        return LocalEngine.name

    def chosen(self, given: Any, metadata: Mapping[str, Any]) -> Engine:
        """Return the engine for a job with these metadata; `given` is None where nobody has named one.

        Raises
        ------
        EngineError
            There is no such engine.
        InvalidInputError
            What the metadata say of how it is to be run, the engine does not know.
        """
        engine = self.named(self.default() if given is None else self.name_of(given))
        engine.check(metadata)
        return engine

    def _make(self, name: str) -> Engine:
        if name == LocalEngine.name:
            return LocalEngine(self._home)
        if name == ThreadsEngine.name:
            self._threads = ThreadsEngine(self._home, self._get_store, self._written)
            atexit.register(self._leave, self._threads)
            return self._threads
        if dask.is_dask(name):
            return DaskEngine(self._home, name)
        raise EngineError(f"there is no engine {name!r}; there is: {_NAMES}")

    # --- jobs

    def add(self, new: NewJob) -> JobRecord:
        """Put a new job into the store and have it run, unless it is only prepared."""
        if self.named(new.engine) is self._threads:
            return self._threads.add([new])[0]
        record = self._get_store().add_job(new)
        if new.submitted:
            self.ensure_agent(record)
        return record

    def add_jobs(self, several: Sequence[NewJob]) -> list[JobRecord]:
        """Put new jobs into the store in one transaction, and have them run, unless they are only prepared."""
        engines = {new.engine: self.named(new.engine) for new in several}
        if self._threads is not None and self._threads in engines.values():
            return self._threads.add(several)
        records = self._get_store().add_jobs(several)
        for record in {record.engine: record for record in records if record.queued is not None}.values():
            self.ensure_agent(record)
        return records

    def ensure_agent(self, record: JobRecord) -> None:
        """See to it that somebody runs a job that is queued. EngineError if that cannot be done."""
        try:
            self.named(record.engine).ensure_agent()
        except EngineError as error:
            raise EngineError(
                f"job {record.name!r} ({record.job_id}) is queued, but nothing runs it yet: {error}"
            ) from error

    def look_after(self) -> None:
        """Close the jobs of agents that died, and have an agent for what is queued."""
        store = self._get_store()
        close_lost(store, LocalEngine.name)
        for name in store.busy_engines():
            if name == ThreadsEngine.name:
                close_lost_processes(store, name, None if self._threads is None else self._threads.agent)
            if name == LocalEngine.name or dask.is_dask(name):
                engine = self.named(name)
                # What runs in a cluster goes on without an agent, and is for the next one to take up.
                if engine.live_agent() is None:
                    engine.ensure_agent()

    def fetch_results(
        self, job_ids: Collection[str], timeout: float | None = None
    ) -> Mapping[str, bytes | EngineError | Gone]:
        """Return results that are kept outside of the store, or why one cannot be had now, or is gone.

        Raises
        ------
        TimeoutError
            It takes longer than so many seconds for the jobs of one engine.
        """
        engines: dict[str, list[str]] = {}
        for record in self._get_store().jobs(JobQuery(job_ids=tuple(job_ids))):
            engines.setdefault(record.engine, []).append(record.job_id)
        found: dict[str, bytes | EngineError | Gone] = dict.fromkeys(job_ids, Gone("the job was deleted"))
        for name, some in engines.items():
            engine = self.named(name)
            if not isinstance(engine, DaskEngine):
                raise EngineError(f"the engine {name!r} keeps no results outside of the store")
            found |= engine.fetch_results(some, timeout)
        return found

    # --- in threads of this process

    @property
    def threads(self) -> ThreadsEngine | None:
        """Runs jobs in this process; None until it has had any."""
        return self._threads

    def process_of(self, old: JobRecord) -> str | None:
        """Return the agent of the process that alone can run a job again; None where any one can.

        Raises
        ------
        JobError
            It is gone.
        """
        if old.engine != ThreadsEngine.name or (self._threads is not None and old.agent == self._threads.agent):
            return None
        if old.agent is None or not AgentLock(self._home, process_lock(old.agent)).is_taken():
            raise JobError(
                f"job {old.name!r} ({old.job_id}) ran in threads of a kernel that has ended, and its program was never "
                "sent anywhere: run it again from its notebook"
            )
        return old.agent

    def take_threads(self) -> ThreadsEngine | None:
        """Return what runs jobs in this process, which is the caller's to close; the next job gets another one."""
        with self._lock:
            threads, self._threads = self._threads, None
            self._known.pop(ThreadsEngine.name, None)
        if threads is not None:
            atexit.unregister(self._leave)
        return threads

    def begin_afresh(self) -> None:
        """In a forked child: what runs jobs in the parent's threads is the parent's."""
        self._lock = threading.RLock()
        self._known = {}
        if self._threads is not None:
            self._threads.forget()
            self._threads = None

    def _leave(self, threads: ThreadsEngine) -> None:
        """At the end of the process, with which its jobs end."""
        if threads is self._threads:
            with contextlib.suppress(StoreError):  # then whoever looks next does it
                threads.leave()

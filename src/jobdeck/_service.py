"""What a process has of one home: its store, follower, handles and engines, shared by all decks on that home.

One class, since its parts are opened, closed and begun afresh after a fork together, under one lock.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from ._errors import EngineError, InvalidInputError, JobError, StoreError
from ._follow import Follower
from ._group import JobGroup
from ._job import Handles, Job
from ._ports import Engine, Store
from ._program import edit, replace_inputs
from ._records import Gone, GroupQuery, JobQuery, JobRecord, NewGroup, NewJob
from .engines.dask import address as dask
from .engines.dask.engine import DaskEngine
from .engines.local.engine import LocalEngine
from .engines.lock import AgentLock, WatchLock
from .engines.lost import close_lost, close_lost_processes, close_unwatched
from .engines.marks import agent_id, process_lock
from .engines.threads.engine import ThreadsEngine
from .store import default_home, open_store
from .watchers import Bridge, Watched

_ENGINE_VARIABLE: Final = "JOBDECK_ENGINE"
_ENGINES: dict[str, Callable[[Path], Engine]] = {"local": LocalEngine}

_NAMES_OF_ENGINES: Final = "'local', 'threads' or 'dask://HOST:PORT'"

_LAST_LOOKS: Final = 0.5
"""Seconds that jobs of others may take at the end of the process to say that they have ended."""
_LINGER: Final = 3.0
"""Starting a thread with a connection of its own takes longer than all the rest of submitting a job."""


@dataclass
class _Parts:
    store: Store
    follower: Follower


class JobService:
    """One home, as this process uses it; get it from :meth:`of`.

    Nothing is opened before it is needed, and a forked child opens everything for itself.
    """

    _shared: ClassVar[dict[Path, JobService]] = {}
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()
    _resolved: ClassVar[dict[Path, Path]] = {}
    _inherited: ClassVar[list[_Parts]] = []
    """In a forked child: the parent's connections, kept so that nothing closes them here."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.RLock()
        self._parts: _Parts | None = None
        self._engines: dict[str, Engine] = {}
        self._bridge: Bridge | None = None
        self._threads: ThreadsEngine | None = None
        self._decks = 0
        self._handles = Handles(lambda: self.follower, self._queue_place)

    @classmethod
    def of(cls, home: str | os.PathLike[str] | None = None) -> JobService:
        """Return this process's service of a home, None for the default one."""
        given = default_home() if home is None else Path(home).expanduser().absolute()
        with cls._shared_lock:
            # Not resolved again at each call, which would cost more than the rest of it.
            path = cls._resolved.get(given)
            if path is None:
                path = cls._resolved[given] = Path(os.path.realpath(given))
            return cls._shared.get(path) or cls._shared.setdefault(path, cls(path))

    def __reduce__(self) -> tuple[Callable[[Path], JobService], tuple[Path]]:
        return JobService.of, (self.home,)

    # --- parts

    @property
    def store(self) -> Store:
        """The store, opened now if it is not open.

        Raises
        ------
        StoreError
            It cannot be used.
        """
        return self._open().store

    @property
    def follower(self) -> Follower:
        """Tells of changes; see :class:`Follower`."""
        return self._open().follower

    def engine(self, name: str) -> Engine:
        """Return the engine of that name. EngineError if there is none."""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._make_engine(name)
            return self._engines[name]

    def engine_name(self, given: Any) -> str:
        """Return the name of an engine that is given by its name, or as a Dask client or cluster.

        Raises
        ------
        EngineError
            There is no such engine.
        """
        name = given if isinstance(given, str) else dask.engine_of(given)
        if name is None:
            raise EngineError(
                f"an engine is {_NAMES_OF_ENGINES}, or a Dask client or cluster, not {type(given).__name__}"
            )
        if not isinstance(given, str):
            # The store makes the home, and refuses one that others could read.
            dask.keep_security(self.store.home, name, given)
        return self.engine(name).name

    def default_engine(self) -> str:
        """Return the name of the engine of jobs for which nobody has named one.

        Raises
        ------
        EngineError
            ``JOBDECK_ENGINE`` or the home's setting names none that there is.
        """
        for where, said in (
            (_ENGINE_VARIABLE, os.environ.get(_ENGINE_VARIABLE)),
            ("the setting 'engine' of this home", self.store.setting("engine")),
        ):
            if said:
                try:
                    return self.engine_name(said)
                except EngineError as error:
                    raise EngineError(f"{where} is {said!r}: {error}") from error
        return LocalEngine.name

    def engine_for(self, given: Any, metadata: Mapping[str, Any]) -> str:
        """Return the name of the engine for a job with these metadata.

        Raises
        ------
        EngineError
            There is no such engine.
        InvalidInputError
            What the metadata say of how it is to be run, the engine does not know.
        """
        name = self.engine_name(given)
        self.engine(name).check(metadata)
        return name

    def _make_engine(self, name: str) -> Engine:
        make = _ENGINES.get(name)
        if make is not None:
            return make(self.home)
        if name == ThreadsEngine.name:
            return self.threads
        if dask.is_dask(name):
            return DaskEngine(self.home, name)
        raise EngineError(f"there is no engine {name!r}; there is: {_NAMES_OF_ENGINES}")

    @property
    def threads(self) -> ThreadsEngine:
        """Runs jobs in this process."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadsEngine(self.home, lambda: self.store, self._tell_news)
                atexit.register(self._leave_threads, self._threads)
            return self._threads

    def _leave_threads(self, threads: ThreadsEngine) -> None:
        """At the end of the process, with which its jobs end."""
        if threads is self._threads:
            with contextlib.suppress(StoreError):  # then whoever looks next does it
                threads.leave()

    def retain(self) -> None:
        """Count one more deck."""
        with self._lock:
            self._decks += 1
            if self._threads is not None:
                self._threads.rest(may_rest=False)

    def release(self) -> None:
        """Count one deck less. With the last one everything is closed that nobody waits for.

        What is still followed by streams, futures or widgets stays open; what is closed is opened again when needed.
        """
        with self._lock:
            self._decks -= 1
            if self._decks > 0:
                return
            if self._threads is not None:
                self._threads.rest(may_rest=True)
        self._handles.rest()
        with self._lock:
            parts = self._parts
            if parts is None or parts.follower.subscriptions:
                return
            bridge = self._bridge
            if bridge is not None and bridge.is_busy:
                return
            threads = self._threads
            if threads is not None and threads.is_busy:
                return
            self._parts = self._bridge = self._threads = None
            self._engines.pop(ThreadsEngine.name, None)
        if bridge is not None:
            atexit.unregister(self._leave)
            bridge.close()
        if threads is not None:
            atexit.unregister(self._leave_threads)
            threads.close()
        parts.follower.close()
        parts.store.close()

    def _open(self) -> _Parts:
        parts = self._parts
        if parts is None:
            with self._lock:
                parts = self._parts
                if parts is None:
                    store = open_store(self.home)
                    follower = Follower(store, check_owners=self.look_after_agents, linger=_LINGER)
                    parts = self._parts = _Parts(store, follower)
        return parts

    # --- jobs

    def job(self, job_id: str) -> Job[Any]:
        """Return the handle of a job. JobNotFoundError if there is none."""
        return self.handle(self.store.job(job_id))

    def handle(self, record: JobRecord, **given: Any) -> Job[Any]:
        """Return the one handle that this process has of a job."""
        bridge = self._bridge
        if record.source is not None and bridge is not None and "kept" not in given:
            given["kept"] = bridge.foreign(record.job_id)
        if self._threads is not None and record.agent == self._threads.agent:
            given["work"] = self._threads.work(record.job_id)
        job = self._handles.handle(record, lambda found: Job(self, found, **given))
        if job._kept is None:
            job._kept = given.get("kept")
        return job

    def follow(self, job: Job[Any]) -> None:
        """See to it that news of this job come to the handle until it is final."""
        self._handles.follow(job)

    def _queue_place(self, job_id: str) -> int | None:
        return self.store.queue_place(job_id)

    def look(self) -> None:
        """Look for changes now: this process has made one."""
        self.follower.wake()
        if self._bridge is not None:
            self._bridge.ring()
        if self._threads is not None:
            self._threads.ensure_agent()

    def is_follower(self) -> bool:
        """Tell whether this thread is the one that brings the news."""
        return self.follower.is_current_thread()

    def add(self, new: NewJob) -> JobRecord:
        """Put a new job into the store and have it run, unless it is only prepared."""
        engine = self.engine(new.engine)
        if self._threads is not None and engine is self._threads:
            return self._threads.add([new])[0]
        record = self.store.add_job(new)
        if new.submitted:
            self._ensure_agent(engine, record)
        return record

    def add_jobs(self, several: Sequence[NewJob]) -> list[JobRecord]:
        """Put new jobs into the store in one transaction, and have them run, unless they are only prepared."""
        engines = {new.engine: self.engine(new.engine) for new in several}
        if self._threads is not None and self._threads in engines.values():
            return self._threads.add(several)
        records = self.store.add_jobs(several)
        for record in {record.engine: record for record in records if record.queued is not None}.values():
            self._ensure_agent(engines[record.engine], record)
        return records

    def group(self, group_id: str) -> JobGroup[Any]:
        """Return the handle of a group of jobs. JobNotFoundError if there is none."""
        return JobGroup(self, self.store.group(group_id))

    def start(self, job_id: str) -> JobRecord:
        """Queue a job that was prepared. JobError if it was submitted before."""
        engine = self.engine(self.store.job(job_id).engine)
        record = self.store.submit_job(job_id)
        self._ensure_agent(engine, record)
        return record

    # --- jobs that others run

    @property
    def bridge(self) -> Bridge:
        """Watches jobs of other systems for this process."""
        with self._lock:
            if self._bridge is None:
                agent = agent_id("watch")
                lock = WatchLock(self.home, process_lock(agent))
                self._bridge = Bridge(
                    lambda: self.store, agent, lock, written=self._tell_news, look_after=self.look_after_watchers
                )
                atexit.register(self._leave, self._bridge)
            return self._bridge

    def _tell_news(self) -> None:
        parts = self._parts
        if parts is not None:
            parts.follower.wake()

    def _leave(self, bridge: Bridge) -> None:
        """At the end of the process: write down what has ended, and let others know that the rest is nobody's."""
        if bridge is self._bridge and bridge.is_busy:
            bridge.close(_LAST_LOOKS)
            with contextlib.suppress(StoreError):  # then whoever looks next does it
                self.store.abandon_watched(bridge.agent)

    def watch(
        self, watched: Watched, name: str | None = None, tags: tuple[str, ...] = (), group_id: str | None = None
    ) -> Job[Any]:
        """Show a job of another system, and follow it from now on; it takes one insert.

        Raises
        ------
        InvalidInputError
            Its adapter gives it the name of an engine of jobdeck's own.
        """
        if not watched.system or watched.system in (*_ENGINES, ThreadsEngine.name) or dask.is_dask(watched.system):
            raise InvalidInputError(
                f"the adapter of a {type(watched).__name__} has to name its system, "
                f"and by another word than {watched.system!r}"
            )
        if group_id is None and watched.group is not None:
            group_id = self.group_of(*watched.group)
        record, foreign = self.bridge.watch(watched, name, tags, group_id)
        return self.handle(record, kept=foreign)

    def watch_many(self, several: Sequence[tuple[Watched, tuple[str, ...]]]) -> None:
        """Show jobs of other systems with their tags; those that live in this process take one transaction."""
        self.bridge.watch_many([each for each in several if not each[0].survives])
        for watched, tags in several:
            if watched.survives:
                self.watch(watched, tags=tags)
        self.look()

    def wait_for_first_looks(self, timeout: float) -> None:
        """Wait, but not for longer, until it is known of every watched job how it is."""
        bridge = self._bridge
        if bridge is not None:
            bridge.wait_for_first_looks(timeout)

    def group_of(self, kind: str, key: str, name: str) -> str:
        """Return the group of what another system calls so, made where there is none."""
        for group in self.store.groups(GroupQuery(kind=kind)):
            if group.metadata.get("key") == key:
                return group.group_id
        return self.store.add_group(NewGroup(kind=kind, name=name, metadata={"key": key})).group_id

    def take_over(self) -> None:
        """Have jobs that survived their kernel watched by this one; returns at once."""
        if self.store.watchers() or self.store.unwatched():
            self.look_after_watchers()
            self.bridge.take_over()

    def look_after_watchers(self) -> None:
        """Close the jobs of others that died with the kernel that watched them."""
        close_unwatched(self.store, None if self._bridge is None else self._bridge.agent)

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
        for record in self.store.jobs(JobQuery(job_ids=tuple(job_ids))):
            engines.setdefault(record.engine, []).append(record.job_id)
        found: dict[str, bytes | EngineError | Gone] = dict.fromkeys(job_ids, Gone("the job was deleted"))
        for name, some in engines.items():
            engine = self.engine(name)
            if not isinstance(engine, DaskEngine):
                raise EngineError(f"the engine {name!r} keeps no results outside of the store")
            found |= engine.fetch_results(some, timeout)
        return found

    def retry(self, job_id: str, changed: Mapping[str, Any]) -> Job[Any]:
        """Run a job's program again, with some inputs changed or none."""
        self._refuse_watched(job_id)
        if not changed:
            return self.handle(self._add_again(job_id, None))
        packed = replace_inputs(self.store.payload(job_id), changed)
        return self.handle(self._add_again(job_id, (packed.inputs, packed.inputs_preview, packed.held)))

    def retry_job(self, job_id: str, texts: Mapping[str, str] | None = None) -> str:
        """Run a job again from the same bytes, which are not opened, and return the new job's id.

        Parameters
        ----------
        texts
            What is to replace inputs of the job: by name, the texts of Python literals or of JSON.

        Raises
        ------
        InvalidInputError
            The job has no such input, or a text is neither. Nothing is queued.
        """
        self._refuse_watched(job_id)
        if not texts:
            return self._add_again(job_id, None).job_id
        previews = self.store.job(job_id).inputs_preview
        return self._add_again(job_id, edit(self.store.payload(job_id).inputs, previews, texts)).job_id

    def look_after_agents(self) -> None:
        """Close the jobs of agents and watchers that died, and have an agent for what is queued."""
        self.look_after_watchers()
        close_lost(self.store, LocalEngine.name)
        for name in self.store.busy_engines():
            if name == ThreadsEngine.name:
                close_lost_processes(self.store, name, None if self._threads is None else self._threads.agent)
            if name in _ENGINES or dask.is_dask(name):
                engine = self.engine(name)
                # What runs in a cluster goes on without an agent, and is for the next one to take up.
                if engine.live_agent() is None:
                    engine.ensure_agent()

    def forget_results(self) -> None:
        """Have clusters forget the results of jobs that were removed."""
        # Where no agent can be started now, whoever looks next does it.
        with contextlib.suppress(EngineError):
            self.look_after_agents()

    def _refuse_watched(self, job_id: str) -> None:
        record = self.store.job(job_id)
        if record.source is not None:
            raise JobError(
                f"job {record.name!r} ({job_id}) is run by {record.engine}, and only watched from here: "
                "submit it again there, and watch that"
            )

    def _add_again(self, job_id: str, changed: tuple[Any, ...] | None) -> JobRecord:
        """Add the same job anew; `changed` are other inputs, their previews, and what they refer to."""
        old = self.store.job(job_id)
        payload = self.store.payload(job_id)
        inputs, previews, *held = changed or (payload.inputs, old.inputs_preview)
        new = NewJob(
            name=old.name,
            engine=old.engine,
            program=payload.program,
            inputs=inputs,
            context=payload.context,
            program_id=old.program_id,
            backend=old.backend,
            tags=old.tags,
            metadata=old.metadata,
            inputs_preview=previews,
            timeout=old.timeout,
            retry_of=job_id,
            group_id=old.group_id,
            place=old.place,
            agent=self._process_of(old),
            held=held,
        )
        return self.add(new)

    def _process_of(self, old: JobRecord) -> str | None:
        """Return the agent of the process that alone can run a job again; None where any one can.

        Raises
        ------
        JobError
            It is gone.
        """
        if old.engine != ThreadsEngine.name or (self._threads is not None and old.agent == self._threads.agent):
            return None
        if old.agent is None or not AgentLock(self.home, process_lock(old.agent)).is_taken():
            raise JobError(
                f"job {old.name!r} ({old.job_id}) ran in threads of a kernel that has ended, and its program was never "
                "sent anywhere: run it again from its notebook"
            )
        return old.agent

    def _ensure_agent(self, engine: Engine, record: JobRecord) -> None:
        try:
            engine.ensure_agent()
        except EngineError as error:
            raise EngineError(
                f"job {record.name!r} ({record.job_id}) is queued, but nothing runs it yet: {error}"
            ) from error

    @classmethod
    def _begin_afresh(cls) -> None:
        """In a forked child: no thread, no lock and no connection of the parent is of use here."""
        cls._shared_lock = threading.Lock()
        for service in cls._shared.values():
            service._lock = threading.RLock()
            if service._parts is not None:
                cls._inherited.append(service._parts)
                service._parts = None
            service._engines = {}
            if service._threads is not None:
                service._threads.forget()
                service._threads = None
            if service._bridge is not None:
                service._bridge.forget()
                service._bridge = None
            service._handles.begin_afresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JobService._begin_afresh)

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

from ._engines import Engines, is_engine
from ._errors import EngineError, InvalidInputError, JobError, StoreError
from ._follow import Follower
from ._group import JobGroup
from ._job import Handles, Job
from ._ports import Store
from ._program import edit, replace_inputs
from ._records import Gone, GroupQuery, JobRecord, NewGroup, NewJob
from .engines.lock import WatchLock
from .engines.lost import close_unwatched
from .engines.marks import agent_id, process_lock
from .store import default_home, open_store
from .watchers import Bridge, Watched

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
        self.engines = Engines(home, lambda: self.store, self._tell_news)
        self._bridge: Bridge | None = None
        self._decks = 0
        self._handles = Handles(lambda: self.follower, self._queue_places)

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

    def retain(self) -> None:
        """Count one more deck."""
        with self._lock:
            self._decks += 1
            if self.engines.threads is not None:
                self.engines.threads.rest(may_rest=False)

    def release(self) -> None:
        """Count one deck less. With the last one everything is closed that nobody waits for.

        What is still followed by streams, futures or widgets stays open; what is closed is opened again when needed.
        """
        with self._lock:
            self._decks -= 1
            if self._decks > 0:
                return
            if self.engines.threads is not None:
                self.engines.threads.rest(may_rest=True)
        self._handles.rest()
        with self._lock:
            parts = self._parts
            if parts is None or parts.follower.subscriptions:
                return
            bridge = self._bridge
            if bridge is not None and bridge.is_busy:
                return
            if self.engines.threads is not None and self.engines.threads.is_busy:
                return
            self._parts = self._bridge = None
            threads = self.engines.take_threads()
        if bridge is not None:
            atexit.unregister(self._leave)
            bridge.close()
        if threads is not None:
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
        threads = self.engines.threads
        if threads is not None and record.agent == threads.agent:
            given["work"] = threads.work(record.job_id)
        job = self._handles.handle(record, lambda found: Job(self, found, **given))
        if job._kept is None:
            job._kept = given.get("kept")
        return job

    def follow(self, job: Job[Any]) -> None:
        """See to it that news of this job come to the handle until it is final."""
        self._handles.follow(job)

    def _queue_places(self, job_ids: Collection[str]) -> Mapping[str, int]:
        return self.store.queue_places(job_ids)

    def look(self) -> None:
        """Look for changes now: this process has made one."""
        self.follower.wake()
        if self._bridge is not None:
            self._bridge.ring()
        if self.engines.threads is not None:
            self.engines.threads.ensure_agent()

    def is_follower(self) -> bool:
        """Tell whether this thread is the one that brings the news."""
        return self.follower.is_current_thread()

    def add(self, new: NewJob) -> JobRecord:
        """Put a new job into the store and have it run, unless it is only prepared."""
        return self.engines.add(new)

    def add_jobs(self, several: Sequence[NewJob]) -> list[JobRecord]:
        """Put new jobs into the store in one transaction, and have them run, unless they are only prepared."""
        return self.engines.add_jobs(several)

    def group(self, group_id: str) -> JobGroup[Any]:
        """Return the handle of a group of jobs. JobNotFoundError if there is none."""
        return JobGroup(self, self.store.group(group_id))

    def start(self, job_id: str) -> JobRecord:
        """Queue a job that was prepared. JobError if it was submitted before."""
        self.engines.named(self.store.job(job_id).engine)
        record = self.store.submit_job(job_id)
        self.engines.ensure_agent(record)
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
        if not watched.system or is_engine(watched.system):
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
        """Return results that are kept outside of the store; see `Engines.fetch_results`."""
        return self.engines.fetch_results(job_ids, timeout)

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
        self.engines.look_after()

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
            agent=self.engines.process_of(old),
            held=held,
        )
        return self.add(new)

    @classmethod
    def _begin_afresh(cls) -> None:
        """In a forked child: no thread, no lock and no connection of the parent is of use here."""
        cls._shared_lock = threading.Lock()
        for service in cls._shared.values():
            service._lock = threading.RLock()
            if service._parts is not None:
                cls._inherited.append(service._parts)
                service._parts = None
            service.engines.begin_afresh()
            if service._bridge is not None:
                service._bridge.forget()
                service._bridge = None
            service._handles.begin_afresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JobService._begin_afresh)

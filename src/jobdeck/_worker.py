"""What a cluster's worker does for jobs: it runs them through a home and a local agent of its own, and tells the news.

A job has there what it has on one's own machine: a process of its own, captured output, an end that is told in words,
and a stop that works. The worker's home goes with the worker, and so do its jobs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from ._errors import EngineError, JobNotFoundError, RuntimeInvalidStateError
from ._program import Context
from ._records import JobRecord, NewJob, Outcome
from ._service import JobService
from ._status import Exit
from ._version import __version__
from .engines.bell import ring
from .engines.dask import shelf
from .engines.dask.begun import Permission
from .engines.dask.relay import Relay, Tell, Watched, piece_of
from .engines.dask.travel import EVENT_BODY, End, Parcel, packed
from .engines.local.agent import LEASH
from .engines.local.handing import handed
from .engines.lock import AgentLock

_MANY: Final = "10000"
"""Jobs at a time: how many run here at once is up to Dask."""
_LEAVING: Final = ("closing", "closed", "failed")
"""A worker's status, in Dask's words, from which it does not come back."""
_FETCHED_LOG: Final = 1_048_576


async def run(parcel: Parcel) -> bytes:
    """Run a job to its end, and return that, packed. Called in the event loop of a Dask worker.

    Not in one of its threads: Dask's profiler looks at what each of those does a hundred times a second.
    """
    if parcel["version"] != __version__:
        raise EngineError(
            f"this worker has jobdeck {__version__}, the agent has {parcel['version']}; install the same on both"
        )
    station = Station.known()
    if station is None:
        # To make its home takes a while.
        station = await asyncio.to_thread(Station.here)
    end = await station.run(parcel)
    # What is large would hold up the loop, and with it all that the worker does.
    return packed(end) if is_small(end) else await asyncio.to_thread(packed, end)


def is_small(end: End) -> bool:
    """Tell whether an end may travel as an event."""
    return len(end["outcome"] or b"") <= EVENT_BODY


def answer(question: str, job_id: str, *details: Any) -> Any:
    """Answer what the agent asks about a job. Called in the worker's event loop."""
    station = Station.here()
    match question, details:
        case "stop", (bool(kill),):
            return station.stop(job_id, kill=kill)
        case "messages", (int(start), int(stop)):
            found = station.service.store.messages(job_id, start, stop)
            return [(message.seq, message.final, message.body) for message in found]
        case "log", (int(start), int(stop)):
            return station.log(job_id, start, min(stop, start + _FETCHED_LOG))
        case "here", ():
            return None
        case "forget", _:
            station.forget([job_id, *details])
            return None
    raise EngineError(f"a worker cannot be asked {question!r}")


class Station:
    """Where jobs run on this worker: one for each of its processes.

    Parameters
    ----------
    folder
        For the home; it goes with the worker.
    tell
        Sends an event under a topic to the scheduler.
    address
        The worker's.
    is_leaving
        Whether the scheduler has given the worker up.
    refusal
        Tells why a run of a job must not begin here, of which there may be so many more, None where it may. See
        :meth:`jobdeck.engines.dask.begun.Permission.refusal`.
    keep
        Keeps the result of a run of a job in the cluster.
    """

    _one: ClassVar[Station | None] = None
    _making: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        folder: Path,
        tell: Tell,
        address: str,
        is_leaving: Callable[[], bool],
        *,
        refusal: Callable[..., Awaitable[str | None]],
        keep: Callable[[str, str, bytes], Awaitable[None]],
    ) -> None:
        self.service = JobService.of(folder)
        self._is_leaving = is_leaving
        self._refusal = refusal
        self._keep = keep
        self._address = address
        self.service.store.set_setting("max_workers", _MANY)
        # Held for as long as this process lives, whatever ends it.
        self._leash = AgentLock(folder, LEASH)
        self._leash.take(f"worker@{address}")
        self._relay = Relay(self.service.store, tell, address, self._look_after)
        self._running: set[str] = set()
        self._refused: dict[str, bool] = {}
        self._lock = threading.Lock()

    @classmethod
    def known(cls) -> Station | None:
        """Return the one of this process, if there is one."""
        return cls._one

    @classmethod
    def here(cls) -> Station:
        """Return the one of this process, made now if there is none."""
        with cls._making:
            if cls._one is None:
                from distributed.worker import get_worker

                try:
                    worker = get_worker()
                except ValueError as error:
                    raise EngineError(f"this is no worker of Dask: {error}") from error
                folder = Path(worker.local_directory) / "jobdeck"

                def is_leaving() -> bool:
                    return worker.status.name in _LEAVING

                refusal, keep = Permission(worker).refusal, functools.partial(shelf.put, worker)
                cls._one = cls(folder, worker.log_event, worker.address, is_leaving, refusal=refusal, keep=keep)
            return cls._one

    # --- jobs

    async def run(self, parcel: Parcel) -> End:
        """Run a job, tell what it says, and return how it ended."""
        job_id = parcel["job"]
        watched = Watched(parcel["topic"], os.urandom(6).hex())
        # Whatever dies from here on, the scheduler knows that this run may have begun.
        begun = self._relay.event(watched, {"job": job_id, "begun": True})
        reason = await self._refusal(job_id, watched.run, retries=parcel["retries"], topic=watched.topic, event=begun)
        if reason is not None:
            return self._no_run(watched, f"lost: {reason}; retry() runs it again")
        try:
            with self._relay.watching(job_id, watched, functools.partial(self._begin, parcel)):
                await asyncio.wrap_future(watched.over)
        except asyncio.CancelledError:
            # Dask gives the task up, as a worker does that ends.
            self.stop(job_id, kill=True)
            raise
        finally:
            with self._lock:
                self._running.discard(job_id)
        if watched.record is None:
            raise EngineError(f"job {job_id} was removed from the worker while it ran")
        end = await self._end(watched, watched.record, parcel["limit"])
        if is_small(end) and not self._is_leaving():
            # The agent need not ask for the task's result then. Of a worker that was given up no end counts.
            self._relay.send(watched, {"job": job_id, "end": end})
        return end

    def _begin(self, parcel: Parcel) -> None:
        """Put a job into the store here, and have it run. Called by the relay's thread."""
        job_id, store = parcel["job"], self.service.store
        if store.payload_keys([job_id]):
            self.forget([job_id])
        new = NewJob(
            name=parcel["name"],
            engine="local",
            program=parcel["program"],
            inputs=parcel["inputs"],
            context=_context_here(parcel["sources"]),
            timeout=parcel["timeout"],
            job_id=job_id,
        )
        store.add_job(new)
        with self._lock:
            self._running.add(job_id)
            refused = self._refused.pop(job_id, None)
        if refused is not None:
            self.stop(job_id, kill=refused)
        self.service.engines.named("local").ensure_agent()

    def stop(self, job_id: str, *, kill: bool) -> None:
        """Ask a job to stop, also one that is only about to come."""
        with self._lock:
            if job_id not in self._running:
                self._refused[job_id] = kill
                return
        try:
            self.service.store.ask(job_id, "kill" if kill else "cancel", "dask")
        except (JobNotFoundError, RuntimeInvalidStateError):
            return
        ring(self.service.store.home, "local")

    def _look_after(self) -> None:
        """Have another agent where the one here has died, and end what runs for nobody any more."""
        self.service.look_after_agents()
        if self._is_leaving():
            # The scheduler has given this worker up, and runs its jobs elsewhere.
            with self._lock:
                running = list(self._running)
            for job_id in running:
                self.stop(job_id, kill=True)

    def log(self, job_id: str, start: int, stop: int) -> bytes:
        """Return a piece of what a job has printed."""
        return piece_of(self.service.store.log_path(job_id), start, stop)

    def forget(self, job_ids: list[str]) -> None:
        """Remove jobs that have ended."""
        with self._lock:
            for job_id in job_ids:
                self._refused.pop(job_id, None)
        self.service.store.delete_many(job_ids)

    def _no_run(self, watched: Watched, words: str) -> End:
        """Return the end of a job that must not begin again."""
        end = dataclasses.asdict(Exit(lost=True, words=words))
        return {"run": watched.run, "worker": self._address, "outcome": None, "exit": end, "messages": 0, "log": 0}

    async def _end(self, watched: Watched, record: JobRecord, limit: int | None) -> End:
        outcome = watched.outcome
        if outcome is not None and limit is not None and len(outcome.body or b"") > limit:
            outcome = await self._put_aside(record.job_id, watched, outcome)
        is_shot = record.error_kind == "memory" and record.exit_signal is not None
        end = Exit(
            code=record.exit_code,
            signal=record.exit_signal,
            peak_memory=record.peak_memory,
            cpu_time=record.cpu_time,
            timed_out=record.error_kind == "timeout",
            out_of_memory=is_shot,
            lost=record.error_kind == "lost",
            words=record.error if record.error_kind == "lost" else None,
        )
        return {
            "run": watched.run,
            "worker": self._address,
            "outcome": None if outcome is None else handed(record.job_id, outcome),
            "exit": dataclasses.asdict(end),
            "messages": watched.seen,
            "log": watched.log,
        }

    async def _put_aside(self, job_id: str, watched: Watched, outcome: Outcome) -> Outcome:
        """Keep a large result in the cluster, unless it is a message, which was told already."""
        assert outcome.body is not None
        said = await asyncio.to_thread(self.service.store.messages, job_id, watched.seen - 1, watched.seen)
        if said and said[0].final and said[0].body.encode() == outcome.body:
            return dataclasses.replace(outcome, encoding=None, body=None, preview=None)
        await self._keep(job_id, watched.run, outcome.body)
        return dataclasses.replace(outcome, body=None, kept=len(outcome.body))


def _context_here(sources: bytes) -> bytes:
    """Return the worker's own context, with the source texts that came with the job."""
    if not sources:
        return Context.bytes_here()
    return dataclasses.replace(Context.here(), sources=json.loads(sources)).to_bytes()

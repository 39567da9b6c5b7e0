"""The agent's connection to a scheduler: jobs go there, and what happens to them comes back into one queue."""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from queue import Empty, Queue, SimpleQueue
from typing import Any, Final, NamedTuple

from ..._by_value import by_value
from ..._errors import EngineError
from . import shelf
from .begun import listen
from .connection import CONNECT, connected, patience
from .travel import Parcel, ask_there, key_of, packed, run_there, unpacked

LARGE: Final = 1_000_000
"""Bytes of a parcel from which on it is handed to the workers directly rather than through the scheduler."""
_ANSWER: Final = 5.0
_SLOW: Final = 1_000_000
"""Bytes a second, of a slow line."""
_FORGET_EVERY: Final = 1.0
_HEARING: Final = 2.0
"""Seconds for a worker to say that it has heard something."""
SILENCE: Final = 5.0
"""Seconds for which a worker that did not answer is not asked again: each question holds up the news of all others."""
_GATHER_AGAIN: Final = 1.0
GATHER: Final = 0.005
"""Seconds for which events are collected while they come without a pause, for each turn costs transactions."""

Event = tuple[str, Any, Any]
"""``("news", list of News, None)``, ``("end", job_id, future)`` or ``("result", job_id, Result)``."""


class Result(NamedTuple):
    """What a job's task came to: a value or an error, and the task's state in Dask's words."""

    value: Any
    error: BaseException | None
    status: str


class Cluster:
    """A client of one scheduler.

    Parameters
    ----------
    address
        The scheduler's, as Dask writes it.
    topic
        Under which the workers tell of this home's jobs.
    security
        How to be let in, see `address.kept_security`.

    Raises
    ------
    EngineError
        The scheduler cannot be reached.
    """

    def __init__(self, address: str, topic: str, security: Mapping[str, Any] | None) -> None:
        # No SimpleQueue: its `get` waits for ever once a signal's handler has taken longer than what was left to wait.
        self.events: Queue[Event] = Queue()
        self._address = address
        self._topic = topic
        self._client = connected(address, security, min(CONNECT, patience()))
        self._run = by_value(run_there)
        self._ask = by_value(ask_there)
        self._futures: dict[str, Any] = {}
        self._silent: dict[str, float] = {}
        self._last_events = 0.0
        self._chores: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._do_chores, name="jobdeck-chores", daemon=True)
        self._worker.start()
        self.scheduler_id = str(self._client.scheduler_info()["id"])
        # A client that the scheduler has never heard of cannot release anything.
        self._tell("client-desires-keys", [])
        listen(self._client)
        shelf.listen(self._client)
        self._client.subscribe_topic(topic, self._hear)

    @property
    def is_there(self) -> bool:
        """Whether the scheduler answers, as far as is known."""
        return bool(self._client.status == "running")

    def has(self, worker: str | None) -> bool:
        """Whether the scheduler counts on this worker, though it may not answer just now."""
        return worker is not None and bool(self.threads([worker]))

    def threads(self, workers: list[str] | None = None) -> dict[str, int]:
        """Return how many tasks each of these workers, or of all that there are, can run at the same time."""
        # What `scheduler_info` tells beside it is some megabytes with thousands of workers, each second.
        try:
            return dict(
                self._client.sync(self._client.scheduler.ncores, workers=workers, callback_timeout=_ANSWER),
            )
        except Exception as error:
            raise EngineError(f"the Dask scheduler at {self._address} does not answer: {error!r}") from error

    # --- jobs

    def submit(self, jobs: Sequence[tuple[Parcel, Mapping[str, Any]]]) -> dict[str, Exception]:
        """Hand jobs to the scheduler, which keeps them whether or not this client lives on.

        Those that are to be run in the same way go in one message.

        Returns
        -------
        dict
            What Dask says of those that it refuses, by job.

        Raises
        ------
        EngineError
            The scheduler cannot be told just now.
        """
        refused: dict[str, Exception] = {}
        alike: dict[str, tuple[Mapping[str, Any], list[Parcel]]] = {}
        for parcel, how in jobs:
            alike.setdefault(repr(sorted(how.items())), (how, []))[1].append(parcel)
        for how, parcels in alike.values():
            keys = [key_of(parcel["job"]) for parcel in parcels]
            try:
                futures = self._client.map(
                    self._run, [self._packed(parcel) for parcel in parcels], key=keys, pure=False, **how
                )
                self._tell("client-desires-keys", keys)
            except Exception as error:
                if not self.is_there:
                    raise EngineError(f"the Dask scheduler at {self._address} cannot be told: {error}") from error
                refused.update((parcel["job"], error) for parcel in parcels)
                continue
            for parcel, future in zip(parcels, futures, strict=True):
                self._follow(parcel["job"], future)
        return refused

    def known(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Return in which state those of these jobs are, in Dask's words, that the scheduler has."""
        keys = {key_of(job_id): job_id for job_id in job_ids}
        try:
            scheduler: Any = self._client.scheduler
            states = self._client.sync(scheduler.get_task_status, keys=list(keys))
        except Exception as error:
            raise EngineError(f"the Dask scheduler at {self._address} does not answer: {error!r}") from error
        return {keys[key]: str(state) for key, state in states.items() if state is not None}

    def adopt(self, job_ids: Iterable[str]) -> None:
        """Follow jobs that an earlier agent has handed over."""
        from distributed import Future

        for job_id in job_ids:
            self._follow(job_id, Future(key_of(job_id), self._client))
        self._tell("client-desires-keys", list(map(key_of, job_ids)), self._client.id)

    def earlier(self) -> list[Any]:
        """Return the news that the scheduler still has."""
        try:
            return [news for _, several in self._client.get_events(self._topic) for news in unpacked(several)]
        except Exception as error:
            raise EngineError(f"the Dask scheduler at {self._address} does not answer: {error!r}") from error

    def release(self, job_id: str, worker: str | None) -> None:
        """Let the scheduler forget a job that is over, and the worker soon."""
        self._futures.pop(job_id, None)
        # A scheduler that cannot be told is gone, or adopted from anew.
        with contextlib.suppress(Exception):
            self._tell("client-releases-keys", [key_of(job_id)])
        if worker is not None:
            self._chores.put((worker, job_id))

    def kept_results(self) -> set[str]:
        """Return the jobs whose results are kept in the cluster."""
        return shelf.kept(self._client, self._topic)

    def drop_results(self, job_ids: Collection[str]) -> None:
        """Have the cluster forget results. EngineError where it cannot be told."""
        try:
            shelf.take_away(self._client, self._topic, job_ids)
        except Exception as error:
            raise EngineError(f"the scheduler at {self._address} does not answer: {error!r}") from error

    def withdraw(self, job_id: str) -> None:
        """Take a job back that no worker has."""
        future = self._futures.get(job_id)
        if future is not None:
            self._client.cancel([future], force=True)

    def worker_of(self, job_id: str) -> str | None:
        """Return the address of the worker that has the job now, None if none has."""
        key = key_of(job_id)
        return next((worker for worker, keys in self._client.processing().items() if key in keys), None)

    def ask(self, worker: str, question: str, job_id: str, *details: Any) -> Any:
        """Ask a worker about a job. EngineError if it does not answer."""
        # The scheduler would wait for half a minute for a host that is cut off.
        if question in {"stop", "forget"}:
            return self._answer(worker, _HEARING, question, job_id, *details)
        # What is fetched may take long to come, once it is known that the host is there.
        if self._silent.get(worker, 0.0) > time.monotonic():
            raise EngineError(f"the worker {worker} did not answer a moment ago")
        try:
            self._answer(worker, _HEARING, "here", job_id)
        except EngineError:
            self._silent[worker] = time.monotonic() + SILENCE
            raise
        self._silent.pop(worker, None)
        return self._answer(worker, None, question, job_id, *details)

    def _answer(self, worker: str, limit: float | None, question: str, job_id: str, *details: Any) -> Any:
        try:
            return self._client.sync(
                self._client._run, self._ask, question, job_id, *details, workers=[worker], callback_timeout=limit
            )[worker]
        except Exception as error:
            raise EngineError(f"the worker {worker} does not answer: {error!r}") from error

    def close(self) -> None:
        """Leave the scheduler; the jobs stay."""
        self._chores.put(None)
        self._worker.join(_ANSWER)
        # Whatever does not come to its end here ends with this process.
        with contextlib.suppress(Exception):
            self._client.close(timeout=_ANSWER)

    def _packed(self, parcel: Parcel) -> Any:
        body = packed(parcel)
        if len(body) <= LARGE:
            return body
        try:
            # In a list: of a bare one each part would get a name of its own in the whole cluster.
            return self._client.sync(
                self._client._scatter, [body], hash=False, callback_timeout=_ANSWER + len(body) / _SLOW
            )[0]
        except (OSError, TimeoutError, asyncio.TimeoutError):
            # Dask has chosen a host that is cut off, and would wait half a minute for it.
            return body

    def _tell(self, what: str, keys: list[str], client: str | None = None) -> None:
        """Say that tasks are wanted, or no longer, by `client`, or else by whoever is this home's agent.

        The latter is a client that never connects and so never goes, as `distributed.fire_and_forget` has one.
        """
        self._client._send_to_scheduler({"op": what, "keys": keys, "client": client or self._topic})

    # --- what comes back

    def next_events(self, timeout: float) -> Iterator[Event]:
        """Wait for the next event, for so many seconds; yield it and those that came with it.

        After a pause it comes at once, and else with what else comes in `GATHER` seconds.
        """
        with contextlib.suppress(Empty):
            first = self.events.get(timeout=timeout)
            self._gather()
            yield first
            while True:
                yield self.events.get_nowait()

    def _gather(self) -> None:
        time.sleep(max(0.0, self._last_events + GATHER - time.monotonic()))
        self._last_events = time.monotonic()

    def _follow(self, job_id: str, future: Any) -> None:
        self._futures[job_id] = future
        future.add_done_callback(lambda done: self.events.put(("end", job_id, done)))

    def _hear(self, event: tuple[float, Any]) -> None:
        self.events.put(("news", unpacked(event[1]), None))

    def fetch(self, job_id: str, future: Any) -> None:
        """Get what a job's task came to. It comes as an event: the host that has it may be cut off for long."""
        self._client.loop.add_callback(self._fetch, job_id, future)

    async def _fetch(self, job_id: str, future: Any) -> None:
        key = key_of(job_id)
        result: Result | None = None
        while result is None and self.is_there and job_id in self._futures:
            if future.status not in {"finished", "pending"}:
                error = await future._exception() if future.status == "error" else None
                result = Result(None, error, future.status)
                break
            try:
                # The client's own way fetches several together, of which each waits for the slowest.
                found = await self._client.scheduler.gather(keys=[key])
            except OSError:
                found = {"status": "error"}
            except Exception as error:  # noqa: BLE001 - it is told as the job's end
                result = Result(None, error, "finished")
                break
            if found["status"] == "OK":
                result = Result(unpacked(found["data"][key]), None, "finished")
            else:
                # It is with a host that does not answer. Once Dask has given that up, the task is no longer finished.
                await asyncio.sleep(_GATHER_AGAIN)
        if result is not None:
            self.events.put(("result", job_id, result))

    def _do_chores(self) -> None:
        """Have workers forget what is over, many jobs at a time."""
        while (chore := self._chores.get()) is not None:
            over: dict[str, list[str]] = {chore[0]: [chore[1]]}
            until = time.monotonic() + _FORGET_EVERY
            with contextlib.suppress(Empty):
                while (chore := self._chores.get(timeout=max(until - time.monotonic(), 0))) is not None:
                    over.setdefault(chore[0], []).append(chore[1])
            for worker, job_ids in over.items():
                # A worker that does not answer any more loses its jobs with itself.
                with contextlib.suppress(EngineError):
                    self.ask(worker, "forget", *job_ids)
            if chore is None:
                return

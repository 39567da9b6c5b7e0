"""The agent's connection to a scheduler: jobs go there, and what happens to them comes back into one queue."""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from queue import Empty, Queue, SimpleQueue
from typing import Any, Final

from ..._by_value import by_value
from ..._errors import EngineError
from . import shelf
from .begun import listen
from .connection import CONNECT, connected, patience
from .travel import Parcel, ask_there, key_of, run_there

LARGE: Final = 1_000_000
"""Bytes of a parcel from which on it is handed to the workers directly rather than through the scheduler."""
_ANSWER: Final = 5.0
_FORGET_EVERY: Final = 1.0
_HEARING: Final = 2.0
"""Seconds for a worker to say that it has heard something."""

Event = tuple[str, Any, Any]
"""``("news", list of News, None)`` or ``("end", job_id, future)``."""


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
        self._chores: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._do_chores, name="jobdeck-chores", daemon=True)
        self._worker.start()
        self.scheduler_id = str(self._client.scheduler_info()["id"])
        # A client that the scheduler has never heard of cannot release anything.
        self._tell("client-desires-keys", [])
        listen(self._client)
        self._client.subscribe_topic(topic, self._hear)

    @property
    def is_there(self) -> bool:
        """Whether the scheduler answers, as far as is known."""
        return bool(self._client.status == "running")

    @property
    def threads(self) -> int:
        """How many tasks the workers can run at the same time."""
        # What `scheduler_info` tells beside it is some megabytes with thousands of workers, each second.
        return sum(self._client.nthreads().values())

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
            return [news for _, several in self._client.get_events(self._topic) for news in several]
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
        return shelf.kept(self._client)

    def drop_results(self, job_ids: Collection[str]) -> None:
        """Have the cluster forget results. EngineError where it cannot be told."""
        try:
            shelf.take_away(self._client, job_ids)
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
        # The scheduler would wait for half a minute for a host that is cut off. What is fetched may take long to come.
        limit = _HEARING if question in {"stop", "forget"} else None
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
        with contextlib.suppress(Exception):
            self._client.close(timeout=_ANSWER)

    def _packed(self, parcel: Parcel) -> Any:
        if len(parcel["program"]) + len(parcel["inputs"]) <= LARGE:
            return parcel
        # In a list: of a bare dict each value would get its key as its name in the whole cluster.
        return self._client.scatter([parcel], hash=False)[0]

    def _tell(self, what: str, keys: list[str], client: str | None = None) -> None:
        """Say that tasks are wanted, or no longer, by `client`, or else by whoever is this home's agent.

        The latter is a client that never connects and so never goes, as `distributed.fire_and_forget` has one.
        """
        self._client._send_to_scheduler({"op": what, "keys": keys, "client": client or self._topic})

    # --- what comes back

    def next_events(self, timeout: float) -> Iterator[Event]:
        """Wait for the next event, for so many seconds; yield it and those that came with it."""
        with contextlib.suppress(Empty):
            yield self.events.get(timeout=timeout)
            while True:
                yield self.events.get_nowait()

    def _follow(self, job_id: str, future: Any) -> None:
        self._futures[job_id] = future
        future.add_done_callback(lambda done: self.events.put(("end", job_id, done)))

    def _hear(self, event: tuple[float, Any]) -> None:
        self.events.put(("news", event[1], None))

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


def results(futures: Iterable[Any]) -> list[tuple[Any, BaseException | None]]:
    """Return what these futures, which are done, came to: a value, or an error."""
    found: list[tuple[Any, BaseException | None]] = []
    for future in futures:
        try:
            found.append((future.result(timeout=_ANSWER * 6), None))
        except Exception as error:  # noqa: BLE001 - it is told as the job's end
            found.append((None, error))
    return found

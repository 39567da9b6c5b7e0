"""The agent's connection to a scheduler: jobs go there, and what happens to them comes back into one queue."""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from queue import SimpleQueue
from typing import Any, Final

from ..._errors import EngineError
from . import shelf
from .connection import connected
from .travel import Parcel, ask_there, by_value, run_there

LARGE: Final = 1_000_000
"""Bytes of a parcel from which on it is handed to the workers directly rather than through the scheduler."""
_ANSWER: Final = 5.0

Event = tuple[str, Any, Any]
"""``("news", news, None)`` or ``("end", job_id, future)``."""


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
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._address = address
        self._topic = topic
        self._client = connected(address, security)
        self._run = by_value(run_there)
        self._ask = by_value(ask_there)
        self._futures: dict[str, Any] = {}
        self._chores: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._do_chores, name="jobdeck-chores", daemon=True)
        self._worker.start()
        self.scheduler_id = str(self._client.scheduler_info()["id"])
        self._client.subscribe_topic(topic, self._hear)

    @property
    def is_there(self) -> bool:
        """Whether the scheduler answers, as far as is known."""
        return bool(self._client.status == "running")

    @property
    def threads(self) -> int:
        """How many tasks the workers can run at the same time."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return sum(int(worker["nthreads"]) for worker in workers.values())

    # --- jobs

    def submit(self, parcel: Parcel, how: Mapping[str, Any]) -> None:
        """Hand a job to the scheduler, which keeps it whether or not this client lives on."""
        data: Any = dict(parcel)
        if len(parcel["program"]) + len(parcel["inputs"]) > LARGE:
            data = self._client.scatter(data, hash=False)
        job_id = parcel["job"]
        future = self._client.submit(self._run, data, key=_key(job_id), pure=False, **how)
        self._client.publish_dataset(future, name=_key(job_id), override=True)
        self._follow(job_id, future)

    def known(self) -> set[str]:
        """Return the jobs that the scheduler keeps."""
        return {
            str(name).removeprefix(_PREFIX) for name in self._client.list_datasets() if str(name).startswith(_PREFIX)
        }

    def adopt(self, job_id: str) -> None:
        """Follow a job that an earlier agent has handed over."""
        self._follow(job_id, self._client.get_dataset(_key(job_id)))

    def earlier(self) -> list[Any]:
        """Return the news that the scheduler still has."""
        return [news for _, news in self._client.get_events(self._topic)]

    def release(self, job_id: str, worker: str | None) -> None:
        """Let the scheduler and the worker forget a job that is over, soon."""
        self._futures.pop(job_id, None)
        self._chores.put(lambda: self._client.unpublish_dataset(_key(job_id)))
        if worker is not None:
            self._chores.put(lambda: self.ask(worker, "forget", job_id))

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
        key = _key(job_id)
        return next((worker for worker, keys in self._client.processing().items() if key in keys), None)

    def ask(self, worker: str, question: str, job_id: str, *details: Any) -> Any:
        """Ask a worker about a job. EngineError if it does not answer."""
        try:
            return self._client.run(self._ask, question, job_id, *details, workers=[worker])[worker]
        except Exception as error:
            raise EngineError(f"the worker {worker} does not answer: {error!r}") from error

    def close(self) -> None:
        """Leave the scheduler; the jobs stay."""
        self._chores.put(None)
        self._worker.join(_ANSWER)
        with contextlib.suppress(Exception):
            self._client.close(timeout=_ANSWER)

    # --- what comes back

    def _follow(self, job_id: str, future: Any) -> None:
        self._futures[job_id] = future
        future.add_done_callback(lambda done: self.events.put(("end", job_id, done)))

    def _hear(self, event: tuple[float, Any]) -> None:
        self.events.put(("news", event[1], None))

    def _do_chores(self) -> None:
        while (chore := self._chores.get()) is not None:
            # What the scheduler or a worker cannot be told any more, it has lost with itself.
            with contextlib.suppress(Exception):
                chore()


def results(futures: Iterable[Any]) -> list[tuple[Any, BaseException | None]]:
    """Return what these futures, which are done, came to: a value, or an error."""
    found: list[tuple[Any, BaseException | None]] = []
    for future in futures:
        try:
            found.append((future.result(timeout=_ANSWER * 6), None))
        except Exception as error:  # noqa: BLE001 - it is told as the job's end
            found.append((None, error))
    return found


_PREFIX: Final = "jobdeck/"


def _key(job_id: str) -> str:
    return f"{_PREFIX}{job_id}"

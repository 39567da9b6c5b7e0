"""Results that stay in the cluster, as data of its workers: the scheduler's metadata tell which are a home's.

They are data and no results of tasks: what Dask can compute again it does, silently, when a worker dies that had it,
and a job would run twice. Of such data it says that they are gone.

All of a home's are wanted by one client of the scheduler, the home's own, which never connects and so never goes.
"""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from ..._by_value import by_value
from ..._errors import EngineError
from ..._records import Gone
from .connection import CONNECT, connected
from .travel import topic_of

_PREFIX: Final = "jobdeck-result/"
_DEAD: Final = "the worker that kept it has died"
_KNOCK: Final = 3.0
"""Seconds for which a worker is tried before a result is fetched through the scheduler."""
_LOOK: Final = 1.0
"""Seconds between looks at whether data that have not arrived are still there."""


def listen(client: Any) -> None:
    """Have a scheduler keep account of results."""
    client.run_on_scheduler(by_value(listen_there))


def listen_there(dask_scheduler: Any) -> None:
    """Keep account, on the scheduler that this is called on, under names that `put` and `take_away` know."""

    def jobdeck_keep(*, topic: str, job: str, key: str) -> dict[str, str]:
        kept = dask_scheduler.task_metadata.setdefault(topic, {})
        before = kept.get(job)
        kept[job] = key
        if before not in {None, key}:
            dask_scheduler.client_releases_keys(keys=[before], client=topic)
        return {}

    def jobdeck_drop(*, topic: str, jobs: list[str]) -> dict[str, str]:
        kept = dask_scheduler.task_metadata.get(topic, {})
        keys = [kept.pop(job) for job in jobs if job in kept]
        if keys:
            dask_scheduler.client_releases_keys(keys=keys, client=topic)
        if not kept:
            dask_scheduler.task_metadata.pop(topic, None)
        return {}

    dask_scheduler.handlers.update(jobdeck_keep=jobdeck_keep, jobdeck_drop=jobdeck_drop)


async def put(worker: Any, job_id: str, run: str, body: bytes) -> None:
    """Keep a result in a worker's memory until it is taken away.

    Dask moves it to disk where memory is short, and to another worker where this one is retired.

    Parameters
    ----------
    worker
        Dask's own object, in whose event loop this is called.
    run
        Which of the job's runs: no two have the same data.
    """
    topic, key = topic_of(job_id), f"{_PREFIX}{job_id}/{run}"
    worker.update_data(data={key: body})
    places, sizes = {key: [worker.contact_address]}, {key: len(body)}
    await worker.scheduler.update_data(who_has=places, nbytes=sizes, client=topic)
    await worker.scheduler.jobdeck_keep(topic=topic, job=job_id, key=key)


def kept(client: Any, topic: str) -> set[str]:
    """Return the jobs of a home whose results the scheduler knows."""
    return set(client.get_metadata([topic], default={}))


def take_away(client: Any, topic: str, job_ids: Collection[str]) -> None:
    """Have the cluster forget results of a home."""
    client.sync(client.scheduler.jobdeck_drop, topic=topic, jobs=list(job_ids))


def fetch(
    address: str, security: Mapping[str, Any] | None, job_ids: Collection[str], timeout: float | None = None
) -> dict[str, bytes | EngineError | Gone]:
    """Return the results of jobs, or why one cannot be had now or is gone. They are not opened.

    Parameters
    ----------
    address, security
        See `connected`.
    timeout
        Seconds for all of them; None waits for as long as it takes.

    Raises
    ------
    TimeoutError
        It took longer than that.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    patience = CONNECT if timeout is None else min(timeout, CONNECT)
    if patience <= 0:
        raise TimeoutError
    try:
        client = connected(address, security, patience)
    except EngineError as error:
        if deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError from None
        return dict.fromkeys(job_ids, error)
    try:
        return {job_id: _fetch_one(client, job_id, deadline) for job_id in job_ids}
    finally:
        client.close(timeout=_KNOCK)


def _fetch_one(client: Any, job_id: str, deadline: float | None) -> bytes | EngineError | Gone:
    from distributed import Future

    key = client.get_metadata([topic_of(job_id), job_id], default=None)
    if key is None:
        return Gone("the scheduler that is there does not know it")
    future: Any = Future(key, client)
    is_known = threading.Event()
    future.add_done_callback(lambda _: is_known.set())
    client._send_to_scheduler({"op": "client-desires-keys", "keys": [key], "client": client.id})
    holders = _holders(client, key)
    if not holders:
        return Gone(_DEAD)
    # Straight from the worker, where that can be reached from here: a scheduler should not carry gigabytes.
    client.direct_to_workers = any(_answers(client, each) for each in holders)
    try:
        while not is_known.wait(_LOOK if deadline is None else min(_LOOK, max(0.0, deadline - time.monotonic()))):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            # What went a moment before it was asked for never comes, and nobody says so.
            if not _holders(client, key):
                return Gone(_DEAD)
        body = future.result(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
    except (TimeoutError, asyncio.TimeoutError):
        raise TimeoutError from None
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - Dask has many words for what is lost
        if not _holders(client, key):
            return Gone(_DEAD)
        return EngineError(f"the worker that keeps it does not give it: {error or type(error).__name__}")
    return bytes(body)


def _answers(client: Any, worker: str) -> bool:
    async def knock() -> None:
        comm = await client.rpc.connect(worker)
        client.rpc.reuse(worker, comm)

    try:
        client.sync(knock, callback_timeout=_KNOCK)
    except (OSError, TimeoutError, asyncio.TimeoutError):
        return False
    return True


def _holders(client: Any, key: str) -> Collection[str]:
    found: Collection[str] = client.sync(client.scheduler.who_has, keys=[key]).get(key, ())
    return found

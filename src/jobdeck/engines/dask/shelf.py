"""Results that stay in the cluster, as data of its workers that the scheduler knows by the job's id.

They are data and no results of tasks: what Dask can compute again it does, silently, when a worker dies that had it,
and a job would run twice. Of such data it says that they are gone.
"""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from ..._errors import EngineError
from ..._records import Gone
from .connection import CONNECT, connected, unpublish

_PREFIX: Final = "jobdeck-result/"
_DEAD: Final = "the worker that kept it has died"
_KNOCK: Final = 3.0
"""Seconds for which a worker is tried before a result is fetched through the scheduler."""


def put(client: Any, job_id: str, run: str, body: bytes) -> None:
    """Keep a result in the memory of the worker that this is called on, until it is taken away.

    Dask moves it to disk where memory is short, and to another worker where this one is retired.

    Parameters
    ----------
    run
        Which of the job's runs: no two have the same data.
    """
    key = f"{_PREFIX}{job_id}/{run}"
    (future,) = client.scatter({key: body}, hash=False).values()
    client.publish_dataset(future, name=_name(job_id), override=True)


def kept(client: Any) -> set[str]:
    """Return the jobs whose results the scheduler knows."""
    return {str(name).removeprefix(_PREFIX) for name in client.list_datasets() if str(name).startswith(_PREFIX)}


def take_away(client: Any, job_ids: Iterable[str]) -> None:
    """Have the cluster forget results."""
    unpublish(client, map(_name, job_ids))


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
    future = client.get_dataset(_name(job_id), default=None)
    if future is None:
        return Gone("the scheduler that is there does not know it")
    holders = client.who_has([future]).get(future.key, ())
    if not holders:
        return Gone(_DEAD)
    # Straight from the worker, where that can be reached from here: a scheduler should not carry gigabytes.
    client.direct_to_workers = any(_answers(client, each) for each in holders)
    try:
        body = future.result(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
    except (TimeoutError, asyncio.TimeoutError):
        raise TimeoutError from None
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - Dask has many words for what is lost
        if not client.who_has([future]).get(future.key, ()):
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


def _name(job_id: str) -> str:
    return f"{_PREFIX}{job_id}"

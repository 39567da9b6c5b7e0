"""What travels between the agent and the workers: plain data, and two functions that need nothing to be opened."""

from __future__ import annotations

from typing import Any, Final, TypedDict

EVENT_BODY: Final = 65_536
"""Characters of a message that travels as an event; of a longer one the event tells the number, and it is fetched."""
EVENT_LOG: Final = 65_536
"""Bytes of captured output in one event."""


class Parcel(TypedDict):
    """A job on its way to a worker.

    Attributes
    ----------
    version
        Of the agent's jobdeck.
    sources
        Source texts by the names of their files, as JSON; empty where there are none.
    limit
        Bytes up to which a result comes back; a larger one is kept in the cluster. None for no limit.
    retries
        How often it may begin again after a worker died with it.
    """

    job: str
    name: str
    version: str
    topic: str
    program: bytes
    inputs: bytes
    sources: bytes
    timeout: float | None
    limit: int | None
    retries: int


class News(TypedDict, total=False):
    """What a worker tells of a job while it runs there. An event of the scheduler is a list of such news, packed.

    Attributes
    ----------
    job, run, worker
        The job, which of its runs this is, and the worker's address.
    messages
        ``[number, final, body]``; None in the place of a body that is too large to travel so.
    log
        Where in the captured output this piece begins, and the piece.
    begun
        The run is about to begin.
    end
        How it ended, where that is small enough; it is the task's result, too.
    """

    job: str
    run: str
    worker: str
    messages: list[tuple[int, bool, str | None]]
    progress: tuple[float, float | None, str | None]
    log: tuple[int, bytes]
    note: str
    begun: bool
    end: End


class End(TypedDict):
    """How a job's run on a worker ended. Packed it is the result of the job's task.

    Attributes
    ----------
    outcome : bytes or None
        As :func:`jobdeck.engines.local.inherited.handed` writes it.
    exit : dict
        The fields of an :class:`~jobdeck._status.Exit`.
    messages, log
        The number of the last message, and bytes of captured output.
    """

    run: str
    worker: str
    outcome: bytes | None
    exit: dict[str, Any]
    messages: int
    log: int


def topic_of(job_id: str) -> str:
    """Return under which name a scheduler knows the home of a job."""
    return f"jobdeck-{job_id.partition('-')[0]}"


def packed(said: Parcel | End | list[News]) -> bytes:
    """Return what travels as bytes, which Dask passes on as they are: it looks through all else at every step."""
    import msgpack  # type: ignore[import-untyped]

    return bytes(msgpack.packb(said, unicode_errors="surrogatepass"))


def unpacked(data: bytes) -> Any:
    """Return what `packed` packed, with tuples in the place of lists."""
    import msgpack

    return msgpack.unpackb(data, use_list=False, unicode_errors="surrogatepass", strict_map_key=True)


def key_of(job_id: str) -> str:
    """Return what Dask calls the task of a job."""
    # Dask keeps something of each kind of task for ever, and takes the words before the first number or mark for its
    # name: with the colon all jobs are of one kind.
    return f"jobdeck-job:{job_id}"


async def run_there(body: bytes) -> Any:
    """Run a job, of which this is the packed parcel, on the worker in whose event loop this is called."""
    import importlib

    import msgpack

    parcel = msgpack.unpackb(body, unicode_errors="surrogatepass")
    try:
        worker = importlib.import_module("jobdeck._worker")
    except ImportError as error:
        import sys

        version = sys.version.split()[0]
        raise RuntimeError(
            f"jobdeck {parcel['version']} is not installed on this worker (Python {version}): {error}"
        ) from None
    return await worker.run(parcel)


def ask_there(question: str, job: str, *details: Any) -> Any:
    """Ask the worker that this is called on about a job."""
    import importlib

    return importlib.import_module("jobdeck._worker").answer(question, job, *details)

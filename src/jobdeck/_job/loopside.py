"""News of a job for code in an asyncio event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from .live import News

if TYPE_CHECKING:
    from .handle import Job

_WAIT: Final = 5.0


@contextmanager
def wakener(job: Job[Any]) -> Iterator[Callable[[], Awaitable[None]]]:
    """Give a coroutine function that returns when there may be news since its last return."""
    loop = asyncio.get_running_loop()
    bell = asyncio.Event()

    def ring(_: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(bell.set)

    async def awake() -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(bell.wait(), _WAIT)
        bell.clear()

    with job._tapped(ring):
        job._service.follow(job)
        yield awake

"""How far a Dask graph has come, all of it, not what its results are made of alone."""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from .._by_value import by_value

_log = logging.getLogger(__name__)

_PATIENCE: Final = 30.0
_MOST_TASKS: Final = 100_000
"""Of a larger graph, the parts are counted."""
_SHARE: Final = 0.02
"""Of the scheduler's time that counting may take."""
_LEAST_PAUSE: Final = 0.3


def count(keys: Sequence[Any], most: int, scheduler: Any) -> tuple[int, int]:
    """Count the tasks that are done and all that some results depend on; no tasks if that is not known.

    A scheduler knows those that are over for as long as something depends on them. It need not have jobdeck: this
    travels whole.
    """
    done = 0
    left, seen = list(keys), set(keys)
    while left:
        task = scheduler.tasks.get(left.pop())
        if task is None or len(seen) > most:
            # The graph has not arrived yet, or is large.
            return 0, 0
        done += task.state not in ("waiting", "no-worker", "queued", "processing")
        for needed in task.dependencies:
            if needed.key not in seen:
                seen.add(needed.key)
                left.append(needed.key)
    return done, len(seen)


class GraphProgress:
    """Asks the scheduler how far it has come, as often as that is no burden.

    Parameters
    ----------
    client : distributed.Client
        Whose graph it is.
    keys
        Of its results.
    """

    def __init__(self, client: Any, keys: Sequence[Any]) -> None:
        self._client = client
        self._keys = list(keys)
        self._due = 0.0
        self._is_answered = True
        self.seen: tuple[int, int] | None = None
        """The tasks that were done, and all of them, when it was asked; None where that is not known."""

    def look(self) -> None:
        """Ask, if it is time."""
        begun = time.monotonic()
        if begun < self._due or not self._is_answered:
            return
        try:
            found = self._client.sync(self._ask, asynchronous=False, callback_timeout=_PATIENCE)
        except Exception:  # noqa: BLE001 - a scheduler that runs no functions, or is busy: the parts are counted then
            _log.debug("the scheduler does not count the tasks of a graph", exc_info=True)
            self._is_answered = False
            return
        self.seen = found or self.seen
        now = time.monotonic()
        self._due = now + max((now - begun) / _SHARE, _LEAST_PAUSE)

    async def _ask(self) -> tuple[int, int] | None:
        # As Dask's own progress bars ask: what is run on a scheduler otherwise is written to its log each time.
        comm = await sys.modules["distributed.comm"].connect(
            self._client.scheduler.address, **self._client.connection_args
        )
        try:
            function = functools.partial(by_value(count), self._keys, _MOST_TASKS)
            pickled = sys.modules["distributed.protocol.pickle"].dumps(function)
            await comm.write({"op": "feed", "setup": None, "function": pickled, "teardown": None, "interval": "100ms"})
            found = await comm.read()
        finally:
            comm.abort()
        done, total = found
        return (int(done), int(total)) if total else None

    def finish(self) -> None:
        """Take in that all of it is done."""
        if self.seen is not None:
            self.seen = (self.seen[1], self.seen[1])

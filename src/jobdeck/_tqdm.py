"""``jobdeck.tqdm``: tqdm that drives the job's progress, too. Needs tqdm, and is loaded on first use."""

from __future__ import annotations

import math
import threading
from typing import Any

from ._messenger import active

try:
    from tqdm import TMonitor  # type: ignore[import-untyped]  # it ships no types
    from tqdm import tqdm as _plain
except ImportError as exc:
    raise ImportError("jobdeck.tqdm needs tqdm: pip install tqdm") from exc


class tqdm(_plain):  # type: ignore[misc]  # tqdm has no types
    """A tqdm whose outermost bar drives the progress of the job that it runs in. Outside a job it is plain tqdm."""

    def display(self, msg: str | None = None, pos: int | None = None) -> Any:
        """Draw the bar, and report its state."""
        self._report()
        return super().display(msg, pos)

    def close(self) -> None:
        """Report the last state, and end the bar."""
        messenger = active()
        if not self.disable and not (messenger is not None and messenger.interrupted):
            self._report()
        super().close()

    def _report(self) -> None:
        messenger = active()
        if messenger is None or self.pos != 0:
            return
        if messenger.interrupted and isinstance(threading.current_thread(), TMonitor):
            # The cancel is for the program's own thread; it would only end tqdm's.
            return
        total = self.total
        if total is not None and not math.isfinite(total):
            total = None
        messenger.progress(max(self.n, 0), total, self.desc.removesuffix(": ") or None)

"""Jobs in marimo: its kernel is not IPython's, but it shows anywidgets by itself.

marimo asks the value of a cell for its ``_display_()`` and shows what that returns; ``marimo.output.append`` shows
something from within a cell. It opens a comm for each widget as that is made, and closes the comm when the cell that
has made it runs again. Nothing here imports marimo: where one of its notebooks runs, it is there.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._ports import Layout, Store
from .._service import JobService
from .._status import is_final
from ._widget import JobsWidget

_OLDEST: Final = (0, 24)
"""Before, marimo dropped what a widget sent from any thread but the one that runs cells."""


class MarimoWidget(JobsWidget):
    """The widget as marimo needs it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._cards: dict[str, bool] | None = None
        self._kept: int | frozenset[str] | None = None
        super().__init__(*args, **options)
        self._end_with_comm()

    def _send_frame(self, frame: Mapping[str, Any]) -> None:
        super()._send_frame(frame)
        # A page that is loaded again and an exported one are given the traits as they were last sent, and no frames.
        # All frames come from one thread; if the store cannot be read, the conversation begins again with another one.
        end = self._end_told_by(frame)
        if end is not None and end != self._kept:
            self.settle(self.snapshot(), self.deck())
            self._kept = end

    def _end_told_by(self, frame: Mapping[str, Any]) -> int | frozenset[str] | None:
        """Return which end of the jobs this frame tells, None while one of them is under way.

        What has ended once may be run again, and that may be over before the next frame: an end is told from another by
        the change number of a group's frame, which comes only if something has changed, or by which jobs the cards are.
        """
        if self._layout == "group":
            is_over = frame["type"] == "rows" and not _has_unfinished(frame["counts"])
            return int(frame["change"]) if is_over else None
        if frame["type"] not in {"snapshot", "delta"}:
            return None
        if self._cards is None:
            self._cards = _finals(self._snapshot["jobs"])
        if frame["type"] == "snapshot":
            self._cards = _finals(frame["jobs"])
        else:
            self._cards |= _finals(frame.get("added", ()))
            self._cards.update((job_id, True) for job_id, news in frame.get("jobs", {}).items() if news.get("final"))
            for job_id in frame.get("removed", ()):
                self._cards.pop(job_id, None)
        return frozenset(self._cards) if all(self._cards.values()) else None

    def _end_with_comm(self) -> None:
        """Close the widget when marimo closes its comm: else each run of a cell would leave a feed behind."""
        comm = self.comm

        def close(*_: object, **__: object) -> None:
            del comm.close  # behind it is the comm's own, which the widget calls
            self.close()

        comm.close = close


def element(store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> MarimoWidget | None:
    """Return a widget for the cell that runs; None where no notebook of marimo's does, or one too old for it."""
    marimo = _notebook()
    if marimo is None:
        return None
    if tuple(int(part) for part in marimo.__version__.split(".")[:2]) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        warnings.warn(
            f"jobs are live in marimo {oldest} and newer; this is {marimo.__version__}, which shows text", stacklevel=2
        )
        return None
    service = JobService.of(store.home)
    return MarimoWidget(store, service.follower, job_ids, layout, group_id=group_id, retry=service.retry_job)


def show(store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> bool:
    """Show jobs below what the cell that runs has shown so far; tell whether that is possible."""
    widget = element(store, job_ids, layout, group_id)
    if widget is None:
        return False
    sys.modules["marimo"].output.append(widget)
    return True


def _notebook() -> Any | None:
    """Return marimo where this thread runs a cell of it."""
    marimo = sys.modules.get("marimo")
    return marimo if marimo is not None and marimo.running_in_notebook() else None


def _has_unfinished(counts: Mapping[str, int]) -> bool:
    return any(count and not is_final(status) for status, count in counts.items())


def _finals(views: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    return {view["id"]: view["final"] for view in views}

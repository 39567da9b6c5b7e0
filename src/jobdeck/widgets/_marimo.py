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
        self._open: set[str] | None = None
        self._is_open = True
        super().__init__(*args, **options)
        self._end_with_comm()

    def _send_frame(self, frame: Mapping[str, Any]) -> None:
        super()._send_frame(frame)
        # A page that is loaded again and an exported one are given the traits as they were last sent, and no frames.
        if self._is_last(frame):
            self.settle(self.snapshot(), self.deck())

    def _is_last(self, frame: Mapping[str, Any]) -> bool:
        """Tell whether with this frame the last of the jobs has ended. All frames come from one thread."""
        if self._layout == "group":
            if frame["type"] != "rows":
                return False
            was_open, self._is_open = self._is_open, _has_unfinished(frame["counts"])
            return was_open and not self._is_open
        before = _unfinished(self._snapshot["jobs"]) if self._open is None else self._open
        if frame["type"] == "snapshot":
            self._open = _unfinished(frame["jobs"])
        elif frame["type"] == "delta":
            ended = {job_id for job_id, changes in frame.get("jobs", {}).items() if changes.get("final")}
            self._open = (before | _unfinished(frame.get("added", ()))) - ended - set(frame.get("removed", ()))
        else:
            return False
        return bool(before) and not self._open

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


def _unfinished(views: Sequence[Mapping[str, Any]]) -> set[str]:
    return {view["id"] for view in views if not view["final"]}

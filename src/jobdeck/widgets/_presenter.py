"""Shows jobs in the notebook of the kernel that this runs in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from .._feed import read_deck, read_group, read_snapshot
from .._ports import Layout, Presenter, Store
from .._service import JobService
from .._still import make_bundle
from . import _marimo
from ._commands import COMMANDS
from ._ending import ENDINGS, Output
from ._shell import current_shell
from ._widget import JobsWidget

_PATIENCE: Final = 10.0
"""Seconds that a page has for its first word, counted while the kernel is free to hear it. In JupyterLab the server
feeds the cards, and nobody looks at the widget."""


class NotebookPresenter:
    """The port `Presenter` for IPython kernels and marimo; elsewhere it prints plain text."""

    def display(self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> None:
        """Send a live output to the front end."""
        shell = current_shell()
        if shell is None:
            if not _marimo.show(store, job_ids, layout, group_id):
                print(_still(store, job_ids, layout, group_id)["text/plain"])
            return
        from IPython.display import display

        ENDINGS.attend(shell)
        COMMANDS.attend(shell, JobService.of(store.home))
        widget = self._widget(store, job_ids, layout, group_id)
        output = Output(shell, store, widget, layout, uuid.uuid4().hex, group_id)
        snapshot = widget.snapshot()
        bundle = make_bundle(
            snapshot, job_ids, layout, deck=widget.deck(), group=widget.group(), model_id=widget.model_id
        )
        display(bundle, raw=True, display_id=output.display_id)  # type: ignore[no-untyped-call]
        if layout == "deck":
            # There is always a job that may come: no last state is waited for.
            return
        follower = JobService.of(store.home).follower
        if layout == "group":
            ENDINGS.expect(output, follower)
            return

        def expect(ids: Sequence[str]) -> None:
            ENDINGS.expect(output, follower, ids)

        widget.on_jobs = expect
        expect([view["id"] for view in snapshot["jobs"] if not view["final"]])

    def mimebundle(
        self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None
    ) -> dict[str, Any]:
        """Return the same as data. Nothing updates it once it is shown, except through its widget."""
        shell = current_shell()
        if shell is None:
            return _still(store, job_ids, layout, group_id)
        ENDINGS.attend(shell)
        COMMANDS.attend(shell, JobService.of(store.home))
        widget = self._widget(store, job_ids, layout, group_id)
        return make_bundle(
            widget.snapshot(), job_ids, layout, deck=widget.deck(), group=widget.group(), model_id=widget.model_id
        )

    def element(self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> Any:
        """Return the same as an object that marimo shows."""
        return _marimo.element(store, job_ids, layout, group_id)

    def _widget(self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None) -> JobsWidget:
        service = JobService.of(store.home)
        began = time.monotonic()

        def may_rest() -> bool:
            return ENDINGS.idle_for > _PATIENCE and time.monotonic() - began > _PATIENCE

        return JobsWidget(
            store,
            service.follower,
            job_ids,
            layout,
            group_id=group_id,
            retry=service.retry_job,
            may_rest=may_rest,
        )


def _still(store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None) -> dict[str, Any]:
    deck = read_deck(store, group_id) if layout in ("deck", "group") else None
    group = None if group_id is None else read_group(store, group_id)
    return make_bundle(read_snapshot(store, job_ids), job_ids, layout, deck=deck, group=group)


@cache
def presenter() -> Presenter:
    """Return the process's presenter."""
    return NotebookPresenter()

"""The widget behind a cell's output: one model, whatever the number of jobs in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from .._errors import JobNotFoundError, StoreError
from .._feed import Conversation, read_group
from .._follow import Follower
from .._ports import Layout, Retry, Store
from .._wire import GroupView, Rows, Snapshot
from ._front_end import source

_log = logging.getLogger(__name__)


class JobsWidget(anywidget.AnyWidget):
    """Jobs in a cell's output: cards of some, a group, or the whole deck.

    The synced traits are the wire, not an interface. `_http` lets the view use the page's server. `_snapshot`, `_deck`
    of the whole deck and of a group, and `_group` are the state for a first paint; a page that is loaded again and a
    second one get it as it is by then, for it is read whenever a front end asks for the model's state. What happens
    meanwhile goes as custom messages, all of them from the feeds' thread.

    Parameters
    ----------
    store, follower
        Where the jobs are and who tells when they change.
    job_ids
        The jobs; none for the layouts ``"deck"`` and ``"group"``, in which the view itself chooses what to show as
        cards.
    layout
        ``"card"``, ``"list"``, ``"group"`` for the jobs of one group, or ``"deck"`` for all of the store, those to come
        included.
    group_id
        The group, with that layout.
    retry
        Runs a job again and returns the new id.
    may_rest
        Tells whether a page that showed the widget would have said so by now.

    Attributes
    ----------
    on_jobs : callable or None
        Called with the ids when a retry has added a job to them.
    """

    _esm = traitlets.Unicode().tag(sync=True, echo_update=False)
    _css = traitlets.Unicode().tag(sync=True, echo_update=False)
    _snapshot = traitlets.Dict().tag(sync=True, echo_update=False)
    _deck = traitlets.Dict(None, allow_none=True).tag(sync=True, echo_update=False)
    _group = traitlets.Dict(None, allow_none=True).tag(sync=True, echo_update=False)
    _layout = traitlets.Unicode("card").tag(sync=True, echo_update=False)
    _http = traitlets.Bool(True).tag(sync=True, echo_update=False)
    layout = traitlets.Any(None, allow_none=True).tag(sync=True)
    """None: ipywidgets would open a second comm for a model of margins and widths, which the view does not use."""

    def __init__(
        self,
        store: Store,
        follower: Follower,
        job_ids: Sequence[str],
        layout: Layout = "card",
        *,
        group_id: str | None = None,
        retry: Retry | None = None,
        may_rest: Callable[[], bool] | None = None,
    ) -> None:
        has_table = layout in ("deck", "group")
        bundle = "deck" if has_table else "card"
        esm, css = source(f"{bundle}.js"), source(f"{bundle}.css")
        self.on_jobs: Callable[[list[str]], None] | None = None
        self._store = store
        self._group_id = group_id
        self._conversation = Conversation(
            store,
            follower,
            self._send_frame,
            job_ids=job_ids,
            keeps_jobs=not has_table,
            retry=retry,
            origin="notebook",
            on_jobs=self._adopt,
            may_rest=may_rest,
            is_ready=False,
        )
        try:
            group = self.group()
            deck = self._conversation.begin_deck(group_id) if has_table else None
            snapshot = self._conversation.snapshot() if has_table else self._conversation.begin()
            super().__init__(_esm=esm, _css=css, _snapshot=snapshot, _deck=deck, _group=group, _layout=layout)
        except BaseException:
            self._conversation.close()
            raise
        self.on_msg(self._receive)
        # What is sent before there is a comm is lost.
        self._conversation.resume()

    @property
    def job_ids(self) -> list[str]:
        """The jobs that are shown as cards, with those that a retry has added."""
        return self._conversation.job_ids

    def snapshot(self) -> Snapshot:
        """Read the jobs as they are now."""
        return self._conversation.snapshot()

    def deck(self) -> Rows | None:
        """Read the first frame of the deck or the group as it is now; None of a widget about some jobs."""
        return self._conversation.deck() if self._layout in ("deck", "group") else None

    def group(self) -> GroupView | None:
        """Read the group as it is now, None where the widget is about none. JobNotFoundError if it is gone."""
        return None if self._group_id is None else read_group(self._store, self._group_id)

    def settle(self, snapshot: Mapping[str, Any], deck: Mapping[str, Any] | None = None) -> None:
        """Tell the last state to front ends that keep the widget's traits, such as a saved notebook's."""
        self._snapshot = dict(snapshot)
        if deck is not None:
            self._deck = dict(deck)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the model's state with the jobs as they are now (see `ipywidgets.Widget.get_state`)."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        # Without a comm the state is that of the first paint, read a moment ago; a single trait is our own update.
        if "_snapshot" in state and self.comm is not None and key is None:
            try:
                state |= {"_snapshot": self.snapshot(), "_deck": self.deck(), "_group": self.group()}
            except (StoreError, JobNotFoundError):
                _log.exception("the store cannot be read just now: a page gets an older state of its jobs")
        return state

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Ignore state from a browser: it may ask for something, but what a job is the store alone says."""

    def close(self) -> None:
        """End the conversation, then the model."""
        conversation = getattr(self, "_conversation", None)
        if conversation is not None:
            conversation.close()
        super().close()

    def _adopt(self, job_ids: list[str]) -> None:
        if self.on_jobs is not None:
            self.on_jobs(job_ids)

    def _send_frame(self, frame: Mapping[str, Any]) -> None:
        self.send(frame)

    def _receive(self, _widget: object, content: object, _buffers: object) -> None:
        self._conversation.receive(content)

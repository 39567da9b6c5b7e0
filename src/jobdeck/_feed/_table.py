"""The deck: all jobs of a store, or of one group, as rows, for a view that filters and sorts them by itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from .._follow import Follower, Subscription, Update
from .._ports import Store
from .._records import JobQuery, JobRecord, LastWords
from .._status import FINAL, JobStatus, is_final
from .._version import __version__
from .._wire import MORE_ROWS, PROTOCOL, GroupView, JobRow, Rows
from ._groups import groups_of, read_groups
from ._readings import First, News, Page
from ._rows import row_changes, word_keys

_INTERVAL: Final = 0.033
"""Seconds between frames that tell changes, so that half of them are on the screen within 50 ms."""
_SLOWEST_INTERVAL: Final = 0.25
_JOB_RATE: Final = 2_000
"""Bytes a second that a job under way may cost while frames can be put off for it, by at most `_SLOWEST_INTERVAL`."""
_LOAD_INTERVAL: Final = 0.03
"""Seconds between frames with older rows, so that others get their turn."""
_RETRY_INTERVAL: Final = 1.0
_NOT_BEGUN: Final = (JobStatus.INITIALIZING.value, JobStatus.QUEUED.value)
_NOT_UNDER_WAY: Final = (*_NOT_BEGUN, *(status.value for status in FINAL))


def read_deck(store: Store, group_id: str | None = None) -> Rows:
    """Read a deck's first frame alone: for a view that is not told what changes."""
    return _first_frame(First.read(store, group_id), 0)


class _Asked(NamedTuple):
    """What a view knows that asks for the deck."""

    store_id: str | None = None
    since: int | None = None
    group_id: str | None = None


class _Told(NamedTuple):
    """A job that has not ended, as the view has it.

    The row is kept as its JSON: ten thousand jobs that wait take a quarter of the memory so. The inputs, from which
    some of its numbers come, are kept of jobs that have begun: others say nothing.
    """

    text: str
    inputs: Mapping[str, str] | None

    @classmethod
    def of(cls, row: JobRow, inputs: Mapping[str, str] | None) -> _Told:
        return cls(json.dumps(row, separators=(",", ":")), inputs)

    @property
    def row(self) -> JobRow:
        return cast("JobRow", json.loads(self.text))


@dataclass
class _Step:
    """What a frame tells."""

    rows: dict[str, JobRow] = field(default_factory=dict)
    changes: dict[str, dict[str, object]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    groups: list[GroupView] = field(default_factory=list)

    def parts(self) -> Rows:
        parts: Rows = {}
        if self.rows:
            parts["rows"] = sorted(self.rows.values(), key=lambda row: row["number"], reverse=True)
        if self.changes:
            parts["changes"] = self.changes
        if self.removed:
            parts["removed"] = list(self.removed)
        if self.groups:
            parts["groups"] = self.groups
        return parts


class Table:
    """Tells a view of all jobs, or of those of a group: the newest first, the older ones after them, then what changes.

    A part of a `Conversation`. Apart from the rows of jobs that have not ended it keeps nothing of the store: the
    follower only says that something happened, and what it was is read when the frame is made. So a slow consumer
    costs nothing, and a frame that could not be read is read again.

    Parameters
    ----------
    store, follower
        Where the jobs are and who tells when they change.
    wake
        Called when there may be something to send.
    shortest_interval
        Returns the seconds that have to lie between frames for the sake of others.
    """

    def __init__(
        self, store: Store, follower: Follower, wake: Callable[[], None], shortest_interval: Callable[[], float]
    ) -> None:
        self._store = store
        self._follower = follower
        self._wake = wake
        self._shortest_interval = shortest_interval
        self._lock = threading.Lock()
        self._subscription: Subscription | None = None
        self._asked: _Asked | None = None
        self._has_moved = False
        self._grown: set[str] = set()
        self._trouble: str | None = None
        self._told: dict[str, _Told] = {}
        self._told_groups: set[str] = set()
        self._group_id: str | None = None
        self._store_id = ""
        self._since = 0
        self._below = 0
        self._wants_older = False
        self._counts: Mapping[str, int] = {}
        self._seq = -1
        self._not_before = 0.0
        self._paced = 0.0
        self._weight = 0.0

    @property
    def trouble(self) -> str | None:
        """Why the store cannot be read just now."""
        return self._trouble

    @property
    def is_on(self) -> bool:
        """Tell whether a view follows."""
        return self._asked is not None or self._subscription is not None

    # --- the view's side; called in the conversation's turn

    def begin(self, group_id: str | None = None) -> Rows:
        """Follow the deck from now on and return its first frame; older rows follow only when they are asked for."""
        self._group_id = group_id
        frame = self._begin_anew()
        self._wants_older = False
        return frame

    def first(self) -> Rows:
        """Read the first frame as it is now; changes go on from it, though some may be told once more."""
        return _first_frame(First.read(self._store, self._group_id), max(0, self._seq))

    def ask(self, store_id: str | None, since: int | None, group_id: str | None = None) -> None:
        """Answer with all rows, those of a group alone if one is named, or with what changed since that number."""
        self._asked = _Asked(store_id, since, group_id)
        self._not_before = 0.0

    def rest(self) -> None:
        """Follow nothing any more."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        self._asked = None
        self._told, self._told_groups = {}, set()
        with self._lock:
            self._has_moved, self._grown, self._trouble = False, set(), None

    # --- the follower's side

    def _hear(self, update: Update) -> None:
        with self._lock:
            # After trouble, whatever happened meanwhile has to be looked for.
            if update.jobs or update.deleted or update.groups or update.trouble != self._trouble:
                self._has_moved = True
            self._trouble = update.trouble
            self._grown |= update.seqs.keys()
        self._wake()

    # --- the conversation's side

    def due(self) -> float | None:
        """Return when the next frame is due, None if there is nothing to tell."""
        if self._asked is not None:
            return self._not_before
        if self._subscription is None:
            return None
        if self._is_loading:
            return max(self._not_before, self._paced + _LOAD_INTERVAL)
        with self._lock:
            has_news = self._has_moved or bool(self._grown)
        if not has_news:
            return None
        return max(self._not_before, self._paced + self._interval())

    def step(self) -> Rows | None:
        """Return the frame that is due."""
        interval = self._interval()
        frame = self._go_on() if self._asked is None else self._answer(self._asked)
        self._asked = None
        with self._lock:
            self._trouble = None
        if frame is not None:
            now = time.monotonic()
            self._paced = max(self._paced + interval, now - interval)
        return frame

    def begin_again(self, words: str | None) -> None:
        """Take it that the last step failed: for `words`, which the view is told, or in a way that nobody foresaw."""
        self._not_before = time.monotonic() + _RETRY_INTERVAL
        if words is None:
            self._asked = _Asked(group_id=self._group_id)
        with self._lock:
            self._trouble = words or self._trouble

    # --- frames

    @property
    def _is_loading(self) -> bool:
        return self._wants_older and self._below > 0

    def _interval(self) -> float:
        return max(_INTERVAL, self._weight, self._shortest_interval())

    def _answer(self, asked: _Asked) -> Rows:
        self._follow()
        self._group_id = asked.group_id
        if asked.since is None or asked.store_id != self._store.store_id:
            return self._begin_anew()
        changes = self._store.changes(asked.since, MORE_ROWS)
        if not changes.complete or changes.number < asked.since:
            return self._begin_anew()
        # Messages are no changes of a row: whatever is under way may have told something.
        under_way = self._store.jobs(JobQuery(without=_NOT_UNDER_WAY, group_id=self._group_id))
        with self._lock:
            self._grown |= {record.job_id for record in under_way}
        self._told, self._told_groups, self._store_id = {}, set(), self._store.store_id
        self._since, self._below, self._wants_older = asked.since, 0, True
        return self._go_on(is_answer=True) or self._begin_anew()

    def _begin_anew(self) -> Rows:
        self._follow()
        first = First.read(self._store, self._group_id)
        self._store_id, self._since, self._counts = first.store_id, first.number, first.counts
        self._below, self._wants_older = first.page.below, True
        self._told, self._told_groups = {}, {group["id"] for group in first.groups}
        self._remember(zip(first.page.records, first.page.rows, strict=True))
        with self._lock:
            self._has_moved = True
        self._seq = 0
        return _first_frame(first, 0)

    def _follow(self) -> None:
        # Follow first, read then: what happens in between comes twice rather than never, and changes nothing then.
        if self._subscription is None:
            self._subscription = self._follower.subscribe(self._hear, job_ids=None)

    def _go_on(self, *, is_answer: bool = False) -> Rows | None:
        """Return what is new and some of the older rows; None if there is neither, except in an answer."""
        with self._lock:
            grown, self._grown = self._grown, set()
            self._has_moved = False
        try:
            begun = {job_id for job_id, told in self._told.items() if told.inputs is not None} if grown else frozenset()
            news = News.read(self._store, self._since, grown, begun, self._group_id)
            page = Page.read(self._store, self._below, group_id=self._group_id) if self._is_loading else None
            counts = self._store.tally(self._group_id).counts if news.has_moved or is_answer else self._counts
            if self._store.store_id != self._store_id or news.changes.number < self._since:
                return self._begin_anew()
        except BaseException:
            with self._lock:
                self._grown |= grown
                self._has_moved = True
            raise
        with self._lock:
            self._grown |= news.unread
            self._has_moved |= news.changes.more
        step = self._step(news, page)
        self._since, self._counts = news.changes.number, counts
        parts = step.parts()
        if not (parts or page or is_answer):
            return None
        self._seq = 0 if is_answer else self._seq + 1
        if step.changes:
            # A dict's repr is about as long as its JSON.
            self._weight = min(_SLOWEST_INTERVAL, len(repr(step.changes)) / (_JOB_RATE * self._count_under_way()))
        frame = _head(self._seq, self._store_id, self._since, counts)
        frame["more"] = self._below > 0
        return cast("Rows", {**frame, **parts})

    def _step(self, news: News, page: Page | None) -> _Step:
        step = _Step(removed=news.changes.deleted)
        for record, row in news.rows:
            told = self._told.get(record.job_id)
            if told is None:
                if row["number"] >= self._below:  # others come with the older rows
                    step.rows[record.job_id] = row
            elif changes := row_changes(told.row, row):
                step.changes[record.job_id] = changes
        for job_id, words in news.words.items():
            inputs = self._told[job_id].inputs or {}
            before = self._told[job_id].row
            row = _with_words(before, inputs, words)
            if changes := row_changes(before, row):
                step.changes[job_id] = changes
                self._told[job_id] = _Told.of(row, inputs)
        self._remember(news.rows)
        for job_id in news.changes.deleted:
            self._told.pop(job_id, None)
        if page is not None:
            self._below = page.below
            step.rows.update((row["id"], row) for row in page.rows)
            self._remember(zip(page.records, page.rows, strict=True))
        step.groups = self._groups_to_tell(news, page)
        return step

    def _groups_to_tell(self, news: News, page: Page | None) -> list[GroupView]:
        """Return the groups that changed, and those of rows that the view has got none of so far."""
        changed = {group["id"] for group in news.groups}
        met = groups_of(record for record, _ in news.rows) | groups_of(page.records if page else ())
        strangers = read_groups(self._store, met - changed - self._told_groups)
        # Those that are gone by now are not asked for again and again.
        self._told_groups |= changed | met
        return [*news.groups, *strangers]

    def _count_under_way(self) -> int:
        """Return how many jobs share what a frame may cost; those that do not change in it have something left over."""
        return max(1, sum(told.inputs is not None for told in self._told.values()))

    def _remember(self, rows: Iterable[tuple[JobRecord, JobRow]]) -> None:
        """Keep the rows of jobs that will change: those that the view has and that have not ended."""
        for record, row in rows:
            if is_final(record.status) or record.number < self._below:
                self._told.pop(record.job_id, None)
            else:
                inputs = None if record.status in _NOT_BEGUN else record.inputs_preview
                self._told[record.job_id] = _Told.of(row, inputs)


def _with_words(row: JobRow, inputs: Mapping[str, str], words: LastWords) -> JobRow:
    """Return a row with what its job has said last."""
    keys = word_keys(inputs, row.get("interim_count", 0), words)
    kept = {key: value for key, value in row.items() if key not in {"interim_count", "latest", "values"}}
    return cast("JobRow", {**kept, **keys})


def _first_frame(first: First, seq: int) -> Rows:
    frame = _head(seq, first.store_id, first.number, first.counts)
    frame |= {"reset": True, "more": first.page.below > 0, "rows": first.page.rows}
    if first.groups:
        frame["groups"] = first.groups
    return frame


def _head(seq: int, store_id: str, change: int, counts: Mapping[str, int]) -> Rows:
    return {
        "type": "rows",
        "protocol": PROTOCOL,
        "version": __version__,
        "seq": seq,
        "store_id": store_id,
        "now": round(time.time(), 3),
        "change": change,
        "reset": False,
        "more": False,
        "total": sum(counts.values()),
        "counts": dict(counts),
    }

"""A store, its follower, a second connection that writes as a job does, and a view that keeps what it gets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from jobdeck._feed import Conversation
from jobdeck._follow import Follower
from jobdeck._records import NewJob
from jobdeck.store import SQLiteStore, open_store


class View:
    """The other end of a feed: keeps its frames as they would travel, and when they came."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.times: list[float] = []
        self.takes_more = True
        self.threads: set[str] = set()

    def take(self, frame: Mapping[str, Any]) -> bool:
        text = json.dumps(frame, separators=(",", ":"), allow_nan=False)
        self.frames.append(json.loads(text))
        self.texts.append(text)
        self.times.append(time.monotonic())
        self.threads.add(threading.current_thread().name)
        return self.takes_more

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def rows(self, job_id: str) -> list[list[Any]]:
        """All messages that came for a job, in the order in which they came."""
        return [row for frame in self.frames for row in messages_of(frame).get(job_id, [])]

    def log(self, job_id: str) -> list[dict[str, Any]]:
        return [chunk for frame in self.frames for id_, chunk in frame.get("logs", {}).items() if id_ == job_id]

    def job(self, job_id: str) -> dict[str, Any]:
        """What the view knows of a job by now."""
        known: dict[str, Any] = {}
        for frame in self.frames:
            if frame["type"] == "snapshot":
                known = {}
            views = frame["jobs"] if frame["type"] == "snapshot" else frame.get("added", [])
            known = next((dict(view) for view in views if view["id"] == job_id), known)
            if frame["type"] == "delta":
                known.update(frame.get("jobs", {}).get(job_id, {}))
            if rows := messages_of(frame).get(job_id):
                known["interim_count"] = rows[-1][0]
        return known


def messages_of(frame: Mapping[str, Any]) -> dict[str, list[list[Any]]]:
    return (frame.get("messages") or {}) if frame["type"] in {"snapshot", "delta"} else {}


@pytest.fixture
def writer(home: Any, store: SQLiteStore) -> Iterator[SQLiteStore]:
    """Another connection to the same store, as a job's own process has it."""
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def follower(store: SQLiteStore) -> Iterator[Follower]:
    following = Follower(store)
    yield following
    following.close()


@pytest.fixture
def add(writer: SQLiteStore) -> Callable[..., str]:
    """Add a job and return its id; it runs unless ``run=False``."""

    def add_one(name: str = "job", *, run: bool = True, **more: Any) -> str:
        record = writer.add_job(NewJob(name=name, engine="local", program=b"", inputs=b"", context=b"{}", **more))
        if run:
            writer.claim("local", "agent", 1)
        return record.job_id

    return add_one


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def converse(store: SQLiteStore, follower: Follower, view: View) -> Iterator[Callable[..., Conversation]]:
    """Open a conversation with `view`, or another; all are closed afterwards, and none may leave a thread."""
    opened: list[Conversation] = []

    def open_one(to: View = view, **more: Any) -> Conversation:
        conversation = Conversation(store, follower, to.take, **more)
        opened.append(conversation)
        return conversation

    yield open_one
    for conversation in opened:
        conversation.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "jobdeck-feeds"]


@pytest.fixture
def open_feed(converse: Callable[..., Conversation]) -> Callable[..., Conversation]:
    """Open a conversation about some jobs whose view asks for a snapshot."""

    def open_one(job_ids: list[str], **more: Any) -> Conversation:
        conversation = converse(job_ids=job_ids, **more)
        conversation.receive({"type": "resync"})
        return conversation

    return open_one


class DeckView(View):
    """A view of the deck, or of a group: keeps rows and groups as the wire says that they are to be kept."""

    conversation: Conversation

    def __init__(self, group: str | None = None) -> None:
        super().__init__()
        self.group = group
        self.groups: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, dict[str, Any]] = {}  # type: ignore[assignment]
        self.is_complete = False
        self.missed = 0
        self.change = -1
        self.store_id = ""
        self._seq = -1

    def take(self, frame: Mapping[str, Any]) -> bool:
        takes_more = super().take(frame)
        if frame["type"] == "rows":
            self._apply(self.frames[-1])
        return takes_more

    def _apply(self, frame: dict[str, Any]) -> None:
        if frame["seq"] not in {0, self._seq + 1}:
            self.missed += 1
        self._seq = frame["seq"]
        if frame["reset"]:
            self.rows, self.groups = {}, {}
        self.groups.update((group["id"], group) for group in frame.get("groups", []))
        rows = {**self.rows, **{row["id"]: row for row in frame.get("rows", [])}}
        for job_id, changes in frame.get("changes", {}).items():
            if job_id in rows:
                row = {**rows[job_id], **changes}
                rows[job_id] = {key: value for key, value in row.items() if value is not None}
        for job_id in frame.get("removed", []):
            rows.pop(job_id, None)
        self.rows = dict(sorted(rows.items(), key=lambda item: item[1]["number"], reverse=True))
        self.store_id, self.is_complete = frame["store_id"], not frame["more"]
        self.change = frame["change"] if self.is_complete else -1

    @property
    def request(self) -> dict[str, Any]:
        """What this view asks to go on from where it is."""
        return {
            "type": "deck",
            "on": True,
            **({"group": self.group} if self.group is not None else {}),
            **({"store_id": self.store_id, "since": self.change} if self.change >= 0 else {}),
        }


@pytest.fixture
def open_deck(converse: Callable[..., Conversation]) -> Callable[..., DeckView]:
    """Open a conversation whose view asks for the deck, and return that view."""

    def open_one(view: DeckView | None = None, **more: Any) -> DeckView:
        view = view or DeckView()
        view.conversation = converse(view, **more)
        view.conversation.receive(view.request)
        return view

    return open_one

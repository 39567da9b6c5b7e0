"""In marimo the traits of a widget keep the last state of its jobs: a page that comes later is given nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from jobdeck._errors import StoreError
from jobdeck._follow import Follower
from jobdeck._records import NewGroup, NewJob
from jobdeck.store import SQLiteStore
from jobdeck.widgets._marimo import MarimoWidget

Show = Callable[..., MarimoWidget]


class HeldUp:
    """Holds the follower up, from before a look until it may go on."""

    def __init__(self) -> None:
        self._came, self._may_go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self._came.set()
        assert self._may_go_on.wait(30)

    def wait(self) -> None:
        assert self._came.wait(10)

    def end(self) -> None:
        self._may_go_on.set()


@pytest.fixture
def held_up() -> Iterator[HeldUp]:
    made = HeldUp()
    yield made
    made.end()


@pytest.fixture
def follower(store: SQLiteStore) -> Iterator[Follower]:
    following = Follower(store)
    yield following
    following.close()


@pytest.fixture
def show(store: SQLiteStore, follower: Follower) -> Iterator[Show]:
    """Show jobs, or their group, as a cell in marimo does."""
    made: list[MarimoWidget] = []

    def show_them(ids: list[str], layout: str, by: Follower = follower, of: type[MarimoWidget] = MarimoWidget):
        group_id = store.job(ids[0]).group_id if layout == "group" else None
        made.append(of(store, by, () if group_id else ids, layout, group_id=group_id))
        return made[-1]

    yield show_them
    for widget in made:
        widget.close()


def add_jobs(store: SQLiteStore, count: int, group_id: str | None = None) -> list[str]:
    """Add jobs of an engine that nobody runs, to a group."""
    group_id = group_id or store.add_group(NewGroup("sweep", "scan")).group_id
    new = [NewJob(f"scan[{place}]", "none", b"p", b"i", b"{}", group_id=group_id) for place in range(count)]
    return [job.job_id for job in store.add_jobs(new)]


def kept(widget: MarimoWidget) -> list[str]:
    """The statuses in what a page would be given that comes now."""
    views = widget._snapshot["jobs"] if widget._deck is None else widget._deck["rows"]
    return sorted(view["status"] for view in views)


LAYOUTS = pytest.mark.parametrize("layout", ["group", "list"])


@LAYOUTS
def test_the_last_state_is_kept_and_none_before(layout, store, show, until):
    ids = add_jobs(store, 3)
    widget = show(ids, layout)
    store.ask_many(ids[:2], "cancel", "test")
    read = widget.deck if layout == "group" else widget.snapshot
    until(lambda: str(read()).count("'CANCELLED'") >= 2)
    assert kept(widget) == ["QUEUED"] * 3
    store.ask(ids[2], "cancel", "test")
    until(lambda: kept(widget) == ["CANCELLED"] * 3)


def test_the_end_of_a_group_is_kept_also_if_it_comes_before_the_follower_has_looked(store, show, held_up, until):
    ids, (other,) = add_jobs(store, 3), add_jobs(store, 1)
    follower = Follower(store, check_owners=held_up)
    follower.subscribe(lambda update: None, job_ids=[other])
    held_up.wait()
    widget = show(ids, "group", follower)
    # The feeds' thread has looked for what happened since the first paint, and found nothing.
    until(lambda: widget._conversation.due() is None)
    store.ask_many([other, *ids], "cancel", "test")
    held_up.end()
    until(lambda: kept(widget) == ["CANCELLED"] * 3)
    widget.close()
    follower.close()


def test_what_a_retry_came_to_is_kept_also_if_no_frame_has_told_that_it_was_under_way(store, show, until):
    ids = add_jobs(store, 2)
    widget = show(ids, "group")
    store.ask_many(ids, "cancel", "test")
    until(lambda: kept(widget) == ["CANCELLED"] * 2)
    with widget._conversation._turn_lock:  # no frame leaves meanwhile
        store.ask_many(add_jobs(store, 1, store.job(ids[0]).group_id), "cancel", "test")
    until(lambda: kept(widget) == ["CANCELLED"] * 3)


@LAYOUTS
def test_the_last_state_is_kept_later_if_the_store_cannot_be_read_just_then(layout, store, show, until, monkeypatch):
    monkeypatch.setattr("jobdeck._feed._table._RETRY_INTERVAL", 0.05)
    monkeypatch.setattr("jobdeck._feed._feed._RETRY_INTERVAL", 0.05)
    failures = [StoreError("the store cannot be read just now")] * 2

    class Unlucky(MarimoWidget):
        def snapshot(self):
            if failures:
                raise failures.pop()
            return super().snapshot()

    ids = add_jobs(store, 2)
    widget = show(ids, layout, of=Unlucky)
    store.ask_many(ids, "cancel", "test")
    until(lambda: kept(widget) == ["CANCELLED"] * 2)
    assert not failures

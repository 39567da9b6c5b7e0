"""Groups on the deck: told with the first of their rows, and again when they change; and a deck of one group alone."""

from __future__ import annotations

import json

import pytest

from jobdeck._feed import read_deck, read_group
from jobdeck._records import NewGroup, NewJob
from jobdeck._wire import FIRST_ROWS, GROUP_ROWS, MORE_ROWS

from .conftest import DeckView


@pytest.fixture
def add_group(writer):
    """Add a group of jobs and return it with their ids."""

    def add(count, name="scan", **more):
        group = writer.add_group(NewGroup("map", name, total=count, **more))
        new = [
            NewJob(f"{name}[{place}]", "local", b"", b"", b"{}", group_id=group.group_id, place=place)
            for place in range(count)
        ]
        return group, [job.job_id for job in writer.add_jobs(new)]

    return add


def test_a_group_is_told_once_with_the_first_of_its_rows(add_group, add, open_deck, until):
    add_group(MORE_ROWS + 5, "old")
    new, ids = add_group(FIRST_ROWS + 5, "new", tags=("h2",))
    deck = open_deck()
    until(lambda: deck.is_complete)
    first, *later = deck.frames
    assert first["groups"] == [
        {
            "id": new.group_id,
            "kind": "map",
            "name": "new",
            "tags": ["h2"],
            "total": FIRST_ROWS + 5,
            "created": round(new.created, 3),
        }
    ]
    assert [[group["name"] for group in frame.get("groups", [])] for frame in later] == [["old"], []]
    assert deck.rows[ids[0]]["group"] == new.group_id


def test_a_new_group_and_its_jobs_reach_a_view_that_follows(add_group, open_deck, until):
    deck = open_deck()
    until(lambda: deck.is_complete)
    group, ids = add_group(3)
    until(lambda: len(deck.rows) == 3)
    assert list(deck.groups) == [group.group_id]
    assert list(deck.rows) == ids[::-1]


def test_a_group_that_gets_another_name_is_told_again(add_group, writer, open_deck, until):
    group, _ = add_group(1)
    deck = open_deck()
    until(lambda: deck.is_complete)
    writer.update_group(group.group_id, name="bond scan", tags=["h2"])
    until(lambda: deck.groups[group.group_id]["name"] == "bond scan")
    assert deck.groups[group.group_id] == json.loads(json.dumps(read_group(writer, group.group_id)))
    assert "rows" not in deck.frames[-1]


def test_a_view_that_was_cut_off_is_told_the_groups_of_the_rows_that_changed(add_group, writer, open_deck, until):
    _, ids = add_group(2)
    other, _ = add_group(1, "other")
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.conversation.close()
    writer.update_group(other.group_id, name="another")
    writer.ask(ids[0], "cancel", "test")
    back = DeckView()
    back.change, back.store_id = deck.change, deck.store_id
    open_deck(back)
    until(lambda: back.is_complete)
    assert sorted(view["name"] for view in back.groups.values()) == ["another", "scan"]
    assert list(back.rows) == [ids[0]]


def test_a_deck_of_one_group_has_its_rows_alone(add_group, add, open_deck, until):
    group, ids = add_group(GROUP_ROWS + MORE_ROWS + 2)
    add("alone", run=False)
    add_group(2, "other")
    deck = open_deck(DeckView(group.group_id))
    until(lambda: deck.is_complete)
    assert list(deck.rows) == ids[::-1]
    assert list(deck.groups) == [group.group_id]
    assert [len(frame["rows"]) for frame in deck.frames[:3]] == [GROUP_ROWS, MORE_ROWS, 2]
    assert {(frame["total"], frame["counts"]["QUEUED"]) for frame in deck.frames} == {(len(ids), len(ids))}


def test_a_deck_of_one_group_hears_of_its_own_jobs_alone(add_group, add, writer, open_deck, until):
    group, (first, second) = add_group(2)
    deck = open_deck(DeckView(group.group_id))
    until(lambda: deck.is_complete)
    told = len(deck.frames)
    stranger = add("alone", run=False)
    (claimed,) = writer.claim("local", "agent", 1)
    assert claimed.job_id == first
    writer.add_message(first, '{"energy": -1.1}')
    until(lambda: deck.rows[first].get("latest"))
    writer.ask(stranger, "cancel", "test")
    writer.ask(second, "cancel", "test")
    until(lambda: deck.rows[second]["status"] == "CANCELLED")
    assert set(deck.rows) == {first, second}
    assert stranger not in "".join(deck.texts[told:])
    assert deck.frames[-1]["counts"] == {"RUNNING": 1, "CANCELLED": 1}


def test_a_view_of_a_group_that_was_cut_off_catches_up_with_it_alone(add_group, add, writer, open_deck, until):
    group, (first, _) = add_group(2)
    deck = open_deck(DeckView(group.group_id))
    until(lambda: deck.is_complete)
    deck.conversation.close()
    writer.ask(first, "cancel", "test")
    add("alone", run=False)
    back = DeckView(group.group_id)
    back.change, back.store_id = deck.change, deck.store_id
    open_deck(back)
    until(lambda: back.is_complete)
    assert {job_id: row["status"] for job_id, row in back.rows.items()} == {first: "CANCELLED"}


def test_a_view_goes_from_one_group_to_another_and_to_all_jobs(add_group, open_deck, until):
    one, ids = add_group(1, "one")
    other, others = add_group(1, "other")
    deck = open_deck(DeckView(one.group_id))
    until(lambda: deck.is_complete)
    for group, expected in ((other.group_id, others), (None, [*others, *ids])):
        deck.conversation.receive({"type": "deck", "on": True, "group": group})
        until(lambda expected=expected: list(deck.rows) == expected)


def test_the_first_frame_of_a_group_is_read_for_a_view_that_is_told_no_more(add_group, add, store):
    group, ids = add_group(2)
    add("alone", run=False)
    frame = read_deck(store, group.group_id)
    assert [row["id"] for row in frame["rows"]] == ids[::-1]
    assert (frame["total"], frame["counts"]) == (2, {"QUEUED": 2})
    assert frame["groups"] == [read_group(store, group.group_id)]


def test_a_group_that_is_gone_is_an_empty_deck(open_deck, until):
    deck = open_deck(DeckView("aaaaaa-g222222222222"))
    until(lambda: deck.is_complete)
    assert (deck.rows, deck.groups, deck.frames[-1]["total"]) == ({}, {}, 0)


def test_a_tag_or_name_of_any_length_travels_short(add_group, writer):
    group, _ = add_group(1, "x" * 5_000, tags=("y" * 5_000, *map(str, range(50))))
    assert len(json.dumps(read_group(writer, group.group_id))) < 1_000

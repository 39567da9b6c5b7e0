"""A view of the whole deck has every job of the store as it is: at once the newest, then all, then what changes."""

from __future__ import annotations

import json
import random
import threading

import pytest

from jobdeck._errors import JobError
from jobdeck._feed import read_deck
from jobdeck._feed._rows import read_rows
from jobdeck._records import JobQuery, NewJob, Outcome
from jobdeck._status import Exit
from jobdeck._wire import FIRST_ROWS, MORE_ROWS
from jobdeck.store import open_store

from .conftest import DeckView


def rows_of(store):
    """Every row as a view has to have it, read from the store at one go."""
    rows = read_rows(store, store.jobs(JobQuery()))
    return {row["id"]: row for row in json.loads(json.dumps(rows))}


def finish(store, job_id, **outcome):
    store.set_outcome(job_id, Outcome(ok=True, **outcome))
    store.finish({job_id: Exit(code=0)})


def test_a_deck_begins_with_the_newest_jobs_and_the_older_ones_follow(add, open_deck, until):
    ids = [add(f"job {number}", run=False) for number in range(MORE_ROWS + FIRST_ROWS + 3)]
    deck = open_deck()
    until(lambda: deck.is_complete)
    first, second, third = deck.frames[:3]
    assert [row["id"] for row in first["rows"]] == ids[: -FIRST_ROWS - 1 : -1]
    assert [len(second["rows"]), len(third["rows"])] == [MORE_ROWS, 3]
    assert [frame["seq"] for frame in deck.frames] == list(range(len(deck.frames)))
    assert [frame["more"] for frame in deck.frames[:3]] == [True, True, False]
    assert (first["reset"], first["total"], first["counts"]) == (True, len(ids), {"QUEUED": len(ids)})
    assert list(deck.rows) == ids[::-1]


def test_a_row_tells_what_a_table_needs_and_leaves_out_what_says_nothing(add, writer, open_deck, until):
    job_id = add("vqe", tags=("h2",), inputs_preview={"bond": "0.74", "basis": "'sto-3g'"}, group_id="g")
    writer.add_message(job_id, '{"iteration": 3, "energy": -1.1}')
    writer.set_progress(job_id, 1, 4, "first")
    deck = open_deck()
    until(lambda: deck.rows)
    row = dict(deck.rows[job_id])
    assert row.pop("created") <= row.pop("started")
    assert row == {
        "id": job_id,
        "number": 1,
        "name": "vqe",
        "engine": "local",
        "status": "RUNNING",
        "tags": ["h2"],
        "inputs": {"bond": "0.74", "basis": "'sto-3g'"},
        "progress": {"done": 1.0, "total": 4.0, "message": "first"},
        "interim_count": 1,
        "latest": "energy -1.1",
        "values": {"iteration": 3.0, "energy": -1.1, "bond": 0.74},
        "group": "g",
    }


def test_what_changes_comes_as_changed_keys_alone(add, writer, open_deck, until):
    job_id = add(inputs_preview={"bond": "0.74"})
    deck = open_deck()
    until(lambda: deck.is_complete)
    writer.add_message(job_id, '{"energy": -1.2}')
    until(lambda: deck.rows[job_id].get("latest"))
    assert deck.frames[-1]["changes"] == {
        job_id: {"interim_count": 1, "latest": "energy -1.2", "values": {"energy": -1.2, "bond": 0.74}}
    }
    writer.set_progress(job_id, 1, 2, None)
    until(lambda: deck.rows[job_id].get("progress"))
    assert deck.frames[-1]["changes"][job_id].keys() == {"progress"}
    finish(writer, job_id, encoding="json", body=b'{"energy": -1.3}', preview="{'energy': -1.3}")
    until(lambda: deck.rows[job_id]["status"] == "DONE")
    assert deck.rows[job_id]["values"] == {"energy": -1.3, "bond": 0.74}
    assert deck.frames[-1]["counts"] == {"DONE": 1}


def test_the_result_of_a_final_message_gives_its_numbers(add, writer, open_deck, until):
    job_id = add()
    writer.add_message(job_id, '{"energy": -1.1}')
    writer.add_message(job_id, '{"energy": -1.2}', final=True)
    finish(writer, job_id)
    deck = open_deck()
    until(lambda: deck.rows)
    row = deck.rows[job_id]
    assert (row["interim_count"], row["latest"], row["values"]) == (1, "energy -1.1", {"energy": -1.2})


def test_new_jobs_come_whole_and_deleted_ones_go(add, writer, open_deck, until):
    old = add("old", run=False)
    deck = open_deck()
    until(lambda: deck.is_complete)
    new = add("new", run=False)
    until(lambda: new in deck.rows)
    assert deck.frames[-1]["total"] == 2
    writer.delete_job(old)
    until(lambda: old not in deck.rows)
    assert deck.frames[-1]["counts"] == {"QUEUED": 1}
    writer.ask(new, "cancel", "test")
    until(lambda: deck.rows[new]["status"] == "CANCELLED")
    writer.update_tags(new, ["kept"])
    until(lambda: deck.rows[new].get("tags") == ["kept"])
    assert deck.rows == rows_of(writer)


def test_a_deck_costs_at_most_thirty_frames_a_second(add, writer, open_deck, until):
    ids = [add(f"job {number}") for number in range(20)]
    deck = open_deck()
    until(lambda: deck.is_complete)
    before = len(deck.frames)
    for number in range(600):
        writer.add_message(ids[number % 20], str(number))
    until(lambda: deck.rows == rows_of(writer))
    lasted = deck.times[-1] - deck.times[before]
    assert len(deck.frames) - before <= lasted * 31 + 2


@pytest.mark.parametrize("seed", range(5))
def test_a_view_that_is_cut_off_again_and_again_misses_nothing(seed, add, store, writer, open_deck, until):
    """Twenty cuts each, at any moment of the first load or after it, while another connection does all there is."""
    dice = random.Random(seed)
    for number in range(FIRST_ROWS + 30):
        add(f"old {number}", run=number % 40 == 0)
    stopping = threading.Event()

    def work(number):
        ids = [record.job_id for record in writer.jobs(JobQuery(limit=40))]
        job_id = dice.choice(ids)
        match number % 9:
            case 0 | 1:
                writer.add_message(job_id, json.dumps({"step": number}))
            case 2:
                writer.set_progress(job_id, number, None, None)
            case 3:
                new = NewJob(name=f"new {number}", engine="local", program=b"", inputs=b"", context=b"{}")
                writer.add_job(new)
            case 4:
                writer.claim("local", "agent", 1)
            case 5:
                writer.update_tags(job_id, [str(number)])
            case 6:
                writer.ask(job_id, "cancel", "test")
            case 7:
                finish(writer, job_id, encoding="json", body=str(number).encode(), preview=str(number))
            case _:
                writer.delete_job(job_id)

    def work_on():
        number = 0
        while not stopping.is_set():
            number += 1
            try:
                work(number)
            except JobError:
                continue  # that job is not in a state for it
            stopping.wait(0.001)

    worker = threading.Thread(target=work_on)
    worker.start()
    view = DeckView()
    resumed = 0
    for _ in range(20):
        open_deck(view)
        answers = len(view.frames)
        until(lambda since=answers: len(view.frames) > since)
        resumed += not view.frames[answers]["reset"]
        threading.Event().wait(dice.random() * 0.2)
        view.conversation.close()
    stopping.set()
    worker.join()
    open_deck(view)
    until(lambda: view.is_complete and view.rows == rows_of(store))
    assert resumed > 5
    assert view.missed == 0


def test_a_view_that_missed_a_frame_asks_again_and_is_right(add, writer, open_deck, until):
    job_id = add()
    deck = open_deck()
    until(lambda: deck.is_complete)
    known = deck.request
    writer.add_message(job_id, '{"energy": 1}')
    until(lambda: deck.rows[job_id].get("latest"))
    del deck.rows[job_id]["latest"], deck.rows[job_id]["values"]
    deck.conversation.receive(known)
    until(lambda: deck.rows == rows_of(writer))
    assert (deck.frames[-1]["seq"], deck.frames[-1]["reset"]) == (0, False)


def test_nothing_new_is_an_answer_too(add, open_deck, until):
    add()
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.conversation.receive(deck.request)
    until(lambda: [frame["seq"] for frame in deck.frames].count(0) == 2)
    assert "removed" not in deck.frames[-1]


@pytest.mark.parametrize(
    "known", [{"store_id": "aaaaaa", "since": 1}, {"store_id": None, "since": 1}, {"since": 10**9}]
)
def test_what_is_known_of_another_store_or_another_time_is_void(known, add, store, open_deck, until):
    add()
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.rows["gone"] = {"number": 0}
    request = {"type": "deck", "on": True, "store_id": store.store_id, **known}
    deck.conversation.receive(request)
    until(lambda: "gone" not in deck.rows)
    assert deck.frames[-1]["reset"]


def test_a_view_from_before_deletions_that_were_forgotten_begins_anew(add, writer, open_deck, until, monkeypatch):
    old, new = add(run=False), add(run=False)
    view = DeckView()
    open_deck(view)
    until(lambda: view.is_complete)
    view.conversation.close()
    writer.delete_job(old)
    monkeypatch.setattr("jobdeck.store.retention._TOMBSTONES", -1.0)
    writer.prune(None, 10)
    open_deck(view)
    until(lambda: view.is_complete and list(view.rows) == [new])
    assert view.frames[-1]["reset"]


def test_a_store_that_is_replaced_is_shown_anew(home, add, store, open_deck, until):
    add("of the old store")
    deck = open_deck()
    until(lambda: deck.is_complete)
    for path in home.glob("jobdeck.db*"):
        path.unlink()
    again = open_store(home)
    job_id = again.add_job(NewJob(name="of the new", engine="none", program=b"", inputs=b"", context=b"{}")).job_id
    until(lambda: list(deck.rows) == [job_id])
    assert deck.store_id == again.store_id
    again.close()


def test_a_store_that_cannot_be_read_is_trouble_and_nothing_is_lost(home, add, writer, open_deck, until):
    job_id, gone = add(), add(run=False)
    deck = open_deck()
    until(lambda: deck.is_complete)
    aside = home.with_name("aside")
    home.rename(aside)
    home.write_text("in the way")
    until(lambda: deck.of("trouble"))
    assert str(home) in deck.of("trouble")[0]["error"]
    home.unlink()
    aside.rename(home)
    writer.add_message(job_id, '{"energy": 1}')
    writer.delete_job(gone)
    until(lambda: deck.rows == rows_of(writer))
    until(lambda: deck.of("trouble")[-1]["error"] is None)
    assert deck.missed == 0


def test_a_slow_consumer_is_sent_nothing_until_it_is_ready_and_then_the_state_as_it_is(add, writer, open_deck, until):
    job_id = add()
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.takes_more = False
    writer.add_message(job_id, "0")
    until(lambda: deck.rows[job_id].get("latest") == "0")
    before = len(deck.frames)
    for number in range(1, 300):
        writer.add_message(job_id, str(number))
    new = [add(f"new {number}") for number in range(20)]
    for each in new[::2]:
        finish(writer, each)
        writer.delete_job(each)
    assert len(deck.frames) == before
    deck.takes_more = True
    deck.conversation.resume()
    until(lambda: deck.rows == rows_of(writer))
    assert len(deck.frames) - before <= 3


def test_cards_and_the_deck_share_a_conversation_and_a_slow_consumer(add, writer, open_deck, until):
    job_id = add()
    deck = open_deck()
    deck.conversation.receive({"type": "subscribe", "ids": [job_id]})
    until(lambda: deck.is_complete and deck.of("snapshot"))
    deck.takes_more = False
    for number in range(100):
        writer.add_message(job_id, str(number))
        deck.conversation.resume()
    until(lambda: deck.conversation.resume() or deck.rows[job_id].get("latest") == "99")
    until(lambda: deck.conversation.resume() or deck.job(job_id)["interim_count"] == 100)
    assert deck.threads == {"jobdeck-feeds"}


def test_a_deck_that_is_turned_off_is_told_nothing_and_follows_nothing(add, follower, open_deck, until):
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.conversation.receive({"type": "deck", "on": False})
    until(lambda: not follower.subscriptions)
    before = len(deck.frames)
    job_id = add()
    deck.conversation.receive({**deck.request, "on": True})
    until(lambda: job_id in deck.rows)
    assert not deck.frames[before]["reset"]


def test_a_first_frame_stays_small_whatever_the_jobs_are_called(add, writer, store):
    hostile = "<img src=x onerror=alert(1)>" * 10
    for number in range(FIRST_ROWS):
        tags = tuple(f"{number} {tag} {hostile}" for tag in range(100))
        job_id = add(hostile * 40, tags=tags, inputs_preview={f"{at} {hostile}": hostile for at in range(100)})
        writer.add_message(job_id, json.dumps({f"{at} {hostile}": at for at in range(100)}))
    frame = read_deck(store)
    assert len(json.dumps(frame)) < 130_000
    assert 0 < len(frame["rows"]) < FIRST_ROWS
    assert frame["more"]


def test_the_first_frame_of_ten_thousand_jobs_is_small_and_all_of_them_come(store, writer, open_deck, until):
    inputs = {"bond": "0.74", "shots": "1024", "basis": "'sto-3g'"}
    for number in range(10_000):
        new = NewJob(
            name=f"vqe-h2 {number}",
            engine="local",
            program=b"",
            inputs=b"",
            context=b"{}",
            tags=("h2", "sweep"),
            inputs_preview=inputs,
        )
        job_id = writer.add_job(new).job_id
        if number > 9_900:
            writer.add_message(job_id, '{"iteration": 51, "energy": -1.1372838344}')
            finish(writer, job_id, encoding="json", body=b'{"energy": -1.1372838344}', preview="{'energy': -1.13}")
    deck = open_deck()
    until(lambda: deck.is_complete, 60)
    assert len(deck.texts[0]) < 110_000
    assert len(deck.frames[0]["rows"]) == FIRST_ROWS
    assert len(deck.rows) == deck.frames[0]["total"] == 10_000
    assert max(map(len, deck.texts)) < 1_100_000


def test_a_body_that_is_no_json_or_far_too_long_harms_no_row(add, writer, open_deck, until):
    odd, long = add("odd"), add("long")
    writer.add_message(odd, "{not json <img src=x>")
    writer.add_message(long, json.dumps({"blob": "x" * 3_000_000}))
    deck = open_deck()
    until(lambda: deck.is_complete)
    assert deck.rows[odd]["latest"] == "{not json <img src=x>"
    assert len(deck.rows[long]["latest"]) <= 200
    assert "values" not in deck.rows[long]


def test_a_bulk_cancel_over_the_conversation_is_reported_and_its_rows_change(add, writer, open_deck, until):
    ids = [add(f"job {number}", run=False) for number in range(1_000)]
    deck = open_deck()
    until(lambda: deck.is_complete)
    deck.conversation.receive({"type": "bulk", "request": 3, "command": "cancel", "query": "status:queued"})
    deck.conversation.receive({"type": "range", "request": 4, "id": ids[0], "what": "messages", "start": 0, "stop": 1})
    until(lambda: deck.of("report"))
    assert deck.of("report")[0]["counts"] == {"cancelled": 1_000}
    assert deck.of("range"), "another request need not wait for all of a bulk one"
    until(lambda: {row["status"] for row in deck.rows.values()} == {"CANCELLED"})
    assert deck.rows == rows_of(writer)

"""A view of the whole deck has every job of the store as it is: at once the newest, then all, then what changes."""

from __future__ import annotations

from jobdeck._records import Outcome
from jobdeck._status import Exit
from jobdeck._wire import FIRST_ROWS, MORE_ROWS


def test_a_deck_begins_with_the_newest_jobs_and_the_older_ones_follow(add, writer, open_deck, until):
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
    writer.set_outcome(job_id, Outcome(ok=True, encoding="json", body=b'{"energy": -1.3}', preview="{'energy': -1.3}"))
    writer.finish({job_id: Exit(code=0)})
    until(lambda: deck.rows[job_id]["status"] == "DONE")
    assert deck.rows[job_id]["values"] == {"energy": -1.3, "bond": 0.74}
    assert deck.frames[-1]["counts"] == {"DONE": 1}


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
    writer.update_tags(new, ["kept"])
    until(lambda: deck.rows[new].get("tags") == ["kept"])

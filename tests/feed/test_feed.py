"""A view is told what happens to its jobs: at once, in order, never too much, and the last thing always."""

from __future__ import annotations

import json
import threading
import time

import pytest

from jobdeck._feed import PUMP, Conversation
from jobdeck._records import Outcome
from jobdeck._status import Exit
from jobdeck._wire import MAX_BODY, TAIL_LOG, TAIL_MESSAGES


def test_a_feed_begins_with_all_that_a_view_needs(add, writer, open_feed, view, until):
    job_id = add("vqe", inputs_preview={"bond": "0.74"}, tags=("h2",))
    writer.add_message(job_id, '{"energy": -1.1}')
    writer.set_progress(job_id, 1, 4, "first")
    writer.log_path(job_id).write_bytes(b"hello\n")
    open_feed([job_id])
    until(lambda: view.frames)
    snapshot = view.frames[0]
    assert (snapshot["type"], snapshot["seq"], snapshot["store_id"]) == ("snapshot", 0, writer.store_id)
    job = snapshot["jobs"][0]
    assert (job["name"], job["status"], job["tags"], job["inputs"]) == ("vqe", "RUNNING", ["h2"], {"bond": "0.74"})
    assert job["progress"] == {"done": 1.0, "total": 4.0, "message": "first"}
    assert (job["can_cancel"], job["final"], job["interim_count"], job["log_size"]) == (True, False, 1, 6)
    assert [row[0::2] for row in snapshot["messages"][job_id]] == [[1, '{"energy": -1.1}']]
    assert snapshot["logs"][job_id] == {"start": 0, "end": 6, "text": "hello\n"}


def test_every_message_comes_once_in_order_and_frames_are_numbered_without_gaps(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    for number in range(190):
        writer.add_message(job_id, str(number))
        if number % 7 == 0:
            time.sleep(0.002)
    until(lambda: view.rows(job_id) and view.rows(job_id)[-1][0] == 190)
    assert [row[0] for row in view.rows(job_id)] == list(range(1, 191))
    assert [row[2] for row in view.rows(job_id)] == [str(number) for number in range(190)]
    assert [frame["seq"] for frame in view.frames] == list(range(len(view.frames)))


def test_all_frames_leave_from_one_thread(add, writer, open_feed, view, until):
    job_id = add()
    feed = open_feed([job_id])
    feed.receive({"type": "range", "request": 1, "id": job_id, "what": "messages", "start": 0, "stop": 9})
    writer.add_message(job_id, "1")
    until(lambda: view.of("range") and view.rows(job_id))
    assert view.threads == {"jobdeck-feeds"}


def test_one_job_costs_at_most_ten_frames_a_second(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    begin = time.monotonic()
    while time.monotonic() - begin < 1.0:
        writer.add_message(job_id, "1")
        time.sleep(0.001)
    lasted = time.monotonic() - begin
    assert len([at for at in view.times[1:] if at - begin <= lasted]) <= lasted * 10 + 1


def test_a_job_with_ten_messages_a_second_costs_less_than_two_kilobytes_a_second(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    begin = time.monotonic()
    for number in range(30):
        writer.add_message(job_id, json.dumps({"iteration": number, "energy": -1.137283834488}))
        writer.set_progress(job_id, number, 100, "bond 0.74")
        time.sleep(max(0.0, begin + (number + 1) * 0.1 - time.monotonic()))
    until(lambda: view.rows(job_id) and view.rows(job_id)[-1][0] == 30)
    lasted = max(3.0, view.times[-1] - begin)
    assert sum(len(text) for text in view.texts[1:]) / lasted <= 2_000


def test_a_flood_is_cut_to_the_newest_messages_and_the_rest_is_there_by_range(add, writer, open_feed, view, until):
    job_id = add()
    feed = open_feed([job_id])
    until(lambda: view.frames)
    view.takes_more = False
    writer.add_message(job_id, "0")
    until(lambda: view.rows(job_id))
    for number in range(1, 1000):
        writer.add_message(job_id, str(number))
    view.takes_more = True
    feed.resume()
    until(lambda: view.rows(job_id)[-1][0] == 1000)
    biggest = max(len(frame.get("messages", {}).get(job_id, [])) for frame in view.of("delta"))
    assert biggest <= TAIL_MESSAGES
    seen = [row[0] for row in view.rows(job_id)]
    assert seen == sorted(set(seen))
    missing = sorted(set(range(1, 1001)) - set(seen))
    assert missing
    feed.receive(
        {"type": "range", "request": 3, "id": job_id, "what": "messages", "start": missing[0] - 1, "stop": missing[-1]}
    )
    until(lambda: view.of("range"))
    assert set(missing) <= {row[0] for row in view.of("range")[0]["messages"]}


def test_a_slow_consumer_is_sent_nothing_until_it_is_ready_and_then_the_state_as_it_is(
    add, writer, open_feed, view, until
):
    job_id = add()
    feed = open_feed([job_id])
    until(lambda: view.frames)
    view.takes_more = False
    writer.set_progress(job_id, 1, 100, None)
    until(lambda: view.of("delta"))
    for done in range(2, 60):
        writer.set_progress(job_id, done, 100, None)
    writer.finish({job_id: Exit(code=1)})
    until(lambda: not feed._feed._pending.is_empty)
    assert len(view.of("delta")) == 1
    view.takes_more = True
    feed.resume()
    until(lambda: view.job(job_id)["final"])
    assert view.job(job_id)["progress"]["done"] == 59
    assert len(view.of("delta")) <= 3


def test_the_last_frame_tells_the_end_with_all_messages_and_output(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    for number in range(50):
        writer.add_message(job_id, str(number))
    writer.add_message(job_id, '"result"', final=True)
    writer.log_path(job_id).write_bytes("done: ä".encode())
    writer.set_outcome(job_id, Outcome(ok=True, preview="result"))
    writer.finish({job_id: Exit(code=0, cpu_time=0.5, peak_memory=1 << 20)})
    until(lambda: view.job(job_id)["final"])
    job = view.job(job_id)
    assert (job["status"], job["can_cancel"], job["exit_code"], job["cpu_time"]) == ("DONE", False, 0, 0.5)
    assert [row[0] for row in view.rows(job_id)] == list(range(1, 51)), (
        "a final message is the result, not an interim one"
    )
    assert "".join(chunk["text"] for chunk in view.log(job_id)) == "done: ä"


def test_a_failure_comes_with_its_traceback(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    writer.set_outcome(
        job_id,
        Outcome(ok=False, exception_type="ValueError", exception_text="ValueError: <b>", traceback="Traceback …\n"),
    )
    writer.finish({job_id: Exit(code=1)})
    until(lambda: view.job(job_id)["final"])
    assert view.job(job_id)["error"] == {"kind": "exception", "text": "ValueError: <b>", "traceback": "Traceback …\n"}


def test_a_long_body_travels_cut_and_whole_when_asked_for(add, writer, open_feed, view, until):
    job_id = add()
    feed = open_feed([job_id])
    until(lambda: view.frames)
    body = json.dumps("x" * 100_000)
    writer.add_message(job_id, body)
    until(lambda: view.rows(job_id))
    row = view.rows(job_id)[0]
    assert len(row[2]) <= MAX_BODY
    assert row[3] == len(body)
    feed.receive({"type": "range", "request": 1, "id": job_id, "what": "body", "start": 1})
    until(lambda: view.of("range"))
    assert view.of("range")[0]["whole"] == body


def test_output_is_cut_between_characters_and_only_its_end_is_sent(add, writer, open_feed, view, until):
    job_id = add()
    path = writer.log_path(job_id)
    open_feed([job_id])
    until(lambda: view.frames)
    text = "aäö€😀" * 5_000
    data = text.encode()
    with path.open("ab", buffering=0) as file:
        for begin in range(0, len(data), 4_093):
            file.write(data[begin : begin + 4_093])
    writer.finish({job_id: Exit(code=0)})
    until(lambda: view.job(job_id)["final"] and view.log(job_id)[-1]["end"] == len(data))
    for chunk in view.log(job_id):
        assert chunk["end"] - chunk["start"] == len(chunk["text"].encode()) <= TAIL_LOG
        assert data[chunk["start"] : chunk["end"]].decode() == chunk["text"]
    starts = [chunk["start"] for chunk in view.log(job_id)]
    ends = [chunk["end"] for chunk in view.log(job_id)]
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False))


def test_output_that_is_no_text_is_shown_as_what_it_can_be(add, writer, open_feed, view, until):
    job_id = add()
    writer.log_path(job_id).write_bytes(b"\xff\xfe\x80binary\xe2\x82")
    writer.finish({job_id: Exit(code=0)})
    open_feed([job_id])
    until(lambda: view.frames)
    assert "binary" in view.frames[0]["logs"][job_id]["text"]
    assert view.frames[0]["logs"][job_id]["end"] == 11


def test_places_in_the_queue_move_with_the_jobs_before(add, writer, open_feed, view, until):
    _, second, third = (add(name, run=False) for name in ("first", "second", "third"))
    open_feed([third])
    until(lambda: view.frames)
    assert view.job(third)["queue_place"] == 3
    writer.claim("local", "agent", 1)
    until(lambda: view.job(third)["queue_place"] == 2)
    writer.ask(second, "cancel", "test")
    until(lambda: view.job(third)["queue_place"] == 1)


def test_only_what_changed_is_sent(add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    writer.ask(job_id, "cancel", "test")
    until(lambda: view.of("delta"))
    assert view.of("delta")[0]["jobs"][job_id].keys() == {"cancel_state", "cancel_asked"}
    assert view.job(job_id)["can_cancel"]


def test_a_view_without_jobs_of_its_own_has_to_name_them(converse, view, until):
    converse().receive({"type": "subscribe", "ids": None})
    until(lambda: view.frames)
    assert "ids" in view.frames[0]["error"]


def test_many_busy_jobs_share_frames(add, writer, open_feed, view, until):
    ids = [add(f"job {number}") for number in range(100)]
    open_feed(ids)
    until(lambda: view.frames)
    begin = time.monotonic()
    for turn in range(20):
        for job_id in ids[turn % 10 :: 10]:
            writer.add_message(job_id, str(turn))
        time.sleep(max(0.0, begin + (turn + 1) * 0.02 - time.monotonic()))
    until(lambda: sum(len(rows) for frame in view.of("delta") for rows in frame["messages"].values()) == 200)
    assert 3 < len(view.of("delta")) < 100


def test_a_deleted_job_is_removed_and_asking_for_it_says_so(add, writer, open_feed, view, until):
    job_id = add(run=False)
    feed = open_feed([job_id])
    until(lambda: view.frames)
    writer.ask(job_id, "cancel", "test")
    writer.delete_job(job_id)
    until(lambda: any(frame.get("removed") == [job_id] for frame in view.of("delta")))
    feed.receive({"type": "range", "request": 5, "id": job_id, "what": "log", "start": 0, "stop": 9})
    until(lambda: view.of("range"))
    assert job_id in view.of("range")[0]["error"]


def test_a_snapshot_after_a_missed_frame_goes_on_from_its_number(add, writer, open_feed, view, until):
    job_id = add()
    feed = open_feed([job_id])
    until(lambda: view.frames)
    writer.add_message(job_id, "1")
    until(lambda: view.rows(job_id))
    feed.receive({"type": "resync"})
    until(lambda: len(view.of("snapshot")) == 2)
    writer.add_message(job_id, "2")
    until(lambda: view.frames[-1]["type"] == "delta")
    assert [frame["seq"] for frame in view.frames] == [0, 1, 2, 3]
    assert [row[0] for row in view.frames[2]["messages"][job_id]] == [1]


def test_a_closed_feed_sends_nothing_and_leaves_nothing(add, writer, store, follower, view, until):
    job_id = add()
    feed = Conversation(store, follower, view.take, job_ids=[job_id])
    feed.receive({"type": "resync"})
    until(lambda: view.frames)
    feed.close()
    before = len(view.frames)
    writer.add_message(job_id, "1")
    feed.receive({"type": "resync"})
    assert not [thread for thread in threading.enumerate() if thread.name == "jobdeck-feeds"]
    assert not follower.subscriptions
    assert len(view.frames) == before
    feed.close()


def test_a_consumer_that_raises_stops_neither_the_thread_nor_the_other_feeds(
    add, writer, store, follower, open_feed, view, until, caplog
):
    job_id = add()

    def refuse(frame):
        raise RuntimeError("the page is gone")

    broken = Conversation(store, follower, refuse, job_ids=[job_id])
    broken.receive({"type": "resync"})
    open_feed([job_id])
    writer.add_message(job_id, "1")
    until(lambda: view.rows(job_id))
    until(lambda: "the page is gone" in caplog.text)
    broken.close()


def test_a_silenced_widget_feed_wakes_when_it_is_asked(add, writer, open_feed, view, until, follower):
    job_id = add()
    feed = open_feed([job_id], keeps_jobs=True)
    until(lambda: view.frames)
    feed.receive({"type": "subscribe", "ids": []})
    until(lambda: not follower.subscriptions)
    writer.add_message(job_id, "1")
    feed.receive({"type": "subscribe", "ids": None})
    until(lambda: len(view.of("snapshot")) == 2)
    assert [row[0] for row in view.rows(job_id)] == [1]
    assert feed.job_ids == [job_id]


def test_a_page_that_does_without_a_widgets_feed_takes_it_from_no_other_that_asked(
    add, writer, open_feed, view, until, follower
):
    job_id = add()
    feed = open_feed([job_id], keeps_jobs=True)
    until(lambda: view.frames)
    feed.receive({"type": "subscribe", "ids": None})
    until(lambda: len(view.of("snapshot")) == 2)
    feed.receive({"type": "subscribe", "ids": []})
    # Answered in their order: when this one has been, the one before it has.
    feed.receive({"type": "range", "request": 1, "id": job_id, "what": "messages", "start": 0, "stop": 1})
    until(lambda: view.of("range"))
    assert follower.subscriptions
    writer.add_message(job_id, "1")
    until(lambda: view.rows(job_id))


def test_a_feed_that_nobody_asks_rests_when_it_may_and_wakes_when_somebody_does(
    add, writer, store, follower, view, until
):
    job_id = add()
    resting = []
    feed = Conversation(store, follower, view.take, job_ids=[job_id], keeps_jobs=True, may_rest=lambda: bool(resting))
    feed.begin()
    writer.add_message(job_id, "1")
    until(lambda: view.rows(job_id))
    resting.append(True)
    writer.add_message(job_id, "2")
    until(lambda: not follower.subscriptions)
    assert [row[0] for row in view.rows(job_id)] == [1]
    feed.receive({"type": "subscribe", "ids": None})
    until(lambda: view.of("snapshot"))
    writer.add_message(job_id, "3")
    until(lambda: view.rows(job_id)[-1][0] == 3)
    feed.close()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_progress_that_is_no_number_travels_as_json(number, add, writer, open_feed, view, until):
    job_id = add()
    open_feed([job_id])
    until(lambda: view.frames)
    writer.set_progress(job_id, 3, number, "endless")
    until(lambda: view.job(job_id)["progress"])
    assert view.job(job_id)["progress"] == {"done": 3.0, "total": None, "message": "endless"}


def test_no_thread_is_there_without_a_feed():
    assert PUMP._thread is None

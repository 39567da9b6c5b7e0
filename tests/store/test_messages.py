"""The contract: interim messages are durable, in order, without gaps."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest

from jobdeck._errors import RuntimeInvalidStateError
from jobdeck._records import LastWords, Outcome
from jobdeck._status import Exit, JobStatus

from .conftest import new_job, running


def test_messages_count_from_one_within_their_job_and_are_read_back_in_order(any_store):
    one, other = running(any_store), running(any_store)
    before = time.time()
    for number in range(1, 6):
        assert any_store.add_message(one.job_id, f"{number}") == number
        assert any_store.add_message(other.job_id, f'"{number}"') == number
    read = any_store.messages(one.job_id)
    assert [(each.job_id, each.seq, each.body, each.final) for each in read] == [
        (one.job_id, number, f"{number}", False) for number in range(1, 6)
    ]
    assert before <= read[0].time <= read[-1].time <= time.time()
    assert any_store.job(one.job_id).interim_count == 5
    assert any_store.last_seqs([one.job_id, other.job_id, "no such"]) == {one.job_id: 5, other.job_id: 5}
    assert any_store.last_seqs([]) == {}


def test_messages_of_many_jobs_are_added_at_one_go_but_for_those_that_take_none_any_more(any_store):
    one, ended = running(any_store), running(any_store)
    any_store.finish({ended.job_id: Exit(code=0)})
    large = json.dumps("x" * 1_200_000)
    given = [("1", False), (large, False), ("3", True)]
    any_store.add_messages(
        [(ended.job_id, "1", False), ("no such", "1", False), *((one.job_id, body, final) for body, final in given)]
    )
    any_store.add_messages([(one.job_id, "4", False)])
    any_store.add_messages([])
    assert [(each.body, each.final) for each in any_store.messages(one.job_id)] == given
    assert any_store.messages(ended.job_id) == []


def test_a_range_begins_after_start_and_ends_with_stop(any_store):
    job = running(any_store)
    for number in range(1, 6):
        any_store.add_message(job.job_id, f"{number}")

    def seqs(*bounds: int) -> list[int]:
        return [message.seq for message in any_store.messages(job.job_id, *bounds)]

    assert seqs(3) == [4, 5]
    assert seqs(1, 3) == [2, 3]
    assert seqs(-5, 2) == [1, 2]
    assert seqs(5) == seqs(3, 3) == seqs(4, 2) == seqs(0, -1) == seqs(0, 0) == []
    assert seqs(0, 1 << 40) == [1, 2, 3, 4, 5]
    assert seqs(1 << 40) == []


def test_a_job_may_speak_before_it_runs_and_not_once_it_has_ended(any_store):
    job = any_store.add_job(new_job())
    any_store.add_message(job.job_id, "1")
    any_store.claim("local", "agent", 1)
    any_store.finish({job.job_id: Exit(code=0)})
    with pytest.raises(RuntimeInvalidStateError, match=f"{job.job_id} takes no more messages: it has ended"):
        any_store.add_message(job.job_id, "2")
    assert len(any_store.messages(job.job_id)) == 1


def test_the_final_message_is_the_last_one_and_no_interim_result(any_store):
    job = running(any_store)
    any_store.add_message(job.job_id, "1")
    assert any_store.add_message(job.job_id, "2", final=True) == 2
    for final in (True, False):
        with pytest.raises(RuntimeInvalidStateError, match="its final message was published"):
            any_store.add_message(job.job_id, "3", final=final)
    assert [(each.seq, each.final) for each in any_store.messages(job.job_id)] == [(1, False), (2, True)]
    assert any_store.job(job.job_id).interim_count == 1
    assert any_store.job(job.job_id).status is JobStatus.RUNNING


def test_publishing_does_not_change_the_jobs_row_but_moves_the_data_version(any_store):
    job = running(any_store)
    number, version = any_store.change_number(), any_store.data_version()
    assert any_store.data_version() == version
    any_store.add_message(job.job_id, "1")
    assert any_store.data_version() != version
    assert any_store.change_number() == number
    assert any_store.changes(number).jobs == ()


@pytest.mark.parametrize(
    "value", ["\ud800", "a\udfffz", "nul\0", "\x1b[31mred", "<img src=x onerror=alert(1)>", "\N{SNOWMAN}" * 3]
)
def test_any_text_in_a_message_decodes_to_itself(any_store, value):
    job = running(any_store)
    any_store.add_message(job.job_id, json.dumps(value, ensure_ascii=False))
    any_store.add_message(job.job_id, json.dumps(value))
    assert [json.loads(each.body) for each in any_store.messages(job.job_id)] == [value, value]


def test_a_message_of_fifty_megabytes_is_kept_outside_the_database_and_read_back(any_store):
    job = running(any_store)
    body = json.dumps("é" * 25_000_000, ensure_ascii=False)
    assert any_store.add_message(job.job_id, "1") == 1
    assert any_store.add_message(job.job_id, body) == 2
    assert any_store.add_message(job.job_id, body, final=True) == 3
    read = any_store.messages(job.job_id)
    assert [each.seq for each in read] == [1, 2, 3]
    assert read[1].body == read[2].body == body
    (file,) = (any_store.home / "blobs").iterdir()
    assert file.stat().st_size == 50_000_002
    assert (any_store.home / "jobdeck.db").stat().st_size < 1_000_000


def test_a_body_just_under_and_just_over_a_megabyte_is_the_same_to_its_reader(any_store):
    job = running(any_store)
    limit = 1 << 20
    bodies = [f'"{text}"' for text in ("x" * (limit - 2), "x" * (limit - 1), "é" * 300_000)]
    for body in bodies:
        any_store.add_message(job.job_id, body)
    assert [each.body for each in any_store.messages(job.job_id)] == bodies
    assert len(list((any_store.home / "blobs").iterdir())) == 1


@pytest.mark.parametrize("size", [10, 5_000, 3_000_000])
def test_of_a_long_body_no_more_is_read_than_was_asked_for_with_its_whole_length(any_store, size):
    job = running(any_store)
    body = json.dumps("aé😀" * (size // 3), ensure_ascii=False)
    any_store.add_message(job.job_id, body)
    (read,) = any_store.messages(job.job_id, longest=100)
    assert read.body == body[:100]
    assert read.length == (len(body) if len(body) > 100 else None)
    (whole,) = any_store.messages(job.job_id, longest=len(body))
    assert (whole.body, whole.length) == (body, None)


def test_what_many_jobs_have_said_last_is_read_at_one_go(any_store):
    silent, talking, large = running(any_store), running(any_store), running(any_store)
    for number in range(3):
        any_store.add_message(talking.job_id, f"{number}")
    any_store.add_message(large.job_id, json.dumps("é" * 2_000_000, ensure_ascii=False))
    ids = [job.job_id for job in (silent, talking, large)]
    words = any_store.last_words([*ids, "aaaaaa-aaaaaaaaaaaa"], 5)
    assert words == {
        silent.job_id: LastWords(),
        talking.job_id: LastWords(3, "2"),
        large.job_id: LastWords(1, '"éééé'),
    }
    assert any_store.last_words([], 5) == {}


def test_what_several_jobs_have_said_since_is_read_at_one_go_up_to_a_limit(any_store):
    one, other, silent, again = (running(any_store).job_id for _ in range(4))
    any_store.add_messages([(job_id, str(number), False) for number in range(1, 4) for job_id in (one, other)])
    any_store.add_message(other, "x" * 1_200_000, final=True)
    seen = {one: 1, silent: 0, other: 2, "no such": 0}
    found = any_store.messages_after(seen, 100, longest=10)
    assert {job_id: [(each.seq, each.body) for each in messages] for job_id, messages in found.items()} == {
        one: [(2, "2"), (3, "3")],
        other: [(3, "3"), (4, "x" * 10)],
    }
    assert [(each.final, each.length) for each in found[other]] == [(False, None), (True, 1_200_000)]
    assert sum(map(len, any_store.messages_after(seen, 3, longest=10).values())) == 3
    assert any_store.messages_after({}, 100, longest=10) == {}
    any_store.add_message(again, "1")
    any_store.finish({again: Exit(code=0)})
    any_store.delete_job(again)
    any_store.add_job(dataclasses.replace(new_job(), job_id=again))
    any_store.add_message(again, "2")
    assert [each.body for each in any_store.messages_after({again: 0}, 100, longest=10)[again]] == ["2"]


@pytest.mark.parametrize(
    ("outcome", "final", "result"),
    [
        (Outcome(True, "json", b'{"energy": 1}'), None, '{"energy": 1}'),
        (Outcome(True, "pickle", b"\x80\x05."), None, None),
        (Outcome(True), '{"energy": 2}', '{"energy": 2}'),
        (Outcome(True), json.dumps("x" * 2_000_000), '"' + "x" * 99),
        (Outcome(True, "json", b"3"), '{"energy": 2}', "3"),
        (Outcome(False, exception_type="ValueError"), '{"energy": 2}', None),
    ],
)
def test_a_result_is_told_as_its_json_and_never_as_a_pickle(any_store, outcome, final, result):
    job = running(any_store)
    any_store.add_message(job.job_id, '"interim"')
    if final is not None:
        any_store.add_message(job.job_id, final, final=True)
    any_store.set_outcome(job.job_id, outcome)
    any_store.finish({job.job_id: Exit(code=0)})
    assert any_store.last_words([job.job_id], 100) == {job.job_id: LastWords(1, '"interim"', result)}

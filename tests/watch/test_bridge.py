"""What the bridge makes of jobs that behave in every way that jobs of others do."""

from __future__ import annotations

import enum
import math
from pathlib import Path

import pytest

from jobdeck import JobStatus, Reading
from jobdeck._errors import JobCancelledError, JobError, RuntimeInvalidStateError, RuntimeJobFailureError, StoreError

from .conftest import Bench
from .scripted import BulkJob, ScriptedJob


class Word(enum.Enum):
    """A foreign system's enum."""

    PENDING = 1
    COMPLETED = 2
    SNOOZING = 3


# --- statuses


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (JobStatus.RUNNING, JobStatus.RUNNING),
        ("RUNNING", JobStatus.RUNNING),
        ("running", JobStatus.RUNNING),
        (Word.PENDING, JobStatus.QUEUED),
        (Word.SNOOZING, "SNOOZING"),
        ("on hold at the gate", "on hold at the gate"),
        (["DONE", "RUNNING"], JobStatus.RUNNING),
        (["QUEUED", "queued"], JobStatus.QUEUED),
        (["DONE", "on hold"], "on hold"),
        ([], "unknown"),
        ("", "unknown"),
        (None, "None"),
    ],
)
def test_a_status_that_is_not_final_shows_as_itself_and_is_looked_at_again(bench: Bench, said, shown):
    job = ScriptedJob(Reading(said))
    job_id = bench.watch(job)
    assert bench.job(job_id).status == shown
    looks = job.looks
    bench.pass_time(20)
    assert job.looks > looks + 3
    assert bench.job(job_id).ended is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("DONE", "DONE"),
        (Word.COMPLETED, "DONE"),
        (["DONE", "DONE"], "DONE"),
        (["DONE", "ERROR"], "ERROR"),
        (["CANCELLED", "DONE"], "CANCELLED"),
        ("canceled", "CANCELLED"),
        ("Failed", "ERROR"),
    ],
)
def test_a_final_status_ends_the_job_in_whatever_form_it_comes(bench: Bench, said, shown):
    job = ScriptedJob(Reading("RUNNING"), Reading(said), result=7)
    job_id = bench.watch(job)
    bench.turn(1)
    record = bench.job(job_id)
    assert (record.status, record.ended is not None) == (shown, True)
    assert job.fetched == (shown == "DONE")
    bench.pass_time(20)
    assert job.looks == 2
    assert job.closed == 1
    assert not bench.bridge.is_busy


def test_a_word_that_is_no_status_comes_and_goes(bench: Bench):
    job_id = bench.watch(ScriptedJob("RUNNING", "on hold", "RUNNING", "DONE"))
    seen = [bench.job(job_id).status]
    for _ in range(3):
        bench.turn(1)
        seen.append(bench.job(job_id).status)
    assert seen == ["RUNNING", "on hold", "RUNNING", "DONE"]


def test_an_error_has_the_words_of_its_system_or_says_that_there_are_none(bench: Bench):
    worded = bench.watch(ScriptedJob(Reading("ERROR", error="out of qubits", error_kind="memory")))
    silent = bench.watch(ScriptedJob("ERROR"))
    assert (bench.job(worded).error, bench.job(worded).error_kind) == ("out of qubits", "memory")
    assert "does not say why" in (bench.job(silent).error or "")


# --- looks that fail


def test_a_look_that_fails_once_changes_no_status_and_is_taken_again(bench: Bench):
    job = ScriptedJob("RUNNING", ConnectionError("down for a moment"), "RUNNING", "DONE", result=1)
    job_id = bench.watch(job)
    bench.turn(1)
    record = bench.job(job_id)
    assert record.status == "RUNNING"
    assert record.facts["trouble"] == "cannot be reached (ConnectionError: down for a moment); trying again"
    bench.turn(1)
    assert bench.job(job_id).facts == {}
    bench.turn(1)
    assert bench.job(job_id).status == "DONE"


def test_a_job_that_cannot_be_read_from_the_start_is_in_the_deck_and_never_resolved(bench: Bench):
    job_id = bench.watch(ScriptedJob(RuntimeError("it is broken")))
    bench.pass_time(300, step=1)
    record = bench.job(job_id)
    assert (record.status, record.ended) == ("INITIALIZING", None)
    assert "it is broken" in record.facts["trouble"]


class Rude(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("error", [Rude(), SystemExit(1), KeyboardInterrupt(), MemoryError()])
def test_whatever_a_look_raises_is_that_jobs_trouble_alone(bench: Bench, error):
    bad, good = bench.watch(ScriptedJob(error)), bench.watch(ScriptedJob("DONE", result=2))
    assert bench.job(good).status == "DONE"
    assert type(error).__name__ in bench.job(bad).facts["trouble"]


def test_what_is_no_reading_is_trouble(bench: Bench):
    job = ScriptedJob("RUNNING")
    job.read = lambda: "RUNNING"
    assert "where a Reading is wanted" in bench.job(bench.watch(job)).facts["trouble"]


def test_looks_become_rarer_with_each_failure_and_an_outage_of_a_minute_is_got_over(bench: Bench):
    job = ScriptedJob("RUNNING")
    job_id = bench.watch(job)
    bench.pass_time(1)
    job.script = [ConnectionError("no route")]
    before = job.looks
    bench.pass_time(60)
    assert 3 <= job.looks - before <= 25
    job.script = [Reading("RUNNING", {"usage": 3.5})]
    bench.pass_time(61)
    assert bench.job(job_id).facts == {"usage": 3.5}
    before = job.looks
    bench.pass_time(5)
    assert job.looks > before


def test_looks_become_rarer_while_nothing_changes_and_frequent_again_when_something_does(bench: Bench):
    job = ScriptedJob("QUEUED")
    bench.watch(job)
    bench.pass_time(1)
    early = job.looks
    bench.pass_time(99)
    before = job.looks
    bench.pass_time(10)
    late = job.looks - before
    assert early >= 8
    assert late <= 3
    job.script = ["RUNNING"]
    bench.pass_time(6)
    before = job.looks
    bench.pass_time(1)
    assert job.looks > before


def test_facts_that_change_at_every_look_do_not_make_looks_more_frequent(bench: Bench):
    job = ScriptedJob(*[Reading("RUNNING", {"usage": second}) for second in range(500)])
    job_id = bench.watch(job)
    bench.pass_time(60)
    before = job.looks
    bench.pass_time(10)
    assert job.looks - before <= 3
    assert bench.job(job_id).facts["usage"] == job.looks - 1


def test_a_push_is_followed_by_a_look_at_once(bench: Bench):
    job = ScriptedJob("RUNNING", result=3)
    job_id = bench.watch(job)
    bench.pass_time(100)
    job.script = ["DONE"]
    job.wake()
    bench.turn()
    assert bench.job(job_id).status == "DONE"
    job.wake()
    bench.turn()
    assert job.closed == 1


# --- calls that hang


def test_a_look_that_hangs_stops_nobody_else_and_is_told(bench: Bench):
    bench.calls.hanging.add("slow")
    stuck, free = ScriptedJob("DONE", system="slow"), ScriptedJob("RUNNING", "DONE")
    stuck_id, free_id = bench.watch(stuck), bench.watch(free)
    bench.pass_time(12)
    assert bench.job(free_id).status == "DONE"
    record = bench.job(stuck_id)
    assert record.status == "INITIALIZING"
    assert "does not answer" in record.facts["trouble"]
    assert len(bench.calls.held) == 1
    bench.calls.hanging.clear()
    bench.calls.held.pop()()
    bench.turn()
    assert bench.job(stuck_id).status == "DONE"
    assert bench.job(stuck_id).facts == {}


def test_a_job_whose_look_hangs_can_be_asked_to_stop(bench: Bench):
    bench.calls.hanging.add("scripted")
    job = ScriptedJob("RUNNING", cancels=None)
    job_id = bench.watch(job)
    bench.calls.hanging.clear()
    bench.store.ask(job_id, "cancel", "api")
    bench.turn()
    assert job.asked == 1
    assert bench.job(job_id).cancel_state == "stopping"


# --- requests to stop


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (False, "refused", "does not let itself be stopped"),
        (NotImplementedError(), "unsupported", "cannot be stopped"),
        (ValueError("it is too late"), "refused", "too late"),
        (True, "stopping", "asked to stop"),
        (None, "stopping", "asked to stop"),
    ],
)
def test_what_became_of_a_request_is_told_and_the_status_stays_its_systems(bench: Bench, answer, state, words):
    job = ScriptedJob("RUNNING", cancels=answer)
    job_id = bench.watch(job)
    bench.store.ask(job_id, "cancel", "api")
    bench.turn(0.1)
    bench.pass_time(10)
    record = bench.job(job_id)
    assert (record.status, record.cancel_state) == ("RUNNING", state)
    assert words in record.cancel_note
    job.script, job.outcome = ["DONE"], 5
    bench.pass_time(6)
    assert bench.job(job_id).status == "DONE"
    assert bench.result(job_id) == 5


def test_a_job_is_cancelled_when_its_system_says_so(bench: Bench):
    job = ScriptedJob("RUNNING", cancels=True)
    job_id = bench.watch(job)
    bench.store.ask(job_id, "cancel", "api")
    job.script = ["CANCELLED"]
    bench.turn(0.1)
    assert bench.job(job_id).status == "CANCELLED"


@pytest.mark.parametrize("status", ["INITIALIZING", "QUEUED"])
def test_a_request_for_a_job_that_waits_elsewhere_is_handed_on_and_not_decided_here(bench: Bench, status):
    job = ScriptedJob(status, cancels=False)
    job_id = bench.watch(job)
    assert bench.store.ask(job_id, "cancel", "api").status == status
    bench.turn(0.1)
    assert job.asked == 1
    assert bench.job(job_id).cancel_state == "refused"
    assert bench.store.ask_many([job_id], "cancel", "api") == {job_id: "asked"}
    bench.turn(0.1)
    assert job.asked == 2


def test_a_job_that_cannot_be_stopped_now_says_so_before_and_after_it_is_asked(bench: Bench):
    job = ScriptedJob(Reading("RUNNING", can_cancel=False, cancel_note="runs in one thread"), cancels=True)
    job_id = bench.watch(job)
    assert (bench.job(job_id).cancel_state, bench.job(job_id).cancel_note) == ("unsupported", "runs in one thread")
    bench.store.ask(job_id, "cancel", "api")
    bench.turn(0.1)
    assert (bench.job(job_id).cancel_state, bench.job(job_id).cancel_note) == ("unsupported", "runs in one thread")
    assert job.asked == 0
    job.script = ["RUNNING"]
    bench.pass_time(6)
    assert bench.job(job_id).cancel_state is None


def test_a_request_that_does_not_reach_its_system_is_made_again_when_it_can_be_reached(bench: Bench):
    job = ScriptedJob("RUNNING", cancels=TimeoutError("no answer"))
    job_id = bench.watch(job)
    job.script = [TimeoutError("no answer")]
    bench.store.ask(job_id, "cancel", "api")
    bench.turn(0.1)
    record = bench.job(job_id)
    assert record.cancel_state == "requested"
    assert "trying again" in record.cancel_note
    job.script, job.cancels = ["RUNNING"], None
    bench.pass_time(10)
    assert job.asked == 2
    assert bench.job(job_id).cancel_state == "stopping"


# --- results


def test_a_result_that_cannot_be_fetched_for_a_while_is_fetched_when_it_can(bench: Bench):
    job = ScriptedJob("DONE", result=[*[ConnectionError("down")] * 12, 42])
    job_id = bench.watch(job)
    record = bench.job(job_id)
    assert record.ended is None
    assert "its result cannot be had" in record.facts["trouble"]
    bench.pass_time(900, step=1)
    assert (bench.job(job_id).status, bench.result(job_id)) == ("DONE", 42)
    assert bench.job(job_id).facts == {}


def test_a_result_that_is_refused_again_and_again_ends_the_job_with_the_reason(bench: Bench):
    job = ScriptedJob("DONE", result=KeyError("no such data"))
    job_id = bench.watch(job)
    bench.pass_time(100)
    record = bench.job(job_id)
    assert record.status == "ERROR"
    assert "its result cannot be had: KeyError" in record.error
    assert job.fetched == 5


@pytest.mark.parametrize(
    ("raised", "status", "error"),
    [
        (RuntimeJobFailureError("the circuit was too deep"), "ERROR", "the circuit was too deep"),
        (JobCancelledError("stopped"), "CANCELLED", None),
    ],
)
def test_a_result_may_tell_how_the_job_really_ended(bench: Bench, raised, status, error):
    job_id = bench.watch(ScriptedJob("DONE", result=raised))
    record = bench.job(job_id)
    assert (record.status, record.error) == (status, error)


def test_a_result_of_none_and_one_that_cannot_be_pickled_end_the_job_well(bench: Bench):
    nothing, odd = bench.watch(ScriptedJob("DONE")), bench.watch(ScriptedJob("DONE", result=(x for x in ())))
    assert bench.result(nothing) is None
    record = bench.job(odd)
    assert (record.status, record.result_encoding) == ("DONE", None)
    assert "generator" in record.result_preview
    assert record.facts["result"] == "only its preview is kept: a generator cannot be pickled"


# --- what else it tells


def test_facts_progress_messages_and_output_are_mirrored(bench: Bench):
    job = ScriptedJob(
        Reading("QUEUED", {"queue_place": ">2000", "session": "s1"}),
        Reading("RUNNING", {"usage": 1.5}, progress=(1, 4, "first"), messages=[{"energy": -1.0}], output=b"one "),
        Reading("RUNNING", {"usage": 2}, progress=(2, 4, None), messages=[-1.1, object()], output=b"two"),
        Reading("RUNNING", {"usage": 2}),
    )
    job_id = bench.watch(job)
    assert bench.job(job_id).facts == {"queue_place": ">2000", "session": "s1"}
    bench.turn(1)
    bench.turn(1)
    record = bench.job(job_id)
    assert record.facts == {"usage": 2}
    assert (record.progress_done, record.progress_total, record.progress_message) == (2, 4, None)
    bodies = [message.body for message in bench.store.messages(job_id)]
    assert bodies[:2] == ['{"energy": -1.0}', "-1.1"]
    assert bodies[2] == '"<object>"'
    assert bench.store.log_path(job_id).read_bytes() == b"one two"


def test_facts_that_are_no_numbers_or_texts_become_texts(bench: Bench):
    facts = {"queue_place": object(), "none": None, "wide": "x" * 1000, "nan": math.nan, 3: [1, 2]}
    told = bench.job(bench.watch(ScriptedJob(Reading("QUEUED", facts)))).facts
    assert told["queue_place"] == "<object>"
    assert "none" not in told
    assert len(told["wide"]) <= 300
    assert told["3"] == "[1, 2]"


def test_an_id_that_comes_late_is_kept_when_it_comes(bench: Bench):
    job = ScriptedJob(
        Reading("INITIALIZING", source={"id": ""}), Reading("QUEUED", source={"id": "abc-1"}), source={"id": ""}
    )
    job_id = bench.watch(job)
    assert bench.job(job_id).source == {"id": "", "system": "scripted", "survives": False}
    bench.turn(1)
    assert bench.job(job_id).source == {"id": "abc-1", "system": "scripted", "survives": False}


def test_a_source_that_json_cannot_hold_is_left_out(bench: Bench):
    job_id = bench.watch(ScriptedJob("RUNNING", source={"id": math.nan, "backend": object()}))
    assert bench.job(job_id).source == {"system": "scripted", "survives": False}


def test_what_an_adapter_cannot_tell_keeps_no_job_from_the_deck(bench: Bench):
    class Shy(ScriptedJob):
        name = property(lambda self: 1 / 0)
        backend = property(lambda self: 1 / 0)
        tags = property(lambda self: 1 / 0)
        source = property(lambda self: 1 / 0)

    record = bench.job(bench.watch(Shy("RUNNING")))
    assert (record.name, record.backend, record.tags, record.status) == ("scripted job", None, (), "RUNNING")


def test_times_that_the_system_tells_count(bench: Bench):
    job_id = bench.watch(ScriptedJob(Reading("DONE", times={"started": 100.0, "ended": 130.5})))
    record = bench.job(job_id)
    assert (record.started, record.ended) == (100.0, 130.5)


# --- many


def test_hundreds_of_jobs_are_read_together_where_that_can_be_done(bench: Bench):
    BulkJob.calls = []
    jobs = [BulkJob("RUNNING") for _ in range(300)]
    ids = [bench.bridge.watch(job)[0].job_id for job in jobs]
    bench.turn()
    assert BulkJob.calls == [300]
    bench.pass_time(2)
    assert set(BulkJob.calls) == {300}
    for job in jobs:
        job.script = ["DONE"]
    bench.pass_time(6)
    assert {bench.job(job_id).status for job_id in ids} == {JobStatus.DONE}


def test_thousands_of_jobs_that_are_read_one_by_one_are_looked_at_less_often(bench: Bench):
    jobs = [ScriptedJob("RUNNING", pace=(0.1, 0.1)) for _ in range(1500)]
    for job in jobs:
        bench.bridge.watch(job)
    bench.turn()
    before = sum(job.looks for job in jobs)
    bench.pass_time(3.1)
    assert sum(job.looks for job in jobs) - before == 2 * len(jobs)


def test_one_of_many_that_is_not_told_of_is_tried_again(bench: Bench):
    class Forgetful(BulkJob):
        @classmethod
        def read_many(cls, watched):
            return {each: each.read() for each in list(watched)[1:]}

    first, second = (bench.bridge.watch(Forgetful("RUNNING"))[0].job_id for _ in range(2))
    bench.turn()
    assert bench.job(second).status == "RUNNING"
    assert "nothing was told of it" in bench.job(first).facts["trouble"]


# --- rows


def test_the_same_object_is_one_row_and_so_are_objects_of_one_identity(bench: Bench):
    job = ScriptedJob("RUNNING")
    assert bench.watch(job) == bench.watch(job)
    twins = [ScriptedJob("RUNNING", identity=("scripted", 7)) for _ in range(2)]
    assert len({bench.watch(twin) for twin in twins}) == 1


def test_many_are_watched_by_one_transaction_each_once(bench: Bench):
    jobs = [ScriptedJob("RUNNING") for _ in range(3)]
    first = bench.watch(jobs[0])
    before = bench.store.change_number()
    bench.bridge.watch_many([(job, ("many",)) for job in (*jobs, *jobs)])
    assert bench.store.change_number() - before == 2
    bench.turn()
    assert [job.looks for job in jobs] == [1, 1, 1]
    assert bench.job(first).tags == ()


def test_a_row_that_was_closed_by_somebody_else_is_looked_at_no_more(bench: Bench):
    job = ScriptedJob("RUNNING")
    job_id = bench.watch(job)
    bench.store.abandon_watched(bench.agent)
    bench.pass_time(2)
    looks = job.looks
    bench.pass_time(20)
    assert job.looks == looks
    assert job.closed == 1
    assert not bench.bridge.is_busy
    assert bench.job(job_id).error_kind == "lost"


def test_a_watched_job_under_way_is_not_deleted_submitted_or_claimed_from_here(bench: Bench):
    job_id = bench.watch(ScriptedJob("QUEUED"))
    with pytest.raises(RuntimeInvalidStateError, match="cancel it first"):
        bench.store.delete_job(job_id)
    with pytest.raises(JobError, match="of another system"):
        bench.store.submit_job(job_id)
    assert bench.store.queue_place(job_id) is None


def test_what_was_seen_while_the_store_could_not_be_written_is_written_later(bench: Bench, monkeypatch):
    job = ScriptedJob("RUNNING", Reading("RUNNING", {"usage": 1}, messages=["a"]), "DONE", result=9)
    job_id = bench.watch(job)
    real = bench.store.watch_turn

    def fail(*_):
        raise StoreError("the disk is full")

    bench.turn(1)
    bench.turn()
    monkeypatch.setattr(bench.store, "watch_turn", fail)
    for _ in range(3):
        with pytest.raises(StoreError):
            bench.turn(10)
    assert bench.job(job_id).status == "RUNNING"
    monkeypatch.setattr(bench.store, "watch_turn", real)
    bench.turn(1)
    assert (bench.job(job_id).status, bench.result(job_id), job.fetched) == ("DONE", 9, 1)
    assert [message.body for message in bench.store.messages(job_id)] == ['"a"']


def test_the_lock_is_held_while_the_bridge_is_there_and_leaves_no_file(bench: Bench):
    assert not bench.lock.held
    bench.watch(ScriptedJob("RUNNING"))
    assert bench.lock.is_taken()
    bench.bridge.close()
    assert list(Path(bench.store.home, "agents").glob("watch-*")) == []

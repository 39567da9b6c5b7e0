"""The contract: requests to stop, outcomes, and how jobs end."""

from __future__ import annotations

import time

import pytest

from jobdeck._errors import RuntimeInvalidStateError
from jobdeck._records import News, Outcome
from jobdeck._status import Exit, JobStatus

from .conftest import new_job, running


@pytest.mark.parametrize("submitted", [True, False])
@pytest.mark.parametrize("kind", ["cancel", "kill"])
def test_a_job_that_has_not_started_is_cancelled_at_once(any_store, submitted, kind):
    job = any_store.add_job(new_job(submitted=submitted))
    cancelled = any_store.ask(job.job_id, kind, "kernel")
    assert cancelled.status is JobStatus.CANCELLED
    assert cancelled.ended >= cancelled.created
    assert cancelled.cancel_asked is not None
    assert cancelled.started is None
    assert any_store.claim("local", "agent", 5) == []
    assert any_store.commands("local", "agent") == []
    with pytest.raises(RuntimeInvalidStateError, match=f"{job.job_id} has ended"):
        any_store.ask(job.job_id, kind, "kernel")


def test_a_request_reaches_the_jobs_owner_once_and_the_job_runs_on(any_store):
    job = running(any_store, "agent-1")
    other = running(any_store, "agent-2")
    before = time.time()
    asked = any_store.ask(job.job_id, "cancel", "kernel \ud800")
    assert (asked.status, asked.cancel_state) == (JobStatus.RUNNING, "requested")
    assert asked.cancel_asked >= before
    assert any_store.commands("local", "agent-2") == any_store.commands("dask", "agent-1") == []
    (command,) = any_store.commands("local", "agent-1")
    assert (command.job_id, command.kind, command.asked) == (job.job_id, "cancel", asked.cancel_asked)
    assert command.origin == "kernel \\ud800"
    assert any_store.commands("local", "agent-1") == []
    assert any_store.job(other.job_id).cancel_state is None


def test_asking_again_changes_nothing_but_may_ask_for_more(any_store):
    job = running(any_store)
    first = any_store.ask(job.job_id, "cancel", "kernel")
    assert any_store.ask(job.job_id, "cancel", "browser") == first
    assert [command.kind for command in any_store.commands("local", "agent-1")] == ["cancel"]
    any_store.note_cancel(job.job_id, "stopping", "interrupt sent")
    again = any_store.ask(job.job_id, "cancel", "cli")
    assert (again.cancel_state, again.cancel_note) == ("stopping", "interrupt sent")
    assert again.cancel_asked == first.cancel_asked
    assert any_store.commands("local", "agent-1") == []
    any_store.ask(job.job_id, "kill", "cli")
    any_store.ask(job.job_id, "kill", "cli")
    assert [command.kind for command in any_store.commands("local", "agent-1")] == ["kill"]


def test_every_new_request_counts_as_a_change_since_that_is_what_agents_look_for(any_store):
    job = running(any_store)
    any_store.ask(job.job_id, "cancel", "kernel")
    any_store.note_cancel(job.job_id, "stopping", "cleaning up")
    before = any_store.change_number()
    any_store.ask(job.job_id, "kill", "browser")
    assert any_store.change_number() > before


def test_a_request_that_was_refused_can_be_made_again(any_store):
    job = running(any_store)
    any_store.ask(job.job_id, "cancel", "kernel")
    any_store.commands("local", "agent-1")
    any_store.note_cancel(job.job_id, "refused", "not allowed")
    again = any_store.ask(job.job_id, "cancel", "kernel")
    assert (again.cancel_state, again.cancel_note) == ("requested", None)
    assert [command.kind for command in any_store.commands("local", "agent-1")] == ["cancel"]


def test_requests_arrive_in_the_order_in_which_they_were_made(any_store):
    jobs = [running(any_store) for _ in range(5)]
    for job in reversed(jobs):
        any_store.ask(job.job_id, "cancel", "kernel")
    taken = any_store.commands("local", "agent-1")
    assert [command.job_id for command in taken] == [job.job_id for job in reversed(jobs)]
    assert [command.number for command in taken] == sorted(command.number for command in taken)


def test_the_first_outcome_counts_and_the_status_waits_for_the_process_to_be_gone(any_store):
    job = running(any_store)
    assert any_store.outcome(job.job_id) is None
    kept = Outcome(True, "json", b"[1, 2]", "[1, 2]")
    any_store.set_outcome(job.job_id, kept)
    any_store.set_outcome(job.job_id, Outcome(False, exception_type="ValueError"))
    assert any_store.outcome(job.job_id) == kept
    assert any_store.job(job.job_id).status is JobStatus.RUNNING
    (ended,) = any_store.finish({job.job_id: Exit(code=0, peak_memory=10_000_000_000, cpu_time=0.25)})
    assert ended == any_store.job(job.job_id)
    assert ended.status is JobStatus.DONE
    assert (ended.result_encoding, ended.result_preview) == ("json", "[1, 2]")
    assert (ended.exit_code, ended.peak_memory, ended.cpu_time) == (0, 10_000_000_000, 0.25)
    assert ended.ended >= ended.started
    with pytest.raises(RuntimeInvalidStateError, match=job.job_id):
        any_store.set_outcome(job.job_id, kept)


def test_an_exception_is_kept_with_all_that_was_said_of_it(any_store):
    job = running(any_store)
    kept = Outcome(
        False,
        exception_type="ValueError",
        exception_text="ValueError: \ud800 no",
        traceback="Traceback …",
        exception=b"pickle",
        interrupted=False,
    )
    any_store.set_outcome(job.job_id, kept)
    (ended,) = any_store.finish({job.job_id: Exit(code=1)})
    assert (ended.status, ended.error_kind, ended.error) == (JobStatus.ERROR, "exception", "ValueError: \\ud800 no")
    assert ended.traceback == "Traceback …"
    assert ended.result_encoding is None
    assert any_store.outcome(job.job_id).exception == b"pickle"


def test_a_job_that_returned_none_after_a_final_message_has_that_message_as_its_result(any_store):
    short, long, neither, both = (running(any_store) for _ in range(4))
    any_store.add_message(short.job_id, '{"e": -1.1}', final=True)
    any_store.add_message(long.job_id, '"' + "é" * 2_000_000 + '"', final=True)
    any_store.add_message(neither.job_id, "1")
    any_store.add_message(both.job_id, "1", final=True)
    for job in (short, long, neither):
        any_store.set_outcome(job.job_id, Outcome(True))
    any_store.set_outcome(both.job_id, Outcome(True, "json", b"2", "2"))
    ended = any_store.finish({job.job_id: Exit(code=0) for job in (short, long, neither, both)})
    assert [job.status for job in ended] == [JobStatus.DONE] * 4
    assert [job.result_encoding for job in ended] == ["json", "json", None, "json"]
    assert ended[0].result_preview == '{"e": -1.1}'
    assert len(ended[1].result_preview) == 200
    assert ended[3].result_preview == "2"
    bodies = [any_store.outcome(job.job_id).body for job in ended]
    assert bodies == [b'{"e": -1.1}', ('"' + "é" * 2_000_000 + '"').encode(), None, b"2"]


@pytest.mark.parametrize(
    ("left", "end", "asked", "status", "kind"),
    [
        (Outcome(True), Exit(code=0), False, "DONE", None),
        (Outcome(True), Exit(code=0), True, "DONE", None),
        (None, Exit(signal=9), True, "CANCELLED", None),
        (Outcome(False, exception_type="KeyboardInterrupt", interrupted=True), Exit(code=1), True, "CANCELLED", None),
        (None, Exit(signal=11), False, "ERROR", "signal"),
        (None, Exit(signal=9, timed_out=True), False, "ERROR", "timeout"),
        (None, Exit(signal=9, out_of_memory=True), False, "ERROR", "memory"),
        (None, Exit(code=3), False, "ERROR", "exit"),
        (None, Exit(lost=True), False, "ERROR", "lost"),
        (Outcome(True), Exit(lost=True), False, "DONE", None),
    ],
)
def test_facts_become_a_status(any_store, left, end, asked, status, kind):
    job = running(any_store, timeout=2.5)
    if asked:
        any_store.ask(job.job_id, "cancel", "kernel")
    if left is not None:
        any_store.set_outcome(job.job_id, left)
    (ended,) = any_store.finish({job.job_id: end})
    assert (ended.status, ended.error_kind, ended.exit_code, ended.exit_signal) == (status, kind, end.code, end.signal)
    assert any_store.commands("local", "agent-1") == []
    if kind == "timeout":
        assert "2.5 s" in ended.error


def test_a_final_status_never_changes_whatever_comes_later(any_store):
    job = running(any_store)
    (ended,) = any_store.finish({job.job_id: Exit(code=3)})
    gone = any_store.add_job(new_job())
    any_store.delete_job(gone.job_id)
    number = any_store.change_number()
    assert any_store.finish({gone.job_id: Exit(code=0), job.job_id: Exit(code=0)}) == [ended]
    any_store.note_cancel(job.job_id, "stopping", "too late")
    assert any_store.job(job.job_id) == ended
    assert any_store.change_number() == number
    assert any_store.finish({}) == []


def test_a_job_never_ends_before_it_started_even_if_the_clock_is_set_back(any_store, monkeypatch):
    job = running(any_store)
    monkeypatch.setattr(time, "time", lambda: job.started - 3600)
    (ended,) = any_store.finish({job.job_id: Exit(code=0)})
    assert ended.ended == job.started


def test_a_result_of_fifty_megabytes_is_kept_outside_the_database(any_store):
    job = running(any_store)
    kept = Outcome(True, "pickle", bytes(50_000_000), "array", exception=None)
    any_store.set_outcome(job.job_id, kept)
    any_store.finish({job.job_id: Exit(code=0)})
    assert any_store.outcome(job.job_id) == kept
    assert len(list((any_store.home / "blobs").iterdir())) == 1
    any_store.delete_job(job.job_id)
    assert not list((any_store.home / "blobs").iterdir())


def test_an_agents_news_and_its_next_jobs_are_one_transaction(any_store):
    ended, early, begun = (running(any_store) for _ in range(3))
    queued = any_store.add_job(new_job())
    number = any_store.change_number()
    left = Outcome(True, "json", b"7", "7")
    failed = Outcome(False, exception_type="ValueError", exception_text="ValueError: no", exception=b"pickle")
    news = News(
        processes={job.job_id: (40 + place, 1.5) for place, job in enumerate((ended, early, begun))},
        outcomes={ended.job_id: left, early.job_id: failed},
        ends={ended.job_id: Exit(code=0, cpu_time=0.5)},
    )
    (claimed,) = any_store.turn("local", "agent-1", 5, news)
    assert (claimed.job_id, claimed.status, claimed.agent) == (queued.job_id, "RUNNING", "agent-1")
    changed = {job.job_id: job for job in any_store.changes(number).jobs}
    assert set(changed) == {job.job_id for job in (ended, early, begun, queued)}
    done = changed[ended.job_id]
    assert (done.status, done.result_preview, done.pid, done.pid_started) == ("DONE", "7", 40, 1.5)
    assert (done.exit_code, done.cpu_time) == (0, 0.5)
    assert any_store.outcome(ended.job_id) == left
    assert changed[early.job_id].status == changed[begun.job_id].status == "RUNNING"
    assert any_store.outcome(early.job_id) == failed
    assert changed[begun.job_id].pid == 42
    assert any_store.turn("local", "agent-1", 0, News(ends={early.job_id: Exit(code=1)})) == []
    assert any_store.job(early.job_id).error == "ValueError: no"


def test_news_of_jobs_that_are_final_or_gone_change_nothing(any_store):
    final, gone = running(any_store), any_store.add_job(new_job())
    any_store.finish({final.job_id: Exit(code=3)})
    any_store.delete_job(gone.job_id)
    before, number = any_store.job(final.job_id), any_store.change_number()
    both = (final.job_id, gone.job_id)
    news = News(dict.fromkeys(both, (1, 1.0)), dict.fromkeys(both, Outcome(True)), dict.fromkeys(both, Exit(code=0)))
    assert any_store.turn("local", "agent-1", 1, news) == []
    assert any_store.job(final.job_id) == before
    assert any_store.change_number() == number
    assert any_store.outcome(final.job_id) is None


def test_the_first_outcome_counts_whichever_way_it_comes(any_store):
    job = running(any_store)
    any_store.set_outcome(job.job_id, Outcome(False, exception_type="ValueError", exception_text="ValueError: first"))
    any_store.turn("local", "agent-1", 0, News(outcomes={job.job_id: Outcome(True)}, ends={job.job_id: Exit(code=1)}))
    assert any_store.job(job.job_id).error == "ValueError: first"
    said = running(any_store)
    any_store.add_message(said.job_id, "5", final=True)
    any_store.turn("local", "agent-1", 0, News(outcomes={said.job_id: Outcome(True)}, ends={said.job_id: Exit(code=0)}))
    assert (any_store.job(said.job_id).status, any_store.job(said.job_id).result_preview) == ("DONE", "5")


def test_a_claim_tells_what_the_payloads_of_its_jobs_are_known_by(any_store):
    first, second = (any_store.add_job(new_job(inputs=inputs)) for inputs in (b"1", b"2"))
    claimed, payloads = any_store.turn_with_payloads("local", "agent-1", 1, News())
    assert [job.job_id for job in claimed] == [first.job_id]
    assert payloads == any_store.payload_keys([first.job_id])
    ended = News(outcomes={first.job_id: Outcome(True)}, ends={first.job_id: Exit(code=0)})
    claimed, payloads = any_store.turn_with_payloads("local", "agent-1", 5, ended)
    assert (any_store.job(first.job_id).status, [job.job_id for job in claimed]) == ("DONE", [second.job_id])
    assert payloads == any_store.payload_keys([second.job_id])
    assert any_store.turn_with_payloads("local", "agent-1", 5, News()) == ([], {})


def test_parts_of_payloads_are_had_by_what_they_are(any_store):
    large = bytes(2_000_000)
    one, two = any_store.add_job(new_job(inputs=b"1")), any_store.add_job(new_job(inputs=large))
    keys = any_store.payload_keys([one.job_id, two.job_id, "nobody"])
    assert set(keys) == {one.job_id, two.job_id}
    first, second = keys[one.job_id], keys[two.job_id]
    assert (first.program, first.context) == (second.program, second.context)
    assert [any_store.body(key) for key in (first.program, first.inputs, first.context)] == [b"a program", b"1", b"{}"]
    assert any_store.body(second.inputs) == large
    assert second.size - first.size == len(large) - 1
    assert first.output == str(any_store.log_path(one.job_id))
    with pytest.raises(LookupError):
        any_store.body("0" * 64)

"""Statuses, the table of their transitions, and how an ending is judged."""

from __future__ import annotations

import enum
import json
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest
from qiskit.providers import JobStatus as QiskitJobStatus

from jobdeck._status import (
    FINAL,
    TRANSITIONS,
    Exit,
    JobStatus,
    Report,
    Verdict,
    foremost,
    is_final,
    judge,
    may_follow,
    parse_status,
)


@pytest.mark.parametrize("status", JobStatus)
def test_a_status_equals_its_name_and_qiskits_member_of_that_name_and_no_other(status):
    assert status == status.name
    assert status.name == status
    assert str(status) == f"{status}" == status.name
    for theirs in QiskitJobStatus:
        assert (status == theirs) is (theirs == status) is (status.name == theirs.name)
        assert (status != theirs) is (theirs != status) is (status.name != theirs.name)
    assert hash(status) == hash(QiskitJobStatus[status.name]) == hash(status.name)
    assert {status.name: 1}[status] == {QiskitJobStatus[status.name]: 1}[status] == 1


def test_a_status_equals_nothing_else():
    assert JobStatus.DONE != 1
    assert (JobStatus.DONE == None) is False  # noqa: E711
    assert JobStatus.DONE != enum.Enum("Other", "DONE").DONE


def test_a_status_travels_through_json_and_pickle():
    assert json.loads(json.dumps(JobStatus.RUNNING)) == "RUNNING"
    assert pickle.loads(pickle.dumps(JobStatus.RUNNING)) is JobStatus.RUNNING


def test_an_unknown_word_stays_as_it_is_and_is_not_final():
    assert parse_status("DONE") is JobStatus.DONE
    assert parse_status("held in a queue") == "held in a queue"
    assert not is_final("held in a queue")
    assert not is_final("RUNNING")
    assert is_final("DONE")
    assert is_final(JobStatus.ERROR)


def test_the_table_names_every_status_and_lets_nothing_follow_a_final_one():
    assert set(TRANSITIONS) == set(JobStatus)
    assert {status for status, following in TRANSITIONS.items() if not following} == set(FINAL)
    for status in set(JobStatus) - FINAL:
        assert TRANSITIONS[status] >= FINAL, f"{status} has to be able to end"


@pytest.mark.parametrize("old", [*JobStatus, "odd"])
@pytest.mark.parametrize("new", [*JobStatus, "odd"])
def test_a_status_means_the_same_as_its_name_to_the_table(old, new):
    assert may_follow(old, new) == may_follow(str(old), str(new))
    if old == "odd":
        assert may_follow(old, new)
    elif new == "odd":
        assert may_follow(old, new) is not is_final(old)
    else:
        assert may_follow(old, new) is (new in TRANSITIONS[old])


RETURNED = Report(ok=True)
RAISED = Report(ok=False, exception_type="ValueError", exception_text="ValueError: no")
INTERRUPTED = Report(ok=False, exception_type="KeyboardInterrupt", exception_text="KeyboardInterrupt", interrupted=True)


@pytest.mark.parametrize("end", [Exit(code=0), Exit(signal=signal.SIGSEGV), Exit(timed_out=True), Exit(lost=True)])
@pytest.mark.parametrize("cancel_asked", [True, False])
def test_a_program_that_returned_is_done_whatever_came_after(end, cancel_asked):
    assert judge(RETURNED, end, cancel_asked=cancel_asked, timeout=1.0) == Verdict(JobStatus.DONE)


@pytest.mark.parametrize("report", [None, RAISED, INTERRUPTED])
@pytest.mark.parametrize("end", [Exit(code=1), Exit(signal=signal.SIGKILL), Exit(lost=True), Exit(timed_out=True)])
def test_one_that_was_asked_to_stop_and_stopped_is_cancelled_by_whatever_means(report, end):
    assert judge(report, end, cancel_asked=True) == Verdict(JobStatus.CANCELLED)


@pytest.mark.parametrize(
    ("report", "end", "kind", "words"),
    [
        (RAISED, Exit(code=1), "exception", "ValueError: no"),
        (RAISED, Exit(), "exception", "ValueError: no"),
        (INTERRUPTED, Exit(code=1), "exception", "KeyboardInterrupt"),
        (Report(False, "MemoryError", "MemoryError"), Exit(code=1), "memory", "MemoryError"),
        (Report(False, "SystemExit", "SystemExit: 3"), Exit(code=3), "exit", "SystemExit: 3"),
        (Report(False, "EngineError", "EngineError: no such python"), Exit(), "submit", "no such python"),
        (
            Report(False, "EngineError", "EngineError: told by a program"),
            Exit(code=1),
            "exception",
            "told by a program",
        ),
        (Report(False, "Odd"), Exit(code=1), "exception", "Odd"),
        (INTERRUPTED, Exit(code=1, timed_out=True), "timeout", "time limit of 2.5 s"),
        (None, Exit(signal=signal.SIGKILL, timed_out=True), "timeout", "time limit of 2.5 s"),
        (None, Exit(lost=True), "lost", "the agent that ran it is gone"),
        (None, Exit(), "lost", "nobody saw how"),
        (None, Exit(signal=signal.SIGKILL, out_of_memory=True), "memory", "memory ran out"),
        (None, Exit(signal=signal.SIGSEGV), "signal", "segmentation fault"),
        (None, Exit(signal=signal.SIGKILL), "signal", "from outside jobdeck"),
        (None, Exit(signal=signal.SIGUSR1), "signal", "SIGUSR1"),
        (None, Exit(signal=250), "signal", "signal 250"),
        (None, Exit(code=3), "exit", "exit code 3"),
        (None, Exit(code=0), "exit", "exit code 0"),
    ],
)
def test_what_went_wrong_is_told_apart_in_words(report, end, kind, words):
    verdict = judge(report, end, cancel_asked=False, timeout=2.5)
    assert (verdict.status, verdict.error_kind) == (JobStatus.ERROR, kind)
    assert verdict.error is not None
    assert words in verdict.error


def test_a_time_limit_that_nobody_named_is_left_out_of_the_words():
    assert judge(None, Exit(timed_out=True), cancel_asked=False).error == "stopped: it reached its time limit"


@pytest.mark.parametrize("case", json.loads((Path(__file__).parent / "wire" / "standings.json").read_text("utf-8")))
def test_of_several_jobs_that_status_is_told_that_says_most(case: dict[str, Any]):
    status = case["status"]
    facts = {name: value for name, value in case.items() if name != "status"}
    assert foremost(**facts) == status

"""What the service says of a job, as a person is told it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from jobdeck import JobStatus
from jobdeck.watchers.qiskit.service_words import message_in, reading_of, seconds, status_in


def said(status, **state):
    return {"id": "c1", "state": {"status": status, **state}}


def read(told, metrics=None, traceback=None):
    return reading_of("c1", told, metrics or {}, traceback)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Queued", JobStatus.QUEUED),
        ("Running", JobStatus.RUNNING),
        ("Completed", JobStatus.DONE),
        ("Failed", JobStatus.ERROR),
        ("Cancelled", JobStatus.CANCELLED),
        ("COMPLETED", JobStatus.DONE),
        ("Cancelled - Ran too long", JobStatus.ERROR),
    ],
)
def test_every_status_of_the_service_is_one_of_ours(word, status):
    assert status_in(said(word)) is status


def test_a_status_that_is_not_known_is_shown_as_it_is():
    assert status_in(said("In review")) == "In review"
    assert status_in({"id": "c1"}) == "unknown"
    assert status_in({"id": "c1", "state": None, "status": 7}) == "unknown"
    assert read(said("In review", reason="a person looks at it")).facts["status_text"] == "a person looks at it"


@pytest.mark.parametrize("name", ["reason_code", "reasonCode"])
def test_a_job_that_ran_too_long_has_failed_though_the_service_says_cancelled(name):
    reading = read(said("Cancelled", reason="ran too long", **{name: 1305}))
    assert reading.status is JobStatus.ERROR
    assert "maximum execution time" in reading.error
    assert reading.error_kind == "timeout"


def test_a_failure_is_told_by_its_reason_else_by_its_traceback():
    assert read(said("Failed", reason="too deep", reason_code=1517)).error == "too deep (error code 1517)"
    traceback = "a warning\nTraceback (most recent call last):\nValueError: too deep\n"
    assert read(said("Failed"), traceback=traceback).error.startswith("Traceback")
    assert "does not say why" in read(said("Failed"), traceback="").error


def test_the_facts_are_those_that_matter_now():
    waiting = {**said("Queued"), "session_id": "s1", "estimated_running_time_seconds": 3.5, "usage": {"seconds": 0}}
    metrics = {"position_in_queue": 7, "estimated_start_time": "2026-03-01T09:00:00Z"}
    assert read(waiting, metrics).facts == {
        "id": "c1",
        "session": "s1",
        "queue_place": 7,
        "estimated_start": datetime(2026, 3, 1, 9, tzinfo=timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M"),
        "estimated_usage": 3.5,
    }
    done = {**waiting, **said("Completed"), "usage": {"seconds": 2.5}}
    assert read(done, metrics).facts == {"id": "c1", "session": "s1", "usage": 2.5}


def test_the_final_usage_is_that_of_the_metrics():
    done = {**said("Completed"), "usage": {"seconds": 2.0}}
    assert read(done, {"usage": {"qpu_charge_time_seconds": 3.0}}).facts["usage"] == 3.0


def test_a_place_in_the_queue_may_be_words():
    assert read(said("Queued"), {"position_in_queue": ">2000"}).facts["queue_place"] == ">2000"


def test_times_are_read_in_every_form():
    assert seconds("1970-01-01T00:00:01Z") == 1.0
    assert seconds("1970-01-01T00:00:01.250Z") == 1.25
    assert seconds("1970-01-01T00:00:01.25") == 1.25
    assert seconds("1970-01-01T02:00:01.123456+02:00") == pytest.approx(1.123456)
    assert seconds("soon") is None
    assert seconds(None) is None


def test_an_error_of_the_library_is_cut_down_to_what_the_service_says():
    text = '409 Client Error: Conflict for url: http://x/jobs/c1/cancel. {"errors": [{"message": "it is \\"final\\""}]}'
    assert message_in(RuntimeError(text)) == 'it is "final"'
    assert message_in(RuntimeError("first\nsecond")) == "first"
    assert message_in(RuntimeError()) == "RuntimeError"

"""How little the service is asked: one request for many jobs, one a second in the long run."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from jobdeck.watchers.qiskit.service_line import BURST, GONE_AFTER, PAGE, Line
from jobdeck.watchers.qiskit.service_words import status_in

from .clocks import Clock
from .scripted import Fault

LIST, ONE, METRICS = "GET /jobs", "GET /jobs/{id}", "GET /jobs/{id}/metrics"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def line(service, clock):
    return Line(service, service._get_api_client(), clock=clock, pause=clock.pause)


@pytest.fixture
def follow(line):
    """Follow jobs; gives back their ids."""

    def follow(jobs):
        for job in jobs:
            line.follow(job.job_id)
        return [job.job_id for job in jobs]

    return follow


def words(seen):
    return [each if isinstance(each, Exception) else status_in(each.said) for each in seen.values()]


def test_many_jobs_take_one_request(scripted, line, follow):
    ids = follow(scripted.add(PAGE))
    assert words(line.look(ids)) == ["QUEUED"] * PAGE
    assert scripted.asked(LIST) == 1
    assert scripted.asked(ONE) == 0


def test_as_many_pages_are_asked_for_as_it_takes(scripted, line, follow):
    ids = follow(scripted.add(2 * PAGE + 1))
    assert words(line.look(ids)) == ["QUEUED"] * len(ids)
    assert scripted.asked(LIST, ONE) == 3


def test_one_job_is_asked_for_alone_and_so_are_a_few_old_ones(scripted, line, follow, clock):
    old = follow(scripted.add(2))
    scripted.add(5 * PAGE)
    line.look(old)
    clock.pause(60)
    before = scripted.asked(LIST)
    assert words(line.look(old)) == ["QUEUED"] * 2
    assert scripted.asked(LIST) == before
    assert scripted.asked(ONE) == 4


def test_jobs_that_are_looked_at_one_by_one_cost_no_more(scripted, line, follow):
    ids = follow(scripted.add(PAGE))
    for job_id in ids:
        assert words(line.look([job_id])) == ["QUEUED"]
    assert scripted.asked(LIST, ONE) == 1


def test_hundreds_of_jobs_cost_one_request_a_second_however_often_they_are_looked_at(scripted, line, follow, clock):
    ids = follow(scripted.add(PAGE + 1))
    seconds = 40
    for _ in range(4 * seconds):
        line.look(ids)
        clock.pause(0.25)
    assert scripted.asked() <= seconds + BURST


def test_an_end_is_seen_and_asked_for_no_more(scripted, line, follow, clock):
    ids = follow(scripted.add(2))
    line.look(ids)
    for job_id in ids:
        scripted.finish(job_id, "{}", seconds=4.0)
    clock.pause(60)
    seen = line.look(ids)
    assert words(seen) == ["DONE", "DONE"]
    asked = scripted.asked(LIST, ONE)
    clock.pause(60)
    assert words(line.look(ids)) == ["DONE", "DONE"]
    assert scripted.asked(LIST, ONE) == asked


def test_an_empty_purse_gives_what_is_known_and_waits_only_for_what_is_not(scripted, line, follow, clock):
    ids = follow(scripted.add(2 * PAGE))
    for _ in range(5):
        line.look(ids)
        clock.now += 0.95
    scripted.run(ids[0])
    assert clock.paused == 0
    new = follow(scripted.add(1))
    assert words(line.look(new)) == ["QUEUED"]
    assert clock.paused <= 5


def test_places_in_the_queue_are_asked_for_with_what_is_left(scripted, line, follow, clock):
    ids = follow(scripted.add(3, place=7))
    for _ in range(25):
        seen = line.look(ids)
        clock.pause(2.0)
    assert [known.metrics["position_in_queue"] for known in seen.values()] == [7, 7, 7]
    assert 6 <= scripted.asked(METRICS) <= 9
    assert scripted.asked() <= 50 + BURST


def test_places_that_nobody_is_told_are_not_asked_for_again(scripted, line, follow, clock):
    ids = follow(scripted.add(5))
    for _ in range(40):
        line.look(ids)
        clock.pause(1.0)
    assert scripted.asked(METRICS) == 3


def test_trouble_with_metrics_keeps_no_status_from_being_told(scripted, line, follow):
    scripted.always(METRICS, Fault(500))
    ids = follow(scripted.add(2))
    assert words(line.look(ids)) == ["QUEUED", "QUEUED"]


def test_a_failing_service_is_asked_once_a_look(scripted, line, follow, clock):
    ids = follow(scripted.add(10))
    scripted.always(LIST, Fault(500, "down for a moment"))
    seen = line.look(ids)
    assert all("down for a moment" in str(error) for error in seen.values())
    assert scripted.asked(LIST) == 1
    scripted.always(LIST, None)
    clock.pause(2)
    assert words(line.look(ids)) == ["QUEUED"] * 10


def test_a_service_that_wants_to_be_left_alone_is(scripted, line, follow, clock):
    ids = follow(scripted.add(10))
    scripted.next(LIST, Fault(429, "slow down", retry_after=90))
    for _ in range(89):
        assert all("slow down" in str(error) for error in line.look(ids).values())
        clock.pause(1.0)
    assert scripted.asked(LIST) == 1
    clock.pause(2.0)
    assert words(line.look(ids)) == ["QUEUED"] * 10


def test_what_was_learned_before_the_connection_broke_counts(scripted, line, follow):
    ids = follow(scripted.add(2 * PAGE))
    scripted.next(LIST, Fault(gate=None), Fault(502))
    seen = line.look(ids)
    told = [each for each in seen.values() if not isinstance(each, Exception)]
    assert len(told) == PAGE


def test_answers_that_are_long_in_coming_are_asked_for_once(scripted, service, follow, clock):
    def answer_late(client, **how):
        clock.pause(20)
        return page(**how)

    line = Line(service, service._get_api_client(), clock=clock, pause=clock.pause)
    client = line.client
    page, client.jobs_get = client.jobs_get, partial(answer_late, client)
    ids = [job.job_id for job in scripted.add(2 * PAGE)]
    assert words(line.look(ids)) == ["QUEUED"] * len(ids)
    assert scripted.asked(LIST) == 2


def test_a_service_with_shorter_pages_is_asked_for_those(scripted, line, follow, clock, monkeypatch):
    monkeypatch.setattr("service.scripted_state.MOST", 50)
    ids = follow(scripted.add(50))
    assert words(line.look(ids)) == ["QUEUED"] * 50
    clock.pause(10)
    before = scripted.asked(LIST)
    assert words(line.look(ids)) == ["QUEUED"] * 50
    assert scripted.asked(LIST) == before + 3
    assert scripted.asked(ONE) == 0


def test_a_service_that_lists_jobs_in_another_way_is_asked_for_each_alone(scripted, line, follow):
    ids = follow(scripted.add(3))
    line.client.jobs_get = lambda **how: {"items": []}
    assert words(line.look(ids)) == ["QUEUED"] * 3
    assert scripted.asked(ONE) == 3


def test_a_list_without_statuses_is_made_up_for(scripted, line, follow):
    ids = follow(scripted.add(3))
    line.client.jobs_get = lambda **how: {"jobs": [{"id": job_id} for job_id in ids], "count": 3}
    assert words(line.look(ids)) == ["QUEUED"] * 3
    assert scripted.asked(ONE) == 3


def test_a_job_that_stays_unknown_to_the_service_is_over_in_the_end(scripted, line, follow, clock):
    (job,) = scripted.add(1)
    follow([job])
    line.look([job.job_id])
    del scripted.state.jobs[job.job_id]
    clock.pause(5)
    (seen,) = line.look([job.job_id]).values()
    assert isinstance(seen, LookupError)
    clock.pause(GONE_AFTER)
    (seen,) = line.look([job.job_id]).values()
    assert status_in(seen.said) == "ERROR"


def test_a_job_that_is_not_listed_yet_is_waited_for(scripted, line, follow, clock):
    (job,) = scripted.add(1)
    del scripted.state.jobs[job.job_id]
    line.follow(job.job_id)
    assert isinstance(line.look([job.job_id])[job.job_id], LookupError)
    scripted.state.jobs[job.job_id] = job
    clock.pause(5)
    assert words(line.look([job.job_id])) == ["QUEUED"]


def test_a_list_that_lags_behind_takes_back_no_end(scripted, line, follow, clock):
    ids = follow(scripted.add(30))
    for job_id in ids:
        line.look([job_id])
    scripted.finish(ids[0], "{}")
    clock.pause(5)
    assert words(line.look(ids[:1])) == ["DONE"]
    scripted.state.jobs[ids[0]].status = "Running"
    clock.pause(5)
    assert words(line.look(ids))[0] == "DONE"


def test_a_failure_without_a_reason_is_told_by_its_traceback(scripted, line, follow):
    (job,) = scripted.add(1)
    follow([job])
    scripted.fail(job.job_id, result="some warning\nTraceback (most recent call last):\nValueError: too deep")
    (seen,) = line.look([job.job_id]).values()
    assert "too deep" in seen.traceback
    line.look([job.job_id])
    assert scripted.asked("GET /jobs/{id}/results") == 1


def test_nothing_is_kept_of_jobs_that_nobody_follows(scripted, line, follow, clock):
    ids = follow(scripted.add(50, ended=None))
    line.look(ids)
    for job_id in ids[1:]:
        line.leave(job_id)
    clock.pause(timedelta(minutes=2).total_seconds())
    line.look(ids[:1])
    assert set(line._known) == {ids[0]}


def test_a_job_of_a_newer_client_renews_the_connection(scripted, line, follow, clock):
    ids = follow(scripted.add(2))
    line.look(ids)
    scripted.bearers.clear()
    clock.pause(5)
    assert all("not valid" in str(error) for error in line.look(ids).values())
    from qiskit_ibm_runtime import QiskitRuntimeService

    newer = QiskitRuntimeService(**scripted.account)
    line.renew(newer, newer._get_api_client())
    clock.pause(5)
    assert words(line.look(ids)) == ["QUEUED"] * 2

"""A job of the service as the bridge sees it: read, cancelled, its result fetched, by the library's own classes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import partial

import pytest
from qiskit_ibm_runtime import Batch, QiskitRuntimeService, SamplerV2, Session

from jobdeck import JobCancelledError, JobStatus, RuntimeInvalidStateError, RuntimeJobFailureError
from jobdeck.watchers import Reading
from jobdeck.watchers.qiskit.service import ServiceJob, adapt, reattach
from jobdeck.watchers.qiskit.service_line import Line
from jobdeck.watchers.qiskit.service_session import is_session, jobs_of
from jobdeck.watchers.reattachment import NotReachable

from .clocks import Clock
from .scripted import BACKEND, Fault, ScriptedService


@pytest.fixture
def clock(monkeypatch):
    """What the connections of this process go by."""
    moved = Clock()
    monkeypatch.setattr("jobdeck.watchers.qiskit.service.Line", partial(Line, clock=moved, pause=moved.pause))
    return moved


@pytest.fixture
def sampled(service, bell):
    """A job that was submitted a moment ago."""
    options = {"environment": {"job_tags": ["mine"]}}
    return SamplerV2(mode=service.backend(BACKEND), options=options).run([bell], shots=100)


@pytest.fixture
def watched(sampled, clock):
    found = adapt(sampled)
    yield found
    found.close()


def test_what_is_known_of_a_job_costs_no_request(scripted, sampled):
    before = scripted.asked()
    watched = adapt(sampled)
    assert (watched.name, watched.backend, watched.tags) == ("sampler", BACKEND, ("mine",))
    assert watched.survives
    assert scripted.asked() == before


def test_of_the_account_nothing_is_kept_but_where_the_job_is(scripted, watched, sampled):
    assert watched.source == {
        "system": "ibm-runtime",
        "id": sampled.job_id(),
        "channel": "ibm_quantum_platform",
        "instance": scripted.crn,
        "url": scripted.url,
    }
    assert scripted.token not in json.dumps(watched.source)


def test_a_local_job_of_the_library_is_none_of_the_services(bell):
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    assert adapt(SamplerV2(mode=FakeManilaV2()).run([bell])) is None
    assert adapt(object()) is None


def test_a_job_is_followed_through_its_life(scripted, watched, sampled, clock):
    assert watched.read().status is JobStatus.QUEUED
    clock.pause(10)
    scripted.run(sampled.job_id())
    assert watched.read().status is JobStatus.RUNNING
    clock.pause(10)
    scripted.finish(sampled.job_id(), seconds=2.5)
    reading = watched.read()
    assert reading.status is JobStatus.DONE
    assert reading.facts["usage"] == 2.5
    assert set(reading.times) == {"started", "ended"}
    assert sum(watched.result()[0].data.meas.get_counts().values()) == 100


def test_a_result_takes_one_request(scripted, watched, sampled):
    scripted.finish(sampled.job_id())
    watched.read()
    before = scripted.asked()
    watched.result()
    assert scripted.asked() == before + 1


def test_a_result_may_be_empty(scripted, watched, sampled):
    scripted.finish(sampled.job_id(), "")
    assert watched.result() is None


def test_a_decoder_of_ones_own_is_used(scripted, service):
    from qiskit_ibm_runtime.decoders.result_decoder import ResultDecoder

    class Shout(ResultDecoder):
        @classmethod
        def decode(cls, data):
            return super().decode(data).upper()

    job = service._run("sampler", {"version": 2}, {"backend": service.backend(BACKEND)}, result_decoder=Shout)
    watched = adapt(job)
    scripted.finish(job.job_id(), '"quiet"')
    assert watched.result() == "QUIET"


def test_jobs_are_read_together(scripted, service):
    made = {job.job_id for job in scripted.add(50)}
    several = [adapt(job) for job in service.jobs(limit=50)]
    assert len({each.bulk_key for each in several}) == 1
    before = scripted.asked()
    readings = ServiceJob.read_many(several)
    assert {reading.facts["id"] for reading in readings.values()} == made
    assert scripted.asked("GET /jobs", "GET /jobs/{id}/metrics") <= before + 2


def test_the_persons_own_connection_is_left_alone(watched, sampled):
    assert watched._line.client is not sampled._api_client
    adapters = sampled._api_client._session.adapters
    assert all(adapter.max_retries.total == 5 for adapter in adapters.values())


def test_a_job_that_was_told_to_cancel_is_cancelled_when_it_is(scripted, watched, sampled, clock):
    scripted.run(sampled.job_id())
    scripted.state.job(sampled.job_id()).stops = "later"
    assert watched.cancel() is None
    assert watched.read().status is JobStatus.RUNNING
    assert sampled.status() == "RUNNING"
    clock.pause(10)
    scripted.state.end(sampled.job_id(), "Cancelled")
    assert watched.read().status is JobStatus.CANCELLED


def test_a_job_that_ends_before_its_cancel_is_done(scripted, watched, sampled):
    scripted.run(sampled.job_id())
    scripted.state.job(sampled.job_id()).stops = "later"
    sampled.cancel()
    scripted.finish(sampled.job_id())
    assert sampled.status() == "CANCELLED"
    assert watched.read().status is JobStatus.DONE
    assert watched.result() is not None


def test_an_answer_that_does_not_come_is_not_waited_for_without_end(scripted, watched, monkeypatch):
    monkeypatch.setattr("jobdeck.watchers.qiskit.service_client.TIMEOUT", (5.0, 0.2))
    gate = threading.Event()
    scripted.next("GET /jobs", Fault(gate=gate))
    with pytest.raises(ConnectionError, match="does not answer"):
        watched.read()
    gate.set()


def test_a_refused_cancel_says_why(scripted, watched, sampled):
    scripted.run(sampled.job_id())
    scripted.state.job(sampled.job_id()).stops = "refused"
    with pytest.raises(RuntimeInvalidStateError, match="refuses: The job is being finished and cannot be cancelled"):
        watched.cancel()
    scripted.next("POST /jobs/{id}/cancel", Fault(503))
    with pytest.raises(ConnectionError, match="in trouble"):
        watched.cancel()
    del scripted.state.jobs[sampled.job_id()]
    with pytest.raises(RuntimeInvalidStateError, match="does not know"):
        watched.cancel()


def test_a_result_that_cannot_be_had_now_is_asked_for_again(scripted, watched, sampled):
    scripted.finish(sampled.job_id())
    results = "GET /jobs/{id}/results"
    for status in (500, 503, 429, 401):
        scripted.next(results, Fault(status))
        with pytest.raises(ConnectionError, match="IBM's service"):
            watched.result()
    scripted.go_down()
    with pytest.raises(OSError, match="cannot be reached"):
        watched.result()
    scripted.come_back()
    assert watched.result() is not None


def test_how_it_ended_is_believed_where_the_result_says_otherwise(watched, monkeypatch):
    from qiskit_ibm_runtime import RuntimeJobV2, exceptions

    def fail(self):
        raise exceptions.RuntimeJobFailureError("Unable to retrieve job result. too deep")

    monkeypatch.setattr(RuntimeJobV2, "result", fail)
    with pytest.raises(RuntimeJobFailureError, match="too deep"):
        watched.result()

    def cancelled(self):
        raise exceptions.RuntimeInvalidStateError("Job was cancelled.")

    monkeypatch.setattr(RuntimeJobV2, "result", cancelled)
    with pytest.raises(JobCancelledError):
        watched.result()


def test_a_job_of_the_first_version_tells_its_interim_results_when_it_is_over(scripted, service, clock):
    (made,) = scripted.add(1)
    job = service.job(made.job_id)

    class RuntimeJob:
        _service, _api_client, _program_id = service, job._api_client, "sampler"

        def job_id(self):
            return made.job_id

        def interim_results(self):
            return [1, {"energy": -1.1}]

        def result(self):
            return "its own"

    RuntimeJob.__module__ = "qiskit_ibm_runtime.runtime_job"
    watched = adapt(RuntimeJob())
    assert watched.read().messages == ()
    clock.pause(10)
    scripted.finish(made.job_id, "{}")
    assert watched.read().messages == [1, {"energy": -1.1}]
    assert watched.result() == "its own"


def test_the_jobs_of_a_batch_are_listed_with_those_made_elsewhere(service, bell):
    with Batch(backend=service.backend(BACKEND)) as batch:
        mine = [SamplerV2(mode=batch).run([bell]) for _ in range(2)]
    elsewhere = Batch.from_id(batch.session_id, service)
    assert is_session(elsewhere)
    assert [job.job_id() for job in jobs_of(elsewhere)] == [job.job_id() for job in mine]


def test_jobs_of_a_session_or_batch_belong_to_its_group(service, bell, sampled):
    with Batch(backend=service.backend(BACKEND)) as batch:
        job = SamplerV2(mode=batch).run([bell])
        assert adapt(job).group == ("session", batch.session_id, f"batch on {BACKEND}")
    with Session(backend=service.backend(BACKEND)) as session:
        job = SamplerV2(mode=session).run([bell])
        assert adapt(job).group == ("session", session.session_id, f"session on {BACKEND}")
    assert adapt(sampled).group is None


def test_a_session_with_a_simulator_is_none_of_the_services():
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    assert not is_session(Session(backend=FakeManilaV2()))


def test_a_saved_account_reaches_a_job_again(scripted, sampled, clock):
    source = adapt(sampled).source
    QiskitRuntimeService.save_account(**scripted.account)
    again = reattach(source)
    assert again.read().status is JobStatus.QUEUED
    scripted.finish(sampled.job_id())
    clock.pause(10)
    assert again.read().status is JobStatus.DONE
    assert again.result()[0].data.meas.num_shots == 100


def test_jobs_that_are_reached_again_share_one_connection(scripted):
    QiskitRuntimeService.save_account(**scripted.account)
    source = {"system": "ibm-runtime", "channel": "ibm_quantum_platform", "instance": scripted.crn, "url": scripted.url}
    several = [reattach({**source, "id": job.job_id}) for job in scripted.add(30)]
    assert all(isinstance(each.read(), Reading) for each in several)
    assert scripted.asked("GET /jobs", "GET /jobs/{id}") <= 3
    assert scripted.asked("GET /backends") == 1


def test_the_account_that_was_saved_for_the_instance_is_taken_of_several(scripted, sampled):
    source = adapt(sampled).source
    other = ScriptedService()
    try:
        QiskitRuntimeService.save_account(**other.account, set_as_default=True)
        QiskitRuntimeService.save_account(**scripted.account, name="second")
        assert reattach(source).read().status is JobStatus.QUEUED
    finally:
        other.close()
    assert other.asked("POST /identity/token") == 0


def test_without_an_account_it_says_which_one_is_needed(scripted, watched):
    source = dict(watched.source)
    forget(watched)
    with pytest.raises(NotReachable, match=r"saved account needed: QiskitRuntimeService.save_account\(channel='ibm_qu"):
        reattach(source)


def test_an_account_of_another_address_is_never_sent_there(scripted, watched):
    source = {**watched.source, "url": "http://elsewhere.test"}
    forget(watched)
    QiskitRuntimeService.save_account(**scripted.account)
    with pytest.raises(NotReachable, match=r"is for http://cloud\.test"):
        reattach(source)


def test_an_account_without_access_to_the_instance_does_not_do(scripted, watched):
    source = {**watched.source, "instance": scripted.crn.replace("crn:v1", "crn:v2")}
    forget(watched)
    QiskitRuntimeService.save_account(**scripted.account)
    with pytest.raises(NotReachable, match="does not have access"):
        reattach(source)


def test_an_account_with_a_token_that_is_no_good_any_more_does_not_do(scripted, watched):
    source = dict(watched.source)
    forget(watched)
    QiskitRuntimeService.save_account(**{**scripted.account, "token": "revoked"})
    with pytest.raises(NotReachable, match="valid API token"):
        reattach(source)


def test_a_service_that_is_down_is_no_missing_account(scripted, watched):
    source = dict(watched.source)
    forget(watched)
    QiskitRuntimeService.save_account(**scripted.account)
    scripted.always("POST /identity/token", Fault(503))
    with pytest.raises(ConnectionError):
        reattach(source)


def test_a_kernel_without_the_library_says_that_it_needs_it():
    code = """
import sys
sys.modules["qiskit_ibm_runtime"] = sys.modules["requests"] = None
from jobdeck.watchers import reattach
from jobdeck.watchers.reattachment import NotReachable
try:
    reattach({"system": "ibm-runtime", "id": "c1", "channel": "ibm_quantum_platform", "instance": "crn:v1"})
except NotReachable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "this kernel lacks qiskit-ibm-runtime" in done.stdout
    assert "pip install 'jobdeck[qiskit]'" in done.stdout


def test_a_source_of_no_instance_is_nobodys():
    assert reattach({"system": "ibm-runtime", "id": "c1"}) is None


def forget(watched):
    """Be a process that has not heard of the service yet."""
    from jobdeck.watchers.qiskit import service

    watched.close()
    service._lines.clear()
    service._failures.clear()

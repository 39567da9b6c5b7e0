"""The client library, as it is, finds in the scripted server all that it asks the service for."""

from __future__ import annotations

import pytest
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import Batch, EstimatorV2, QiskitRuntimeService, RuntimeJobV2, SamplerV2, Session
from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeInvalidStateError, RuntimeJobNotFound

from .scripted import BACKEND, Fault


def test_a_sampler_job_goes_from_the_queue_to_its_counts(scripted, service, bell):
    job = SamplerV2(mode=service.backend(BACKEND)).run([bell], shots=200)
    assert isinstance(job, RuntimeJobV2)
    assert job.status() == "QUEUED"
    scripted.run(job.job_id())
    assert job.status() == "RUNNING"
    scripted.finish(job.job_id(), seconds=2.5)
    counts = job.result()[0].data.meas.get_counts()
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 200
    assert job.usage() == 2.5


def test_an_estimator_job_gives_expectation_values(scripted, service, bell):
    circuit = bell.remove_final_measurements(inplace=False)
    job = EstimatorV2(mode=service.backend(BACKEND)).run([(circuit, SparsePauliOp(["ZZ", "ZI"]))])
    scripted.finish(job.job_id())
    assert job.result()[0].data.evs == pytest.approx(1.0)


def test_an_instance_is_found_by_its_name(scripted):
    account = {**scripted.account, "instance": "scripted"}
    assert QiskitRuntimeService(**account).active_instance() == scripted.crn


def test_an_account_can_be_saved_and_found_again(scripted):
    QiskitRuntimeService.save_account(**scripted.account)
    assert [backend.name for backend in QiskitRuntimeService().backends()] == [BACKEND]


def test_a_job_that_has_ended_refuses_to_be_cancelled(scripted, service, bell):
    job = SamplerV2(mode=service.backend(BACKEND)).run([bell])
    scripted.finish(job.job_id())
    with pytest.raises(RuntimeInvalidStateError, match="final state"):
        job.cancel()
    waiting = SamplerV2(mode=service.backend(BACKEND)).run([bell])
    waiting.cancel()
    assert scripted.state.job(waiting.job_id()).status == "Cancelled"


def test_a_failed_job_tells_why(scripted, service, bell):
    job = SamplerV2(mode=service.backend(BACKEND)).run([bell])
    scripted.fail(job.job_id(), "the circuit is too deep", 1517)
    assert job.status() == "ERROR"
    assert "the circuit is too deep" in (job.error_message() or "")


def test_an_unknown_job_is_not_found(service):
    with pytest.raises(RuntimeJobNotFound):
        service.job("nobody")


def test_jobs_are_listed_page_by_page(scripted, service):
    scripted.add(45)
    assert len({job.job_id() for job in service.jobs(limit=None)}) == 45
    assert scripted.asked("GET /jobs") == 3
    assert [job.job_id() for job in service.jobs(limit=2, skip=1)] == [
        job.job_id for job in list(scripted.state.jobs.values())[-2:-4:-1]
    ]


def test_tags_are_replaced(scripted, service, bell):
    job = SamplerV2(mode=service.backend(BACKEND), options={"environment": {"job_tags": ["first"]}}).run([bell])
    assert job.update_tags(["second"]) == ["second"]
    assert [each.job_id() for each in service.jobs(job_tags=["second"])] == [job.job_id()]


@pytest.mark.parametrize(("kind", "mode"), [(Session, "dedicated"), (Batch, "batch")])
def test_sessions_and_batches_hold_jobs_and_close(scripted, service, bell, kind, mode):
    with kind(backend=service.backend(BACKEND)) as session:
        job = SamplerV2(mode=session).run([bell])
        assert session.details()["mode"] == mode
        assert job.session_id == session.session_id
        assert "accepting" in session.status()
    assert [each.job_id() for each in service.jobs(session_id=session.session_id)] == [job.job_id()]
    assert "not accepting" in session.status()
    session.cancel()
    assert job.status() == "CANCELLED"


def test_it_fails_waits_and_hurries_as_told(scripted, service):
    (made,) = scripted.add(1)
    scripted.next("GET /jobs/{id}", Fault(status=400, message="not like this"))
    with pytest.raises(IBMRuntimeError, match="not like this"):
        service.job(made.job_id)
    assert service.job(made.job_id).job_id() == made.job_id
    assert scripted.asked("GET /jobs/{id}") == 2


def test_connections_are_refused_while_it_is_down(scripted, service):
    (made,) = scripted.add(1)
    job = service.job(made.job_id)
    scripted.go_down()
    session = job._api_client._session
    session._initialize_retry(0, 0, 0)
    with pytest.raises(Exception, match=r"refused|aborted|Max retries"):
        job.status()
    scripted.come_back()
    assert job.status() == "QUEUED"

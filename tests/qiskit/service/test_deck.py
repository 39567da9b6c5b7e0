"""Jobs of the service in the deck: from `watch` to the row, with the real bridge."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from qiskit_ibm_runtime import Batch, SamplerV2, Session

from jobdeck import Deck, EngineError, InvalidInputError, RuntimeJobFailureError
from jobdeck.watchers.qiskit import service as service_module
from jobdeck.watchers.qiskit import service_line

from .scripted import BACKEND, Fault


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Ask as often as it takes to be done soon."""
    monkeypatch.setattr(service_module.ServiceJob, "pace", (0.02, 0.1))
    monkeypatch.setattr(service_line, "RATE", 1000.0)
    monkeypatch.setattr(service_line, "_FRESH", 0.0)


@pytest.fixture
def deck(home, scripted, until):
    """A deck whose jobs are over in the end, so that nobody watches them any more."""
    with Deck(home) as opened:
        yield opened
        for job in list(scripted.state.jobs.values()):
            if job.is_pending:
                scripted.state.end(job.job_id, "Cancelled")
        until(lambda: not opened._service.bridge.is_busy)


@pytest.fixture
def submit(service, bell):
    backend = service.backend(BACKEND)
    return lambda **options: SamplerV2(mode=backend, options=options).run([bell], shots=64)


def facts(deck, job):
    return deck.store.job(job.job_id()).facts


def test_a_job_of_the_service_goes_through_its_life_in_the_deck(scripted, deck, submit, until):
    theirs = submit(environment={"job_tags": ["bell"]})
    scripted.state.job(theirs.job_id()).place = 3
    job = deck.watch(theirs)
    record = deck.store.job(job.job_id())
    assert (record.name, record.engine, record.backend, record.tags) == ("sampler", "ibm-runtime", BACKEND, ("bell",))
    until(lambda: facts(deck, job).get("queue_place") == 3)
    scripted.run(theirs.job_id())
    until(job.running)
    scripted.finish(theirs.job_id(), seconds=2.5)
    assert job.result(10)[0].data.meas.num_shots == 64
    assert facts(deck, job)["usage"] == 2.5
    assert facts(deck, job)["id"] == theirs.job_id()
    assert "counts" in (deck.store.job(job.job_id()).chart or "")
    assert scripted.asked("GET /jobs/{id}/results") == 1


def test_no_token_is_anywhere_in_the_store(scripted, deck, submit, home):
    theirs = submit()
    job = deck.watch(theirs)
    scripted.finish(theirs.job_id())
    job.result(10)
    deck.close()
    files = [path for path in Path(home).rglob("*") if path.is_file()]
    secrets = [scripted.token, *scripted.bearers]
    assert any(theirs.job_id().encode() in path.read_bytes() for path in files)
    assert not [path for path in files for secret in secrets if secret.encode() in path.read_bytes()]


def test_a_status_that_is_not_known_is_shown_and_is_not_the_end(scripted, deck, submit, until):
    theirs = submit()
    job = deck.watch(theirs)
    scripted.state.job(theirs.job_id()).status = "In review"
    until(lambda: job.status() == "In review")
    assert not job.in_final_state()
    scripted.finish(theirs.job_id())
    until(job.done)


def test_a_failure_says_why(scripted, deck, submit):
    theirs = submit()
    job = deck.watch(theirs)
    scripted.fail(theirs.job_id(), "the circuit is too deep", 1517)
    with pytest.raises(RuntimeJobFailureError, match="too deep"):
        job.result(10)
    assert job.error_message().startswith("the circuit is too deep (error code 1517)")


def test_a_cancel_is_what_the_service_makes_of_it(scripted, deck, submit, until):
    theirs = submit()
    job = deck.watch(theirs)
    scripted.run(theirs.job_id())
    scripted.state.job(theirs.job_id()).stops = "refused"
    until(job.running)
    job.cancel()
    record = until(lambda: (found := deck.store.job(job.job_id())).cancel_state == "refused" and found)
    assert "the service refuses: The job is being finished" in record.cancel_note
    assert job.running()
    scripted.state.job(theirs.job_id()).stops = "later"
    job.cancel()
    until(lambda: scripted.state.job(theirs.job_id()).cancels == 2)
    until(lambda: deck.store.job(job.job_id()).cancel_state == "stopping")
    assert job.running()
    scripted.state.end(theirs.job_id(), "Cancelled")
    until(job.cancelled)


def test_a_waiting_job_is_cancelled_for_good(scripted, deck, submit, until):
    theirs = submit()
    job = deck.watch(theirs)
    until(lambda: job.status() == "QUEUED")
    job.cancel()
    until(job.cancelled)
    assert scripted.state.job(theirs.job_id()).status == "Cancelled"


def test_the_same_job_by_two_objects_is_one_row(scripted, service, deck, submit):
    theirs = submit()
    assert deck.watch(theirs) is deck.watch(service.job(theirs.job_id()))
    assert len(deck.jobs()) == 1


def test_the_jobs_of_a_batch_are_one_group(service, deck, bell):
    with Batch(backend=service.backend(BACKEND)) as batch:
        several = [deck.watch(SamplerV2(mode=batch).run([bell])) for _ in range(3)]
    (group,) = deck.groups()
    assert group.name == f"batch on {BACKEND}"
    assert [job.job_id() for job in group.jobs()] == [job.job_id() for job in several]


@pytest.mark.parametrize("kind", [Session, Batch])
def test_a_session_is_watched_as_a_group_with_the_jobs_that_it_has_and_gets(scripted, service, deck, bell, kind, until):
    with kind(backend=service.backend(BACKEND)) as session:
        sampler = SamplerV2(mode=session)
        first = [sampler.run([bell]) for _ in range(2)]
        group = deck.watch(session, tags=["mine"])
        theirs = sampler.run([bell])
        later = until(
            lambda: [job for job in group.jobs() if deck.store.job(job.job_id()).source["id"] == theirs.job_id()]
        )
    assert group.name == f"{kind.__name__.lower()} on {BACKEND}"
    sources = [deck.store.job(job.job_id()).source["id"] for job in group.jobs()]
    assert sources[:2] == [job.job_id() for job in first]
    assert group.jobs()[2:] == later
    assert deck.watch(theirs) is later[0]
    assert list(group.jobs()[0].tags) == ["mine"]
    assert deck.watch(session).group_id == group.group_id
    for job in list(scripted.state.jobs.values()):
        scripted.finish(job.job_id, '{"value": 1}')
    assert group.results(20) == [{"value": 1}] * 3


def test_what_failed_at_the_service_is_to_be_submitted_again_there(scripted, service, deck, bell):
    with Batch(backend=service.backend(BACKEND)) as batch:
        theirs = [SamplerV2(mode=batch).run([bell]) for _ in range(2)]
        group = deck.watch(batch)
    scripted.fail(theirs[0].job_id(), "the circuit is too deep", 1517)
    scripted.finish(theirs[1].job_id(), '{"value": 1}')
    with pytest.raises(RuntimeJobFailureError, match=r"too deep.*submit them again to ibm-runtime, which ran them"):
        group.results(20)
    report = group.retry_failed()
    failed = group.job_ids()[0]
    assert report.outcomes == {failed: "refused"}
    assert "is run by ibm-runtime, and only watched from here: submit it again there" in report.reasons[failed]
    assert len(group) == len(scripted.state.jobs) == 2


def test_a_session_whose_jobs_cannot_be_listed_says_so(scripted, service, deck):
    session = Session(backend=service.backend(BACKEND))
    scripted.next("GET /jobs", Fault(401))
    with pytest.raises(EngineError, match="cannot be listed now: IBM's service does not accept"):
        deck.watch(session)
    with pytest.raises(InvalidInputError, match="takes no group="):
        deck.watch(session, group="any")


def test_an_outage_is_shown_and_survived(scripted, deck, submit, until):
    theirs = submit()
    job = deck.watch(theirs)
    until(lambda: job.status() == "QUEUED")
    scripted.go_down()
    until(lambda: "cannot be reached" in facts(deck, job).get("trouble", ""))
    assert not job.in_final_state()
    scripted.come_back()
    scripted.finish(theirs.job_id())
    assert job.result(10) is not None
    assert "trouble" not in facts(deck, job)


def test_a_result_that_fails_to_come_is_fetched_later_and_kept_once(scripted, deck, submit):
    theirs = submit()
    job = deck.watch(theirs)
    scripted.next("GET /jobs/{id}/results", Fault(503), Fault(500))
    scripted.finish(theirs.job_id())
    assert job.result(10) is not None
    assert job.result(10) is not None
    assert scripted.asked("GET /jobs/{id}/results") == 3


def test_a_callback_comes_with_changes_only(scripted, deck, submit, until):
    theirs = submit()
    job = deck.watch(theirs)
    told = []

    def looked_at():
        before = scripted.asked("GET /jobs/{id}", "GET /jobs")
        until(lambda: scripted.asked("GET /jobs/{id}", "GET /jobs") > before + 5)

    def live():
        looked_at()
        scripted.run(theirs.job_id())
        until(job.running)
        looked_at()
        scripted.finish(theirs.job_id())

    until(lambda: job.status() == "QUEUED")
    life = threading.Thread(target=live)
    life.start()
    job.wait_for_final_state(timeout=20, wait=30, callback=lambda job_id, status, job: told.append(status))
    life.join(10)
    assert told == ["QUEUED", "RUNNING", "DONE"]

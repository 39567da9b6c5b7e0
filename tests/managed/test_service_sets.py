"""Sets on a backend that an account reaches: submitted from here, watched, and in line where it takes no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit.providers.basic_provider import BasicSimulator
from qiskit_aer import AerProvider, AerSimulator

from decks import wait_until
from jobdeck import Deck, JobCancelledError, JobError, JobManager, JobTimeoutError
from jobdeck._managed.submission import is_job_limit, runs_elsewhere

from .conftest import circuits
from .moody import TwoQubits


class Account:
    """What a service's backends have behind them."""

    def __reduce__(self):
        raise AssertionError("an account must not go into a job's process")


class MachineJobLimitError(Exception):
    """The machine takes no more jobs."""


class MachineJob:
    def __init__(self, machine: Machine, number: int, run_input) -> None:
        self._machine, self._number, self._run_input = machine, number, run_input
        self._status = "QUEUED"

    def job_id(self):
        return f"machine-{self._number}"

    def backend(self):
        return self._machine

    def status(self):
        return self._status

    def result(self):
        return BasicSimulator().run(self._run_input, shots=5).result()

    def cancel(self):
        self._status = "CANCELLED"
        return True

    def finish(self, status: str = "DONE") -> None:
        self._status = status


class Machine(TwoQubits):
    """A service's backend that takes so many jobs at a time, and none with a circuit of a certain name."""

    def __init__(self, most: int = 100, refused: str = "") -> None:
        super().__init__(name="machine", provider=Account())
        self._most, self._refused = most, refused
        self.jobs: list[MachineJob] = []
        self.asked = 0
        self.lock = threading.Lock()

    def run(self, run_input, **options):
        self.asked += 1
        if any(circuit.name == self._refused for circuit in run_input):
            raise ValueError("this circuit is not for me")
        if sum(job.status() == "QUEUED" for job in self.jobs) >= self._most:
            raise MachineJobLimitError("come again")
        job = MachineJob(self, len(self.jobs), run_input)
        self.jobs.append(job)
        return job


@pytest.fixture
def deck(home: Path) -> Iterator[Deck]:
    """A deck in `home`; no agent is ever started, and the thread that watches ends by itself."""
    with Deck(home) as opened:
        yield opened


@pytest.fixture
def manager(deck: Deck) -> JobManager:
    return JobManager(deck)


def test_its_jobs_are_watched_as_one_set(manager: JobManager, deck: Deck):
    machine = Machine()
    job_set = manager.run(circuits(6), machine, name="far", job_tags=["t"])
    wait_until(lambda: not job_set.is_submitting)
    assert [job.name for job in job_set.jobs()] == ["far[0]", "far[1]", "far[2]"]
    assert deck.jobs(tags=["t"], descending=False) == job_set.jobs()
    for job in machine.jobs:
        job.finish()
    results = job_set.results(30)
    assert [results.get_counts(place) for place in (0, 5)] == [{"00": 5}, {"11": 5}]
    assert job_set.backends() == [machine]
    assert job_set.qobjs()[2][1].name == "ghz-5"
    again = JobManager(deck).retrieve_job_set(job_set.job_set_id())
    assert again.results(5).get_counts("ghz-3") == {"11": 5}
    assert again.backends() == ["machine"]
    assert again.qobjs() == [None] * 3


def test_where_it_takes_no_more_jobs_the_rest_waits_for_one_to_end_and_says_so(manager: JobManager):
    machine = Machine(most=2)
    job_set = manager.run(circuits(8), machine)
    wait_until(lambda: machine.asked == 3)
    assert job_set.statuses()[2:] == ["INITIALIZING", "INITIALIZING"]
    waiting = job_set.jobs()[2]
    wait_until(lambda: waiting._record.facts or waiting._read().facts)
    assert waiting._read().facts == {"status_text": "waiting: the backend takes no more jobs for now (come again)"}
    assert [job.name for job in job_set.jobs()] == [f"{job_set.name}[{place}]" for place in range(4)]
    assert "status: waiting: the backend takes no more jobs for now (come again)" in job_set.report()
    assert "     Pending jobs: 4" in job_set.report()
    with pytest.raises(JobTimeoutError, match=r"experiments 4-5 of set .* \(waiting: the backend takes no more jobs"):
        job_set.results(timeout=0.2)
    assert manager.retrieve_job_set(job_set.job_set_id(), refresh=True) is job_set
    # Asked once, and not again before there is room.
    assert machine.asked == 3
    for place in range(4):
        wait_until(lambda place=place: len(machine.jobs) > place)
        machine.jobs[place].finish()
    assert job_set.results(30).success
    assert machine.asked <= 8


def test_a_job_that_it_refuses_keeps_no_other_from_being_run(manager: JobManager, deck: Deck):
    machine = Machine(refused="ghz-2")
    job_set = manager.run(circuits(6), machine, name="far")
    wait_until(lambda: not job_set.is_submitting)
    for job in machine.jobs:
        job.finish()
    results = job_set.results(30)
    assert job_set.statuses() == ["DONE", None, "DONE"]
    assert results.get_counts("ghz-5") == {"11": 5}
    said = "it could not be submitted: ValueError: this circuit is not for me"
    assert job_set.error_messages() == f"Experiments 2-3, job index=1, not submitted:\n  {said}"
    assert "      Failed jobs: 1" in job_set.report()
    with pytest.raises(JobError, match=f"experiment 3 of .* {said}"):
        results.get_counts("ghz-3")
    again = JobManager(deck).retrieve_job_set(job_set.job_set_id())
    assert again.statuses() == ["DONE", "ERROR", "DONE"]
    assert said in again.error_messages()
    assert again.results(5).get_counts("ghz-4") == {"00": 5}


def test_what_failed_there_or_was_refused_is_submitted_again_in_its_place(manager: JobManager, deck: Deck):
    machine = Machine(refused="ghz-2")
    job_set = manager.run(circuits(6), machine, name="far")
    wait_until(lambda: not job_set.is_submitting)
    machine.jobs[0].finish("ERROR")
    machine.jobs[1].finish()
    with pytest.raises(JobError, match=r"experiment 2 of .*not for me; retry_failed\(\) submits it again"):
        job_set.results(30).get_counts(2)
    before = job_set.job_ids()
    elsewhere = JobManager(deck).retrieve_job_set(job_set.job_set_id()).retry_failed()
    assert elsewhere.counts == {"refused": 2}
    assert all("only watched from here: submit it again there" in why for why in elsewhere.reasons.values())
    machine._refused = ""
    report = job_set.retry_failed()
    assert report.outcomes == dict.fromkeys(before[:2], "retried")
    wait_until(lambda: not job_set.is_submitting)
    assert job_set.job_ids() == [report.made[before[0]], report.made[before[1]], before[2]]
    for job in machine.jobs[2:]:
        job.finish()
    results = job_set.results(30)
    assert results.success
    assert [results.get_counts(place) for place in (0, 3, 5)] == [{"00": 5}, {"11": 5}, {"11": 5}]
    assert [job.name for job in job_set.jobs()] == ["far[0]", "far[1]", "far[2]"]
    assert [job.retry_of for job in job_set.jobs()] == [*before[:2], None]
    assert len(machine.jobs) == 4
    assert job_set.progress.total == 3
    again = JobManager(deck).retrieve_job_set(job_set.job_set_id())
    assert again.results(5).get_counts("ghz-2") == {"00": 5}
    assert job_set.retry_failed().counts == {}


def test_cancelling_stops_what_runs_and_what_is_still_to_be_submitted(manager: JobManager):
    machine = Machine(most=1)
    job_set = manager.run(circuits(6), machine)
    wait_until(lambda: machine.asked == 2)
    job_set.cancel()
    job_set.wait(30)
    assert job_set.statuses() == ["CANCELLED"] * 3
    assert [job.status() for job in machine.jobs] == ["CANCELLED"]
    assert job_set.cancel().counts == {}
    with pytest.raises(
        JobError, match=r"experiment 4 of .* was cancelled; submit its experiments anew with JobManager"
    ):
        job_set.results(1).get_counts(4)
    with pytest.raises(JobCancelledError, match=r"was cancelled; \w+ ran it: submit it again there"):
        job_set.jobs()[0].result(1)


def test_what_waits_can_be_stopped_from_anywhere(manager: JobManager, deck: Deck):
    machine = Machine(most=1)
    job_set = manager.run(circuits(6), machine)
    wait_until(lambda: machine.asked == 2)
    deck.cancel_jobs(f"group:{job_set.group_id} active")
    wait_until(lambda: job_set.statuses() == ["CANCELLED"] * 3)
    wait_until(lambda: not job_set.is_submitting)
    assert len(machine.jobs) == 1


def test_one_that_is_cancelled_on_its_way_to_the_service_is_cancelled_there(manager: JobManager, monkeypatch):
    machine, arrived, answer = Machine(), threading.Event(), threading.Event()
    run = machine.run

    def slow(run_input, **options):
        arrived.set()
        assert answer.wait(15)
        return run(run_input, **options)

    monkeypatch.setattr(machine, "run", slow)
    job_set = manager.run(circuits(2), machine)
    assert arrived.wait(15)
    job_set.cancel()
    assert job_set.statuses() == ["INITIALIZING"]
    answer.set()
    job_set.wait(30)
    assert [job.status() for job in machine.jobs] == job_set.statuses() == ["CANCELLED"]


def test_one_that_fails_there_is_told_of(manager: JobManager):
    machine = Machine()
    job_set = manager.run(circuits(4), machine)
    wait_until(lambda: not job_set.is_submitting)
    machine.jobs[0].finish("ERROR")
    machine.jobs[1].finish()
    results = job_set.results(30)
    assert job_set.statuses() == ["ERROR", "DONE"]
    assert not results.success
    assert results.get_counts(3) == {"11": 5}


def test_an_account_behind_a_backend_tells_that_it_runs_elsewhere():
    class Old:
        def provider(self):
            return Account()

    class Device:
        service = Account()

    assert runs_elsewhere(Machine())
    assert runs_elsewhere(Old())
    assert runs_elsewhere(Device())
    for backend in (AerSimulator(), BasicSimulator(), AerProvider().get_backend("aer_simulator")):
        assert not runs_elsewhere(backend)


@pytest.mark.parametrize(
    ("error", "is_limit"),
    [
        (MachineJobLimitError("x"), True),
        (RuntimeError("Error submitting job: Reached maximum number of concurrent jobs. [3458]"), True),
        (RuntimeError("You have reached the limit of pending jobs"), True),
        (RuntimeError("job limit of 3 reached"), True),
        (RuntimeError("the limit of 20 qubits is exceeded"), False),
        (ConnectionError("no route"), False),
    ],
)
def test_a_services_words_for_no_more_jobs_are_understood(error, is_limit):
    assert is_job_limit(error) is is_limit

"""A test for each line of docs/migration.md: it does what the line says, in the words of the old system."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler
from qiskit.primitives.base.base_primitive_job import BasePrimitiveJob
from qiskit.primitives.containers import PrimitiveResult
from qiskit.providers import JobStatus as QiskitStatus
from qiskit.providers import JobV1
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.result import Result
from qiskit_aer import AerSimulator

import jobdeck
from jobdeck.managed import IBMQJobManager, IBMQJobManagerJobNotFound, ManagedJob, ManagedJobSet
from jobdeck.runtime import (
    ResultDecoder,
    RuntimeEncoder,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobNotFound,
    RuntimeOptions,
    RuntimeProgramNotFound,
    UserMessenger,
)
from programs import Gate, count_to, double, fail, opens

Check = Callable[["Bench"], Any]
CHECKS: dict[str, Check] = {}


class Bench:
    """What the checks work with: a deck, and a few things that have been run on it."""

    def __init__(self, deck: jobdeck.Deck, folder: Path) -> None:
        self.deck = deck
        self._folder = folder
        self._gates = 0
        self._kept: dict[str, Any] = {}

    def gate(self) -> Gate:
        self._gates += 1
        folder = self._folder / str(self._gates)
        folder.mkdir()
        return Gate(folder)

    def waiting(self) -> tuple[Any, Gate]:
        """A job that runs, until the gate is opened."""
        gate = self.gate()
        job = self.deck.run(count_to, inputs={"number": 3, "gate": gate, "first": 1})
        gate.reached()
        return job, gate

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @property
    def done(self) -> Any:
        return self.kept("done", lambda: ended(self.deck.run(double, inputs={"x": 2}, backend="sim")))

    @property
    def failed(self) -> Any:
        return self.kept("failed", lambda: ended(self.deck.run(fail, inputs={"reason": "no reason"})))

    @property
    def program(self) -> str:
        schema = {"type": "object", "properties": {"x": {"type": "integer", "default": 5}}}
        return self.kept("program", lambda: jobdeck.upload_program(double, spec={"parameters": schema}))

    @property
    def sampled(self) -> Any:
        sampler = jobdeck.qiskit.Sampler(StatevectorSampler(seed=1), self.deck)
        return self.kept("sampled", lambda: ended(sampler.run([circuit(1)], shots=5), 60))

    @property
    def simulated(self) -> Any:
        backend = self.kept("backend", lambda: jobdeck.qiskit.backend(BasicSimulator(), self.deck))
        return self.kept("simulated", lambda: ended(backend.run(circuit(1), shots=5), 60))

    @property
    def manager(self) -> IBMQJobManager:
        return self.kept("manager", lambda: IBMQJobManager(self.deck))

    @property
    def job_set(self) -> ManagedJobSet:
        def make() -> ManagedJobSet:
            circuits = [circuit(place) for place in range(3)]
            options = {"shots": 5, "memory": True}
            made = self.manager.run(circuits, backend=AerSimulator(), name="set", max_experiments_per_job=2, **options)
            made.wait(60)
            return made

        return self.kept("set", make)


def circuit(place: int) -> QuantumCircuit:
    made = QuantumCircuit(1, name=f"c-{place}")
    if place % 2:
        made.x(0)
    made.measure_all()
    return made


def ended(job: Any, timeout: float = 30) -> Any:
    job.wait_for_final_state(timeout)
    return job


def line(old: str) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        assert old not in CHECKS
        CHECKS[old] = check
        return check

    return note


# --- UserMessenger


@line("UserMessenger()")
def _(bench: Bench) -> None:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert count_to(2, user_messenger=UserMessenger()) == 2
    assert out.getvalue() == "0\n1\n"


@line("UserMessenger.publish")
def _(bench: Bench) -> None:
    class Encoder(RuntimeEncoder):
        def default(self, value):
            return {"hidden": True} if type(value) is object else super().default(value)

    def program(user_messenger):
        user_messenger.publish({"iteration": 1})
        try:
            user_messenger.publish(object())
        except TypeError as error:
            user_messenger.publish(str(error)[:7])
        user_messenger.publish(object(), encoder=Encoder)
        user_messenger.publish("result", final=True)
        user_messenger.publish("too late")

    job = ended(bench.deck.run(program))
    assert job.interim_results() == [{"iteration": 1}, "message", {"hidden": True}]
    assert "RuntimeInvalidStateError" in job.error_message()


# --- RuntimeJob and the service


@line("RuntimeJob()")
def _(bench: Bench) -> None:
    from jobdeck.runtime import RuntimeJob

    assert isinstance(jobdeck.run(double, inputs={"x": 1}), RuntimeJob)


@line("RuntimeJob.backend")
@line("BasicAerJob.backend")
def _(bench: Bench) -> None:
    assert bench.done.backend() == "sim"
    assert bench.simulated.backend() is bench.kept("backend", lambda: None)


@line("RuntimeJob.cancel")
@line("BasePrimitiveJob.cancel")
@line("BasicAerJob.cancel")
def _(bench: Bench) -> None:
    job, _ = bench.waiting()
    assert job.cancel() is None
    ended(job)
    assert job.cancelled()
    with pytest.raises(RuntimeInvalidStateError):
        bench.done.cancel()


@line("RuntimeJob.cancel_result_streaming")
def _(bench: Bench) -> None:
    job, gate = bench.waiting()
    first, second = [], []
    job.stream_results(lambda job_id, message: first.append(message))
    job.cancel_result_streaming()
    job.cancel_result_streaming()
    job.stream_results(lambda job_id, message: second.append(message))
    gate.open()
    ended(job)
    wait_for(lambda: second == [0, 1, 2])


@line("RuntimeJob.job_id")
@line("BasePrimitiveJob.job_id")
@line("BasicAerJob.job_id")
def _(bench: Bench) -> None:
    assert jobdeck.job(str(bench.done.job_id())) == bench.done


@line("RuntimeJob.result")
def _(bench: Bench) -> None:
    class Text(ResultDecoder):
        @classmethod
        def decode(cls, data):
            return f"<{super().decode(data)}>"

    begun = time.monotonic()
    assert bench.deck.run(double, inputs={"x": 2}).result(timeout=30, wait=30) == 4
    assert time.monotonic() - begun < 25
    assert bench.done.result(decoder=Text) == "<4>"
    assert bench.done.result() == 4
    with pytest.raises(RuntimeJobFailureError, match=r"(?s)Traceback.*no reason"):
        bench.failed.result()


@line("RuntimeJob.status")
def _(bench: Bench) -> None:
    assert (bench.done.status(), bench.failed.status()) == ("DONE", "ERROR")


@line("RuntimeJob.stream_results")
def _(bench: Bench) -> None:
    job, gate = bench.waiting()
    told = []
    job.stream_results(lambda job_id, message: told.append((job_id, message)))
    with pytest.raises(RuntimeInvalidStateError):
        job.stream_results(print)
    gate.open()
    ended(job)
    wait_for(lambda: told == [(job.job_id(), number) for number in range(3)])
    with pytest.raises(RuntimeInvalidStateError):
        job.stream_results(print)


@line("RuntimeJob.wait_for_final_state")
@line("BasicAerJob.wait_for_final_state")
def _(bench: Bench) -> None:
    job, gate = bench.waiting()
    with pytest.raises(jobdeck.JobTimeoutError):
        job.wait_for_final_state(timeout=0.05, wait=0.01)
    told = []
    gate.open()
    job.wait_for_final_state(30, 5, lambda job_id, status, handle: told.append((job_id, status, handle)))
    assert told[-1] == (job.job_id(), "DONE", job)
    assert [status for _, status, _ in told].count("DONE") == 1


@line("RuntimeJob.creation_date")
def _(bench: Bench) -> None:
    created = bench.done.creation_date
    assert created.utcoffset() == datetime.now().astimezone().utcoffset()


@line("RuntimeJob.inputs")
def _(bench: Bench) -> None:
    assert bench.deck.prepare(program_id=bench.program).inputs == {"x": 5}


@line("RuntimeJob.program_id")
def _(bench: Bench) -> None:
    assert bench.deck.prepare(program_id=bench.program).program_id == bench.program
    assert bench.done.program_id is None


@line("IBMRuntimeService.run")
def _(bench: Bench) -> None:
    told = []
    options = RuntimeOptions(backend_name="basic_simulator")
    for given in (options, {"backend_name": "basic_simulator"}):
        job = jobdeck.run(
            program_id=jobdeck.upload_program(count_to),
            options=given,
            inputs={"number": 2},
            callback=lambda job_id, message: told.append(message),
            result_decoder=ResultDecoder,
        )
        assert job.result(60) == 2
    wait_for(lambda: told == [0, 1, 0, 1])
    with pytest.raises(jobdeck.InvalidInputError, match="'x' is 'two'"):
        jobdeck.run(program_id=bench.program, inputs={"x": "two"})


@line("IBMRuntimeService.upload_program")
def _(bench: Bench) -> None:
    text = "def main(backend, user_messenger):\n    return 7\n"
    path = bench._folder / "seven.py"
    path.write_text(text)
    for data in (text, str(path), double):
        program_id = jobdeck.upload_program(data=data, metadata={"name": "seven"})
        assert jobdeck.program(program_id).name == "seven"
        jobdeck.delete_program(program_id)


@line("IBMRuntimeService.job")
def _(bench: Bench) -> None:
    assert jobdeck.job(bench.done.job_id()) == bench.done
    with pytest.raises(RuntimeJobNotFound):
        jobdeck.job("no-such-job")


@line("IBMRuntimeService.jobs")
def _(bench: Bench) -> None:
    made = [bench.deck.prepare(program_id=bench.program) for _ in range(12)]
    assert len(jobdeck.jobs(program_id=bench.program)) >= 12
    assert jobdeck.jobs(1, 1, True, bench.program) == [made[-2]]
    assert bench.done in jobdeck.jobs(pending=False)


@line("IBMRuntimeService.delete_job")
def _(bench: Bench) -> None:
    job, gate = bench.waiting()
    with pytest.raises(RuntimeInvalidStateError):
        jobdeck.delete_job(job.job_id())
    gate.open()
    ended(job)
    jobdeck.delete_job(job.job_id())
    with pytest.raises(RuntimeJobNotFound):
        jobdeck.job(job.job_id())


@line("IBMRuntimeService.program")
def _(bench: Bench) -> None:
    program_id = jobdeck.upload_program(double, {"name": "only one"})
    assert jobdeck.program("only one", refresh=True).program_id == program_id
    with pytest.raises(RuntimeProgramNotFound):
        jobdeck.program("no-such-program")


@line("IBMRuntimeService.programs")
def _(bench: Bench) -> None:
    made = [jobdeck.upload_program(double) for _ in range(21)]
    assert {program.program_id for program in jobdeck.programs(True)} >= set(made)
    assert len(jobdeck.programs(limit=2, skip=1)) == 2
    for program_id in made:
        jobdeck.delete_program(program_id)


@line("IBMRuntimeService.pprint_programs")
def _(bench: Bench) -> None:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        jobdeck.pprint_programs(detailed=True, limit=None)
    assert str(jobdeck.program(bench.program)) in out.getvalue()


@line("IBMRuntimeService.update_program")
def _(bench: Bench) -> None:
    program_id = jobdeck.upload_program(double, {"name": "two", "description": "times two"})
    jobdeck.update_program(program_id, name="twice")
    program = jobdeck.program(program_id)
    assert (program.name, program.description) == ("twice", "times two")


@line("IBMRuntimeService.delete_program")
def _(bench: Bench) -> None:
    program_id = jobdeck.upload_program(double)
    job = bench.deck.prepare(program_id=program_id, inputs={"x": 1})
    jobdeck.delete_program(program_id)
    assert jobdeck.jobs(program_id=program_id) == [job]


@line("IBMRuntimeService.set_program_visibility")
def _(bench: Bench) -> None:
    jobdeck.set_program_visibility(bench.program, public=True)
    assert jobdeck.program(bench.program).is_public


# --- ManagedJob, its manager and its sets


@line("ManagedJob()")
def _(bench: Bench) -> None:
    part = ManagedJob(start_index=5, experiments_count=3, job=bench.done)
    assert (part.start_index, part.end_index, part.job) == (5, 7, bench.done)


@line("ManagedJob.cancel")
def _(bench: Bench) -> None:
    for job in (None, bench.done, bench.failed):
        assert ManagedJob(0, 1, job).cancel() is None


@line("ManagedJob.error_message")
@line("ManagedJob.status")
@line("ManagedJob.submit")
def _(bench: Bench) -> None:
    part = ManagedJob(0, 1)
    assert (part.status(), part.error_message()) == ("INITIALIZING", None)
    part.submit([open], "bad", object())
    assert part.status() is None
    assert part.error_message().startswith("it could not be submitted: ")
    assert ManagedJob(0, 1, bench.failed).error_message().endswith("no reason\n")
    good = ManagedJob(0, 1)
    assert good.submit([circuit(1)], "good", BasicSimulator(), job_tags=["t"], deck=bench.deck, shots=5) is None
    assert good.result(60).get_counts() == {"1": 5}


@line("ManagedJob.qobj")
def _(bench: Bench) -> None:
    assert [each.name for each in bench.job_set.managed_jobs()[0].qobj()] == ["c-0", "c-1"]


@line("ManagedJob.result")
def _(bench: Bench) -> None:
    assert ManagedJob(0, 1, bench.failed).result(timeout=5, partial=True, refresh=True) is None
    assert ManagedJob(0, 1, bench.done).result() == 4


@line("IBMQJobManager.run")
@line("ManagedJobSet.jobs")
@line("ManagedJobSet.statuses")
@line("ManagedJobSet.managed_jobs")
def _(bench: Bench) -> None:
    assert bench.job_set.statuses() == ["DONE", "DONE"]
    assert [part.job for part in bench.job_set.managed_jobs()] == list(bench.job_set.jobs())
    assert list(bench.manager.run([1, 2], double).results(30)) == [2, 4]


@line("IBMQJobManager.retrieve_job_set")
@line("ManagedJobSet.results")
@line("ManagedJobSet.error_messages")
def _(bench: Bench) -> None:
    gate = bench.gate()
    job_set = bench.manager.run([gate, 1], opens, max_experiments_per_job=1)
    assert job_set.error_messages() is None or "job index=1" in job_set.error_messages()
    with pytest.raises(jobdeck.JobTimeoutError):
        job_set.results(timeout=0.1)
    gate.open()
    found = IBMQJobManager(bench.deck).retrieve_job_set(job_set.job_set_id(), None)
    results = found.results(30)
    assert (results.success, results[0]) == (False, "open")
    assert "job index=1" in found.error_messages()
    found.retry_failed()
    found.wait(30)
    assert found.results(30).data(0) == "open"


@line("IBMQJobManager.report")
@line("ManagedJobSet.report")
def _(bench: Bench) -> None:
    for report in (bench.job_set.report(detailed=True), bench.manager.report()):
        assert "Summary report:\n       Total jobs: " in report
        assert "  experiments: 0-1\n    job index: 0\n" in report


@line("IBMQJobManager.job_sets")
def _(bench: Bench) -> None:
    assert bench.job_set in bench.manager.job_sets()
    assert bench.manager.job_sets(name="set") == [bench.job_set]


@line("ManagedJobSet.cancel")
def _(bench: Bench) -> None:
    gate = bench.gate()
    job_set = bench.manager.run([gate], opens)
    gate.reached()
    assert sum(job_set.cancel().counts.values()) == 1
    job_set.wait(30)
    assert job_set.statuses() == ["CANCELLED"]


@line("ManagedJobSet.job")
def _(bench: Bench) -> None:
    second = bench.job_set.jobs()[1]
    assert bench.job_set.job(2) == bench.job_set.job("c-2") == bench.job_set.job(circuit(2)) == (second, 0)
    with pytest.raises(IBMQJobManagerJobNotFound):
        bench.job_set.job("c-3")
    twins = bench.manager.run([circuit(0), circuit(0)], BasicSimulator())
    with pytest.raises(jobdeck.InvalidInputError, match="2 experiments"):
        twins.job("c-0")
    twins.wait(60)


@line("ManagedJobSet.qobjs")
def _(bench: Bench) -> None:
    assert [len(part) for part in bench.job_set.qobjs()] == [2, 1]


@line("ManagedJobSet.name")
@line("ManagedJobSet.tags")
@line("ManagedJobSet.job_set_id")
@line("ManagedJobSet.update_name")
@line("ManagedJobSet.update_tags")
def _(bench: Bench) -> None:
    job_set = bench.manager.run([1], double, name="old", job_tags=["a"])
    job_set.wait(30)
    (job,) = job_set.jobs()
    job.update_tags(additional_tags=["own"])
    assert (job_set.name(), job_set.tags()) == (job_set.name, job_set.tags) == ("old", ["a"])
    assert job_set.update_name("new") == job_set.name() == "new"
    assert job_set.update_tags(replacement_tags=["b"], additional_tags=["c"], removal_tags=["b"]) == ["c"]
    assert sorted(job.tags) == ["c", "own"]
    assert job.name == "old[0]"
    assert pickle.loads(pickle.dumps(job_set)).job_set_id() == job_set.group_id


@line("ManagedResults.data")
@line("ManagedResults.get_counts")
@line("ManagedResults.get_memory")
@line("ManagedResults.combine_results")
def _(bench: Bench) -> None:
    results = bench.job_set.results(30)
    assert results.data("c-1")["counts"] == {"0x1": 5}
    assert results.get_counts(1) == {"1": 5}
    assert results.get_memory(circuit(2)) == ["0"] * 5
    assert len(results.combine_results().results) == 3


@line("ManagedResults.get_statevector")
@line("ManagedResults.get_unitary")
def _(bench: Bench) -> None:
    saved = QuantumCircuit(1, name="saved")
    saved.x(0)
    vector, matrix = saved.copy(), saved.copy()
    vector.save_statevector()
    matrix.save_unitary()
    of_state = bench.manager.run(vector, AerSimulator(method="statevector")).results(60)
    assert list(of_state.get_statevector("saved", decimals=2).data) == [0, 1]
    of_unitary = bench.manager.run(matrix, AerSimulator(method="unitary")).results(60)
    assert of_unitary.get_unitary(0, decimals=2).data.tolist() == [[0, 1], [1, 0]]


# --- Qiskit's own jobs


@line("BasePrimitiveJob()")
@line("BasePrimitiveJob.result")
def _(bench: Bench) -> None:
    assert isinstance(bench.sampled, BasePrimitiveJob)
    assert isinstance(bench.sampled.result(), PrimitiveResult)


@line("BasicAerJob()")
@line("BasicAerJob.result")
@line("BasicAerJob.version")
def _(bench: Bench) -> None:
    assert isinstance(bench.simulated, JobV1)
    assert isinstance(bench.simulated.result(timeout=5), Result)
    assert bench.simulated.version == JobV1.version == 1
    job, _ = bench.waiting()
    with pytest.raises(jobdeck.JobTimeoutError):
        job.result(timeout=0.05)
    job.cancel()


@line("BasePrimitiveJob.status")
@line("BasicAerJob.status")
def _(bench: Bench) -> None:
    assert bench.sampled.status() == bench.simulated.status() == QiskitStatus.DONE
    assert bench.sampled.status() == "DONE"


@line("BasePrimitiveJob.cancelled")
@line("BasePrimitiveJob.done")
@line("BasePrimitiveJob.in_final_state")
@line("BasePrimitiveJob.running")
@line("BasicAerJob.cancelled")
@line("BasicAerJob.done")
@line("BasicAerJob.in_final_state")
@line("BasicAerJob.running")
def _(bench: Bench) -> None:
    def said(job: Any) -> list[bool]:
        return [job.done(), job.running(), job.cancelled(), job.in_final_state()]

    job, gate = bench.waiting()
    assert said(job) == [False, True, False, False]
    job.cancel()
    assert said(ended(job)) == [False, False, True, True]
    gate.open()
    assert said(bench.sampled) == said(bench.simulated) == [True, False, False, True]
    assert said(bench.failed) == [False, False, False, True]


@line("BasicAerJob.submit")
def _(bench: Bench) -> None:
    job = bench.deck.prepare(double, inputs={"x": 1})
    assert job.status() == "INITIALIZING"
    job.submit()
    assert json.dumps(job.result(30)) == "2"
    with pytest.raises(jobdeck.JobError):
        job.submit()


def wait_for(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.005)

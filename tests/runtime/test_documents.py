"""Programs and host code that were written for Qiskit's runtime service run with nothing but their imports changed.

The lines that are changed, and how, are those of docs/migration.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from jobdeck import Deck

PAGE = Path(__file__).parents[2] / "docs" / "migration.md"

PROGRAM = '''
"""Runs a circuit several times."""

from typing import Any

from qiskit import QuantumCircuit, transpile
from qiskit.providers.ibmq.runtime import UserMessenger, ProgramBackend


def prepare_circuit(iteration: int) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    if iteration % 2:
        circuit.x([0, 1])
    circuit.measure_all()
    return circuit


def program(backend: ProgramBackend, user_messenger: UserMessenger, **kwargs):
    iterations = kwargs.pop("iterations", 1)
    for iteration in range(iterations):
        circuit = transpile(prepare_circuit(iteration), backend)
        result = backend.run(circuit, shots=10).result()
        user_messenger.publish({"iteration": iteration, "counts": result.get_counts()})
    return "All done!"


def main(backend: ProgramBackend, user_messenger: UserMessenger, **kwargs) -> Any:
    result = program(backend, user_messenger, **kwargs)
    user_messenger.publish(result, final=True)
'''

METADATA = {
    "name": "several-times",
    "description": "Runs a circuit several times.",
    "max_execution_time": 300,
    "spec": {
        "parameters": {
            "type": "object",
            "properties": {"iterations": {"description": "How often.", "type": "integer"}},
            "required": ["iterations"],
        },
        "return_values": {"type": "string"},
    },
}

HOST = """
from qiskit.providers.ibmq.runtime import ResultDecoder, RuntimeJob
from qiskit.providers.ibmq.runtime.exceptions import RuntimeInvalidStateError, RuntimeJobFailureError

provider = IBMQ.load_account()

program_id = provider.runtime.upload_program(data="several_times.py", metadata="several_times.json")
prog = provider.runtime.program(program_id)
print(prog.name, prog.max_execution_time)

interim = []


def interim_result_callback(job_id, interim_result):
    interim.append(interim_result)


class Shout(ResultDecoder):
    @classmethod
    def decode(cls, data):
        decoded = super().decode(data)
        return decoded.upper() if isinstance(decoded, str) else decoded


options = {"backend_name": "ibmq_qasm_simulator"}
job = provider.runtime.run(
    program_id=program_id, options=options, inputs={"iterations": 3}, callback=interim_result_callback
)
assert isinstance(job, RuntimeJob)
try:
    job_result = job.result()  # It will block until the job finishes.
    print("The job finished with result {}".format(job_result))
except RuntimeJobFailureError as ex:
    print("Job failed!: {}".format(ex))
print(job.result(decoder=Shout), job.program_id == program_id, job.inputs)
print(job.backend().name, job.status().name, job.creation_date.tzinfo is not None)

params = prog.parameters()
params.iterations = 2
second = provider.runtime.run(program_id=program_id, options=options, inputs=params, result_decoder=Shout)
late = []
second.stream_results(lambda job_id, interim_result: late.append(interim_result["iteration"]))
second.wait_for_final_state(timeout=60)
print(second.result())
try:
    second.cancel()
except RuntimeInvalidStateError:
    print("ended")
second.cancel_result_streaming()
print([job.job_id() for job in provider.runtime.jobs(limit=1)] == [second.job_id()])
print(provider.runtime.job(second.job_id()).status() is second.status())
provider.runtime.delete_job(second.job_id())
provider.runtime.pprint_programs()
provider.runtime.delete_program(program_id)
"""

TRIED = """
import json

from qiskit.providers.ibmq.runtime import RuntimeDecoder, RuntimeEncoder, UserMessenger
from qiskit.providers.basic_provider import BasicSimulator

backend = BasicSimulator()
user_messenger = UserMessenger()
serialized_inputs = json.dumps({"iterations": 2}, cls=RuntimeEncoder)
unserialized_inputs = json.loads(serialized_inputs, cls=RuntimeDecoder)
main(backend, user_messenger, **unserialized_inputs)
"""

MANAGED = """
from qiskit import QuantumCircuit, transpile
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.ibmq.managed import IBMQJobManager

backend = BasicSimulator()
circs = []
for _ in range(6):
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    circs.append(circuit)
circs = transpile(circs, backend=backend)

job_manager = IBMQJobManager()
job_set_foo = job_manager.run(circs, backend=backend, name="foo", max_experiments_per_job=4, shots=10)
results = job_set_foo.results()
print(results.get_counts(5))
print(job_manager.report().splitlines()[2])
job_set_id = job_set_foo.job_set_id()
retrieved_foo = job_manager.retrieve_job_set(job_set_id=job_set_id, provider=None)
print(retrieved_foo.name(), [status.name for status in retrieved_foo.statuses()])
"""


def imports() -> list[tuple[str, str]]:
    section = PAGE.read_text(encoding="utf-8").partition("## Imports")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", section, re.MULTILINE)


def changed(code: str) -> str:
    """Return code with its imports changed as the page says."""
    text = "\n".join(map(_changed_line, code.splitlines())) + "\n"
    assert "ibmq.runtime" not in text
    return text


def _changed_line(line: str) -> str:
    for old, new in imports():
        head, dots, _ = old.partition("…")
        if line.startswith(head) and (dots or line == head):
            return new.replace("…", line.removeprefix(head))
    return line


def run(code: str, **names) -> str:
    """Run code as its own module, and return what it printed."""
    scope = {"__name__": "host", **names}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(changed(code), "<host>", "exec"), scope)
    scope.pop("provider", None)
    return out.getvalue()


def test_only_imports_are_changed():
    before, after = HOST.splitlines(), changed(HOST).splitlines()
    different = [old for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split()[0] for line in different] == ["from", "from", "provider"]
    assert different[2] == "provider = IBMQ.load_account()"


def test_a_program_and_its_host_code_run(deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("several_times.py").write_text(changed(PROGRAM), encoding="utf-8")
    Path("several_times.json").write_text(json.dumps(METADATA), encoding="utf-8")
    printed = run(HOST).splitlines()
    assert printed[:8] == [
        "several-times 300",
        "The job finished with result All done!",
        "ALL DONE! True {'iterations': 3}",
        "aer_simulator DONE True",
        "ALL DONE!",
        "ended",
        "True",
        "True",
    ]
    assert printed[8] == "=" * 50
    assert printed[10:] == ["  Name: several-times", "  Description: Runs a circuit several times."]
    (first,) = deck.jobs()
    counts = [message["counts"] for message in first.interim_results()]
    assert counts == [{"00": 10}, {"11": 10}, {"00": 10}]


def test_a_program_is_tried_without_a_job():
    scope = {}
    exec(compile(changed(PROGRAM), "<program>", "exec"), scope)
    printed = [json.loads(line) for line in run(TRIED, main=scope["main"]).splitlines()]
    assert [line["iteration"] for line in printed[:2]] == [0, 1]
    assert printed[2] == "All done!"


def test_sets_run(deck: Deck):
    assert run(MANAGED).splitlines() == ["{'0': 10}", "  Successful jobs: 2", "foo ['DONE', 'DONE']"]

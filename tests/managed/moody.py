"""A backend with moods. Jobs import this module, so it imports nothing that takes time but Qiskit."""

from __future__ import annotations

import os

from qiskit.providers import BackendV2, Options
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.transpiler import Target

from programs import Gate


class TwoQubits(BackendV2):
    """A machine of two qubits that takes two circuits at a time."""

    def __init__(self, **about) -> None:
        super().__init__(**about)
        self._target = Target(num_qubits=2)

    @property
    def target(self):
        return self._target

    @property
    def max_circuits(self):
        return 2

    @classmethod
    def _default_options(cls):
        return Options()


class Moody(TwoQubits):
    """A simulator that fails at circuits of a certain name for as long as a file is there."""

    def __init__(self, bad: str, file, gate: Gate | None = None) -> None:
        super().__init__(name="moody")
        self._bad, self._file, self._gate = bad, str(file), gate

    def run(self, run_input, **options):
        if self._gate is not None:
            self._gate.wait()
        if os.path.exists(self._file) and any(circuit.name == self._bad for circuit in run_input):
            raise ConnectionError("the machine is down")
        return BasicSimulator().run(run_input, **options)

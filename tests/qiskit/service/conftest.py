"""The scripted service, and the client library's own classes connected to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .scripted import ScriptedService

HERE = Path(__file__).parent
DEPRECATED = "ignore:The (Sampler|Estimator)V2 class is deprecated:DeprecationWarning"
"""Of the primitives that people's code still has; whoever writes to them reads it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(DEPRECATED))


@pytest.fixture(autouse=True)
def no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or changes an account of whoever runs it, and neither does what it starts."""
    from qiskit_ibm_runtime.accounts import management

    monkeypatch.setenv("HOME", str(tmp_path))
    # The library looks for the home when it is imported.
    monkeypatch.setattr(management, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", str(tmp_path / ".qiskit" / "qiskit-ibm.json"))
    # It looks through the stack for who asks, at each request.
    monkeypatch.setenv("USAGE_DATA_OPT_OUT", "True")
    for name in ("TOKEN", "URL", "INSTANCE", "CHANNEL"):
        monkeypatch.delenv(f"QISKIT_IBM_{name}", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    """The server, alone."""
    server = ScriptedService()
    monkeypatch.setenv("IAM_URL", server.address)
    yield server
    server.close()


@pytest.fixture
def service(scripted: ScriptedService) -> Any:
    """A real `QiskitRuntimeService` that talks to the server."""
    from qiskit_ibm_runtime import QiskitRuntimeService

    return QiskitRuntimeService(**scripted.account)


@pytest.fixture(scope="session")
def bell() -> Any:
    """A circuit that fits the server's backend."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2, name="bell")
    circuit.rz(1.5707963267948966, 0)
    circuit.sx(0)
    circuit.rz(1.5707963267948966, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit

"""What `jobdeck.qiskit` needs, and what it says where it is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import jobdeck


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("use", ["import jobdeck.qiskit", "import jobdeck; jobdeck.qiskit"])
def test_without_qiskit_it_says_how_to_get_it(use):
    said = run_python(f"import sys; sys.modules['qiskit'] = None; {use}")
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].endswith("pip install 'jobdeck[qiskit]'")


def test_it_loads_neither_the_deck_nor_traitlets_until_they_are_needed():
    program = "import sys, jobdeck.qiskit._programs; print({'jobdeck._deck', 'traitlets'} & set(sys.modules))"
    assert run_python(program).stdout.strip() == "set()"


def test_it_has_these_names():
    assert sorted(jobdeck.qiskit.__all__) == ["Estimator", "Sampler", "backend", "iterations"]
    for name in jobdeck.qiskit.__all__:
        assert getattr(jobdeck.qiskit, name).__doc__
        assert name in dir(jobdeck.qiskit)
    with pytest.raises(AttributeError, match="nonsense"):
        jobdeck.qiskit.nonsense

"""Programs that ask for a backend, and are given none."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

import jobdeck
from jobdeck import Deck
from jobdeck._errors import InvalidInputError
from jobdeck._messenger import PrintingMessenger
from jobdeck._program import open_payload, pack, pack_program
from jobdeck._records import Payload

WORDS = r"asks its backend for something, and was given none: run\(…, options=\{\"backend_name\": \"aer_simulator\"\}\)"


def run(program: Any, **given: Any) -> Any:
    packed = pack(program, **given)
    return open_payload(Payload(packed.program, packed.inputs, packed.context)).run(PrintingMessenger())


def asks(backend, shots=10):
    print("it begins")
    for _ in range(3):
        counts = backend.run(shots)
    return counts


def looks_first(backend):
    if backend is None:
        return "none"
    return backend.name


def has_another(backend):
    backend = backend or 5j
    return backend.imag


def mentions(backend, user_messenger):
    user_messenger.publish({"backend": str(backend)})
    return backend and backend.name


def asks_within(backend):
    def called():
        return backend.run()

    return called()


def fails_otherwise(backend):
    return {}.get("key").upper()


@pytest.mark.parametrize(
    "body",
    [
        "return backend.run(1)",
        "with open('x') as file: file.write(backend.name)",
        "for _ in backend.targets(): pass",
        "a = 1\n    if a: print(a)\n    return [1, backend.run(a)]",
    ],
)
def test_a_program_that_is_sure_to_ask_is_refused_before_anything_is_queued(body):
    data = pack_program(f"def main(backend, user_messenger):\n    {body}\n")[1]
    with pytest.raises(InvalidInputError, match=f"^program 'program' {WORDS}"):
        pack(data)
    with pytest.raises(InvalidInputError, match=f"^program 'asks' {WORDS}"):
        pack(asks)
    pack(data, backend="one")


@pytest.mark.parametrize(
    ("program", "value"), [(looks_first, "none"), (has_another, 5), (mentions, None), (lambda backend: backend, None)]
)
def test_a_program_that_does_without_is_run(program, value):
    assert run(program) == value


@pytest.mark.parametrize(
    "body",
    [
        "try:\n        return backend.run()\n    except AttributeError:\n        return 7",
        "if not backend: return 7\n    return backend.run()",
        "return backend.run() if backend else 7",
        "assert not hasattr(backend, 'run')\n    return 7",
    ],
)
def test_a_program_that_decides_it_while_it_runs_is_run(body):
    text = textwrap.dedent(f"def main(backend, user_messenger):\n    {body}\n")
    assert run(pack_program(text)[1]) == 7


def test_a_job_that_asked_for_a_backend_fails_with_what_to_give(deck: Deck):
    job = deck.run(asks_within)
    with pytest.raises(jobdeck.RuntimeJobFailureError, match=WORDS) as caught:
        job.result(30)
    assert isinstance(caught.value.__cause__, InvalidInputError)
    assert "return backend.run()" in job.error_message()
    assert "'NoneType' object has no attribute 'run'" in job.error_message()
    with pytest.raises(AttributeError, match="upper"):
        run(fails_otherwise)

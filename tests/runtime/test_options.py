"""How a program is run, in the words of runtime services: options and backends by name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import jobdeck
from jobdeck import Deck, InvalidInputError, RuntimeOptions
from jobdeck import _backends as backends
from programs import nothing


def test_options_come_as_a_dict_or_as_an_object(deck: Deck):
    given = {"job_tags": ["t"], "max_execution_time": 5, "image": "python:3.12", "instance": "a/b/c"}
    for options in (given, RuntimeOptions(**given), SimpleNamespace(**given, session_time=None, _secret=1)):
        job = deck.prepare(nothing, options=options, metadata={"why": "test"})
        assert (job.tags, job._record.timeout) == (["t"], 5)
        assert job.metadata == {"why": "test", "image": "python:3.12", "instance": "a/b/c"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"log_level": "LOUD"}, "log_level is one of DEBUG"),
        ({"image": "python"}, "image is written as name:tag"),
        ({"max_execution_time": 0}, "max_execution_time is a number of seconds"),
        ({"job_tags": [5]}, "tag"),
        ({"shots": 5}, "no option 'shots'; there are: backend_name"),
        ({"backend_name": "a", "backend": "b"}, "no simulator is called 'a'"),
        ("aer_simulator", "options are a dict or RuntimeOptions, not str"),
    ],
)
def test_an_option_that_is_wrong_names_itself(deck: Deck, options, words):
    with pytest.raises(InvalidInputError, match=words):
        deck.run(nothing, options=options)
    assert not deck.jobs()
    if isinstance(options, dict) and options.keys() <= vars(RuntimeOptions()).keys():
        with pytest.raises(InvalidInputError, match=words):
            RuntimeOptions(**options).validate()


def test_the_shorter_of_two_time_limits_counts(deck: Deck):
    program_id = deck.upload_program(nothing, max_execution_time=60)

    def limit(**given):
        return deck.prepare(program_id=program_id, **given)._record.timeout

    assert limit() == 60
    assert limit(timeout=5) == limit(options={"max_execution_time": 5}) == 5
    assert limit(timeout=500) == 60


def test_a_program_logs_at_the_level_that_it_was_given(deck: Deck):
    def program():
        import logging

        logging.getLogger("vqe").info("converged")

    assert deck.run(program, options={"log_level": "info"}).result(15) is None
    job = deck.run(program, options={"log_level": "INFO"})
    job.wait_for_final_state(15)
    assert job.logs() == "INFO:vqe:converged\n"
    quiet = deck.run(program)
    quiet.wait_for_final_state(15)
    assert not quiet.logs()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("basic_simulator", "BasicSimulator"),
        ("aer_simulator", "AerSimulator"),
        ("aer_simulator_statevector", "AerSimulator"),
        ("ibmq_qasm_simulator", "AerSimulator"),
        ("fake_manila", "FakeManilaV2"),
    ],
)
def test_a_backend_is_had_by_its_name(deck: Deck, name, kind):
    found = deck.backend(name)
    assert type(found).__name__ == kind
    assert backends.backend_name(found) == ("aer_simulator" if name == "ibmq_qasm_simulator" else name)


def test_a_program_gets_the_backend_of_that_name(deck: Deck):
    def program(backend):
        return type(backend).__name__, backend.name

    job = deck.run(program, options={"backend_name": "aer_simulator"})
    assert job.result(60) == ("AerSimulator", "aer_simulator")
    assert job.backend().name == "aer_simulator"


def test_a_backend_that_is_given_wins_over_a_name(deck: Deck):
    job = deck.prepare(lambda backend: backend, backend="my own", options={"backend_name": "aer_simulator"})
    assert job.backend() == "my own"


def test_a_name_that_no_backend_has_is_answered_with_those_there_are(deck: Deck):
    with pytest.raises(InvalidInputError) as caught:
        deck.run(nothing, options={"backend_name": "fake_manilla"})
    said = str(caught.value)
    assert said.startswith("no simulator is called 'fake_manilla'; there are: fake_manila, ")
    assert "aer_simulator" in said
    assert "basic_simulator" in said
    assert "run(…, backend=…)" in said
    with pytest.raises(InvalidInputError, match="text"):
        deck.backend(5)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("aer", "aer_simulator"),
        ("AerSimulator", "aer_simulator"),
        ("aer_simulater", "aer_simulator"),
        ("statevector", "aer_simulator_statevector"),
        ("ibm_sherbrooke", "fake_sherbrooke"),
    ],
)
def test_of_the_backends_that_there_are_the_one_comes_first_that_was_probably_meant(deck: Deck, name, first):
    with pytest.raises(InvalidInputError, match=f"there are: {first}, "):
        deck.backend(name)


@pytest.mark.filterwarnings("ignore:Properties of fake_nighthawk")  # said by the backend itself
def test_all_simulators_are_listed(deck: Deck, home):
    found = [backends.backend_name(backend) for backend in deck.backends()]
    assert {"aer_simulator", "basic_simulator", "fake_manila", "fake_sherbrooke"} <= set(found)
    assert found == sorted(found)
    assert "aer_simulator_automatic" not in found
    assert [backend.name for backend in jobdeck.backends("manila")] == ["fake_manila"]


def test_without_qiskit_a_backends_name_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backends, "_FAMILIES", (backends._Family(("aer_",), _not_installed),))
    with pytest.raises(InvalidInputError, match=r"Qiskit is not installed \(jobdeck\[qiskit\]\)"):
        backends.backend_named("aer_simulator")


def _not_installed():
    raise ImportError("No module named 'qiskit_aer'")

"""``jobdeck doctor`` asks the servers that run."""

from __future__ import annotations

import json
import signal

import pytest
from click.testing import CliRunner

from jobdeck import _version, _wire
from jobdeck.cli import _servers, main

from .conftest import ROOT


@pytest.fixture
def doctor(monkeypatch):
    """Has the doctor look at a home, and at the servers that have a file in a folder; returns what it says of them."""

    def look(home, runtime):
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        findings = json.loads(CliRunner().invoke(main, ["--home", str(home), "doctor", "--json"]).stdout)
        return [finding for finding in findings if finding["name"].startswith("server http")]

    return look


def test_a_server_on_the_same_store_is_told_and_no_problem(server, doctor):
    (found,) = doctor(server.home, server.runtime)
    assert found["name"] == f"server {server.url}"
    assert found["text"] == f"it serves this store; jobdeck {_version.__version__}"
    assert not found["is_problem"]
    assert found["next_step"] is None


def test_a_server_on_another_store_is_told_with_both_names(server, store, tmp_path, doctor):
    (found,) = doctor(tmp_path / "other", server.runtime)
    assert f"another store, whose ids begin with {store.store_id}" in found["text"]
    assert "JOBDECK_HOME" in found["next_step"]


def test_a_server_without_the_extension_is_told_with_the_next_step(tmp_path, doctor, serve):
    server = serve(tmp_path / "home", "c.ServerApp.jpserver_extensions['jobdeck'] = False")
    (found,) = doctor(tmp_path / "home", server.runtime)
    assert "without jobdeck's server extension" in found["text"]
    assert "jupyter server extension enable jobdeck" in found["next_step"]
    # A server that is stopped, not ended, takes a connection and never answers.
    server.process.send_signal(signal.SIGSTOP)
    (found,) = doctor(tmp_path / "home", server.runtime)
    assert "does not answer" in found["text"]
    server.process.send_signal(signal.SIGCONT)
    assert server.stop() == 0
    assert doctor(tmp_path / "home", server.runtime) == []


def test_a_server_that_cannot_use_its_home_is_a_problem_with_its_reason(tmp_path, doctor, serve):
    (tmp_path / "broken").write_text("a file, where a folder should be")
    server = serve(tmp_path / "broken")
    (found,) = doctor(tmp_path / "home", server.runtime)
    assert found["is_problem"]
    assert str(tmp_path / "broken") in found["text"]
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (200, {"version": "9.9", "protocol": _wire.PROTOCOL + 1, "store_id": "abcdef"}, "it has jobdeck 9.9"),
        (200, {"version": "9\x1b[2J", "protocol": _wire.PROTOCOL, "store_id": "abcdef"}, "jobdeck 9\\x1b[2J"),
        (403, {}, "it wants a password"),
        (302, {}, "it wants a password"),
        (404, {"message": "Not Found"}, "without jobdeck's server extension"),
        (200, {"store_id": 7}, "without jobdeck's server extension"),
    ],
)
def test_every_answer_of_a_server_has_its_words(status, said, words):
    judged = _servers._judged("http://127.0.0.1:1/", "abcdef", status, said, "")
    assert words in judged.text


def test_the_front_ends_and_the_doctor_ask_at_the_same_place():
    assert f'const API = "{_wire.API}"' in (ROOT / "js" / "src" / "host" / "http.ts").read_text("utf-8")

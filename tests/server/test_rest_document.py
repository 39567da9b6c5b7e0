"""What docs/rest.md shows works as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from jobdeck._records import JobQuery

from .conftest import ROOT, TOKEN
from .contract import CONTRACT

TEXT = (ROOT / "docs" / "rest.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture
def surroundings(server, monkeypatch):
    monkeypatch.setenv("JUPYTER_URL", server.url.rstrip("/"))
    monkeypatch.setenv("JUPYTER_TOKEN", TOKEN)


@pytest.mark.usefixtures("surroundings")
def test_its_python_runs_in_order(store, ended, capsys):
    scope = {}
    for block in blocks("python"):
        exec(compile(block, "docs/rest.md", "exec"), scope)
    assert scope["newest"] == ended
    assert scope["results"] == [{"energy": -1.5}]
    assert capsys.readouterr().out == "{'tagged': 1}\n"
    assert store.job(ended).tags == ("kept",)
    assert [job["id"] for job in scope["all_jobs"]()] == [record.job_id for record in store.jobs(JobQuery())]


@pytest.mark.usefixtures("surroundings")
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_its_commands_run_in_order(store, ended):
    script = "set -eu\n" + "\necho\n".join(blocks("sh"))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    answers = [json.loads(part) for part in re.split(r"(?<=\})\s*(?=\{)", done.stdout.strip())]
    assert not [answer for answer in answers if answer.get("error")]
    assert answers[1]["text"] == "a line\n"
    assert answers[2]["job"]["inputs"] == {"n": "5"}
    assert answers[3]["type"] == "report"
    assert store.job(answers[2]["job"]["id"]).retry_of == ended


def test_it_names_every_operation():
    named = {
        (method.lower(), "/" + path) for method, path in re.findall(r"^\| `(\w+) ([^`?]*)[^`]*` \|", TEXT, re.MULTILINE)
    }
    named = {(method, path.replace("{number}", "{seq}")) for method, path in named}
    assert named == CONTRACT.operations

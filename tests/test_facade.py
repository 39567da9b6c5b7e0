"""What ``import jobdeck`` gives, and what it does not do."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import jobdeck

NAMES = [
    "BulkReport",
    "Deck",
    "JobExecutor",
    "unwatch_qiskit",
    "watch_qiskit",
    "EncodingError",
    "EngineError",
    "InvalidInputError",
    "Job",
    "JobCancelledError",
    "JobError",
    "JobGroup",
    "JobList",
    "JobManager",
    "JobNotFoundError",
    "JobStatus",
    "JobTimeoutError",
    "JobdeckError",
    "ManagedJob",
    "ManagedJobSet",
    "ManagedResults",
    "ParameterNamespace",
    "Program",
    "Progress",
    "QueryError",
    "Reading",
    "ResultDecoder",
    "RuntimeEncoder",
    "RuntimeInvalidStateError",
    "RuntimeJobFailureError",
    "RuntimeOptions",
    "StoreError",
    "UnpicklableError",
    "UserMessenger",
    "Watched",
    "__version__",
    "backend",
    "backends",
    "cancel_jobs",
    "current_messenger",
    "dashboard",
    "delete_job",
    "delete_jobs",
    "delete_program",
    "group",
    "groups",
    "job",
    "jobs",
    "map",
    "pprint_programs",
    "prepare",
    "program",
    "programs",
    "prune",
    "retry_jobs",
    "run",
    "set_program_visibility",
    "submit",
    "sweep",
    "tag_jobs",
    "tqdm",
    "update_program",
    "upload_program",
    "watch",
    "watching",
]


def test_the_public_names_are_these():
    assert sorted(jobdeck._WHERE) == sorted({*NAMES} - {"__version__"})


def test_a_star_import_gives_all_names_but_the_one_that_would_take_the_place_of_a_builtin():
    assert sorted(jobdeck.__all__) == sorted({*NAMES} - {"map"})


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_resolves_and_is_documented(name: str):
    value = getattr(jobdeck, name)
    assert name in dir(jobdeck)
    assert isinstance(value, str) or value.__doc__


def test_the_stub_has_the_same_names():
    tree = ast.parse(Path(jobdeck.__file__).with_suffix(".pyi").read_text("utf-8"))
    imported = {
        alias.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    modules = {name for name, module in imported.items() if module is None}
    assert modules == set(jobdeck._MODULES)
    for name in modules:
        assert getattr(jobdeck, imported.pop(name) or name).__doc__
    assert imported == {name: jobdeck._WHERE.get(name, "_version") for name in NAMES}


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        jobdeck.no_such_name


def test_importing_loads_nothing_heavy_and_starts_nothing(tmp_path: Path):
    program = """
import json, os, sys, threading
before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
import jobdeck
dir(jobdeck)
print(json.dumps({
    "modules": sorted(sys.modules),
    "threads": threading.active_count(),
    "files": len(set(os.listdir("/proc/self/fd")) - before) if before else 0,
}))
"""
    home = tmp_path / "home"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={"JOBDECK_HOME": str(home), "PYTHONPATH": str(Path(jobdeck.__file__).parents[1]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    told = json.loads(said)
    heavy = {"IPython", "ipywidgets", "anywidget", "traitlets", "dask", "cloudpickle", "psutil", "sqlite3", "asyncio"}
    assert not heavy & set(told["modules"])
    assert told["threads"] == 1
    assert told["files"] <= 0
    assert not home.exists()


def test_a_program_that_publishes_does_not_load_traitlets():
    program = """
import sys, jobdeck
jobdeck.current_messenger().publish({"x": 1})
print(sorted({"IPython", "traitlets", "ipywidgets", "anywidget"} & set(sys.modules)))
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert said.splitlines() == ['{"x": 1}', "[]"]

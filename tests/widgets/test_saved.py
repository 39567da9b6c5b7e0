"""A notebook that a program ran tells, as it is saved, how its jobs ended."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook

from jobdeck import widgets
from jobdeck._wire import MIME_TYPE
from jobdeck.widgets import _front_end

from .conftest import WORK


@pytest.fixture
def run_notebook(home, agent_ends):
    def run(*cells):
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in (WORK, *cells)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        NotebookClient(notebook, timeout=60).execute()
        return notebook

    return run


def card_of(cell):
    return next(output.data for output in cell.outputs if MIME_TYPE in output.get("data", {}))


def test_a_job_that_is_waited_for_is_saved_as_done(run_notebook):
    notebook = run_notebook("job = jobdeck.run(work)\njob", "job.result()")
    card = card_of(notebook.cells[1])
    assert card[MIME_TYPE]["snapshot"]["jobs"][0]["status"] == "DONE"
    assert "Done" in card["text/html"]
    assert "finished" in card["text/html"]
    assert "finished" in card["text/plain"]


def test_a_job_that_ends_between_two_cells_is_saved_as_it_ended(run_notebook):
    notebook = run_notebook(
        "job = jobdeck.run(work, inputs={'fail': True})\njob",
        "while not job.in_final_state(): time.sleep(0.01)",
        "'the last cell'",
    )
    card = card_of(notebook.cells[1])
    assert card[MIME_TYPE]["snapshot"]["jobs"][0]["status"] == "ERROR"
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in card["text/html"]


def test_a_job_that_still_runs_is_saved_as_running(run_notebook):
    notebook = run_notebook("job = jobdeck.run(work, inputs={'messages': 100000})\njob", "job.cancel()")
    assert not card_of(notebook.cells[1])[MIME_TYPE]["snapshot"]["jobs"][0]["final"]


def test_the_saved_notebook_is_valid_and_converts_to_html_without_script(run_notebook):
    notebook = run_notebook("job = jobdeck.run(work)\njob", "job.result()")
    nbformat.validate(notebook)
    # As it is opened without a kernel and without widgets.
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    assert "finished" in page
    assert "<script" not in card_of(notebook.cells[1])["text/html"]


def test_the_output_does_not_grow_with_the_number_of_messages(run_notebook):
    notebook = run_notebook("job = jobdeck.run(work, inputs={'messages': 400, 'pause': 0})\njob", "job.result()")
    assert len(notebook.cells[1].outputs) == 1
    assert not [output for output in notebook.cells[2].outputs if "data" in output and MIME_TYPE in output.data]


def test_without_a_kernel_a_job_is_shown_as_text(home, agent_ends):
    script = WORK + "job = jobdeck.run(work)\njob.result()\nfrom IPython.display import display\ndisplay(job)\n"
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"JOBDECK_HOME": str(home)},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "work" in run.stdout
    assert "Done" in run.stdout or "DONE" in run.stdout


def test_a_front_end_that_was_not_built_is_an_error_that_says_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setattr(_front_end, "STATIC", tmp_path)
    _front_end.source.cache_clear()
    try:
        with pytest.raises(widgets.FrontEndMissingError, match="npm run build"):
            _front_end.source("card.js")
    finally:
        _front_end.source.cache_clear()

"""The notebooks run from top to bottom, print what they printed when saved, and are saved as a newcomer wants them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jobdeck._wire import MIME_TYPE

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SANITIZE = Path(__file__).with_name("sanitize.cfg")

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.mark.timeout(300)
def test_a_notebook_runs_and_prints_what_it_printed_when_it_was_saved(path, home):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "nbval.plugin",
        "--nbval",
        str(path),
    ]
    command += ["--nbval-sanitize-with", str(SANITIZE), "--nbval-cell-timeout", "120", "--nbval-current-env"]
    # Warnings are errors in the project's own tests; here they would be those of nbval and its kernel client.
    command += [
        "-o",
        "filterwarnings=default",
        "-p",
        "pytest_timeout",
        "-o",
        "timeout=240",
        "-p",
        "pytest_asyncio.plugin",
    ]
    run = subprocess.run(
        command,
        cwd=ROOT,
        # The plugins that the project's own tests need take longer to load than some notebooks to run.
        env=os.environ | {"JOBDECK_HOME": str(home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d+ passed", run.stdout)


def test_a_notebook_is_saved_with_every_cell_run_in_order(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_cards_are_saved_with_what_they_last_showed(path):
    cells = nbformat.read(path, as_version=4).cells
    cards = [
        output.data
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output and MIME_TYPE in output.data
    ]
    assert cards
    for card in cards:
        assert {"text/html", "text/plain"} <= card.keys()
        assert "<script" not in card["text/html"]
        assert all(job["final"] for job in card[MIME_TYPE]["snapshot"]["jobs"])


def test_a_notebook_names_the_kernel_that_every_installation_has(path):
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"


def test_nothing_of_the_machine_that_ran_it_is_left_in_a_notebook(path):
    text = path.read_text(encoding="utf-8")
    folders = set(re.findall(r"(?<![\w.:/])/(?:home|Users|root|tmp|work|opt|private|var)/[\w./-]*", text))
    assert not folders

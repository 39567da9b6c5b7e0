"""What the wheel brings gives a live card in JupyterLab, with no further step."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import psutil
import pytest

from jobdeck._version import __version__
from jobdeck.engines.lock import AgentLock

ROOT = Path(__file__).parents[2]
DATA = f"jobdeck-{__version__}.data/data"

NOTEBOOK = """
import nbformat
from nbclient import NotebookClient
from jobdeck._wire import MIME_TYPE

cells = ["import jobdeck\\njob = jobdeck.run(lambda: 6 * 7, name='answer')\\njob", "job.result()"]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(notebook, timeout=60).execute()
forms = notebook.cells[0].outputs[0].data
model = forms["application/vnd.jupyter.widget-view+json"]["model_id"]
state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"][model]["state"]
print(len(state["_esm"]) > 10_000, len(state["_css"]) > 1_000, forms[MIME_TYPE]["snapshot"]["jobs"][0]["status"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as `pip install` builds it, but with the build's requirements that are here."""
    folder = tmp_path_factory.mktemp("dist")
    build = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of a new environment into which the wheel alone was installed.

    Its requirements are those of the environment that runs the tests, read from there; the jobdeck that is installed
    there for development cannot be seen, for that takes a ``.pth`` file, and such files count in one's own folder only.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return python


@pytest.fixture
def run(python, tmp_path):
    """Run something with the new environment's Python, in a home and with a configuration of its own."""
    home = tmp_path / "home"
    folders = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = os.environ | folders | {"JOBDECK_HOME": str(home)}
    for name in ("PYTHONPATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        environment.pop(name, None)

    def run_it(*arguments):
        command = [str(python), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    yield run_it
    holder = AgentLock(home, "local").holder() if home.exists() else None
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)


def test_the_wheel_holds_the_front_end_where_it_is_looked_for(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "jobdeck/py.typed",
        "jobdeck/widgets/static/card.js",
        "jobdeck/widgets/static/card.css",
        "jobdeck/widgets/static/deck.js",
        "jobdeck/widgets/static/deck.css",
        f"{DATA}/share/jupyter/labextensions/jobdeck/package.json",
        f"{DATA}/share/jupyter/labextensions/jobdeck/install.json",
        f"{DATA}/share/jupyter/labextensions/jobdeck/schemas/jobdeck/plugin.json",
        f"{DATA}/etc/jupyter/jupyter_server_config.d/jobdeck.json",
        f"jobdeck-{__version__}.dist-info/licenses/LICENSE",
        f"jobdeck-{__version__}.dist-info/entry_points.txt",
    } <= names
    assert any(name.startswith(f"{DATA}/share/jupyter/labextensions/jobdeck/static/remoteEntry.") for name in names)


def test_the_wheel_holds_nothing_else(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"jobdeck", f"jobdeck-{__version__}.dist-info", f"jobdeck-{__version__}.data"}
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "__pycache__" in name or "node_modules" in name]


def test_it_is_the_installed_package_that_is_imported(run, python):
    where = Path(run("-c", "import jobdeck; print(jobdeck.__file__)").strip())
    assert python.parents[1] in where.parents


def test_jupyterlab_finds_the_extension_enabled_and_sound(run):
    said = run("-c", "from jupyterlab.labextensions import main; main()", "list")
    line = next(line for line in said.splitlines() if line.strip().startswith("jobdeck "))
    assert f"v{__version__}" in line
    assert "enabled" in line
    assert "OK" in line
    assert "(python, jobdeck)" in line


def test_the_jupyter_server_finds_its_extension_enabled_and_sound(run):
    said = run("-c", "from jupyter_server.extension.serverextension import main; main()", "list")
    lines = [line for line in said.splitlines() if "jobdeck" in line]
    assert any("enabled" in line for line in lines), said
    assert any(__version__ in line and "OK" in line for line in lines), said


def test_the_command_line_is_installed(run, python):
    assert (python.parent / "jobdeck").exists()
    assert "cancel" in run(str(python.parent / "jobdeck"), "--help")


def test_a_job_in_a_cell_is_a_live_card(run):
    assert "True True DONE" in run("-c", NOTEBOOK).splitlines()

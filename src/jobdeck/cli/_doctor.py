"""What ``jobdeck doctor`` looks at, and what it advises."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from .._errors import JobdeckError
from .._plain import plain, size
from .._service import JobService
from .._version import __version__
from ..engines.lock import AgentLock
from ..store.home import BLOBS, DATABASE, OUTPUT
from ._servers import ask_servers

_PARTS: Final = ("jupyterlab", "notebook", "jupyter_server", "ipykernel", "ipywidgets", "anywidget", "traitlets")
_NEEDED: Final = ("ipykernel", "ipywidgets", "anywidget", "traitlets")
_LITTLE: Final = 50e6
"""Bytes: of less, a few jobs' output takes the rest."""
_FRONT_END: Final = tuple(f"widgets/static/{name}" for name in ("card.js", "card.css", "deck.js", "deck.css"))


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `next_step` says what to do about it."""

    name: str
    text: str
    is_problem: bool = False
    next_step: str | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def examine(home: Path | None) -> list[Finding]:
    """Look at everything. Nothing is changed but that a home which does not exist is made."""
    found = [Finding("jobdeck", f"{__version__}, Python {sys.version.split()[0]} at {sys.executable}")]
    found += _store(home)
    found += _versions()
    found.append(_front_end())
    found.append(_lab_extension())
    found.append(_server_extension())
    found += _running_servers(home)
    return found


def _store(home: Path | None) -> Iterator[Finding]:
    service = JobService.of(home)
    try:
        told = service.store.describe()
    except JobdeckError as error:
        yield Finding(
            "store", plain(str(error)), True, f"see to the folder {service.home}, or name another with --home"
        )
        return
    yield _home(service.home, told)
    yield _journal(told)
    yield from _closed(service.home)
    jobs = told["jobs"]
    assert isinstance(jobs, dict)
    counts = ", ".join(f"{count} {plain(str(status))}" for status, count in jobs.items())
    yield Finding("jobs", counts or "none yet")
    damaged = told["damaged"]
    if damaged:
        assert isinstance(damaged, list)
        words = f"an earlier store was damaged and is kept as {', '.join(damaged)}"
        yield Finding("damage", words, True, "get back what you need from it (it is an SQLite file), then delete it")
    yield _agent(service, int(jobs.get("QUEUED", 0)))


def _home(home: Path, told: dict[str, object]) -> Finding:
    free = shutil.disk_usage(home).free
    words = f"{told['home']} ({told['file_system'] or 'unknown file system'}, {size(free)} free)"
    if free >= _LITTLE:
        return Finding("home", words)
    return Finding("home", words, True, "make room on that disk; jobdeck prune removes jobs that have ended")


def _closed(home: Path) -> Iterator[Finding]:
    """Tell what of the home cannot be written: without that, jobs can be looked at and not run."""
    parts = [home / name for name in (DATABASE, OUTPUT, BLOBS, "agents")]
    closed = [str(part) for part in parts if part.exists() and not os.access(part, os.W_OK)]
    if closed:
        step = f"run: chmod -R u+rwX {shlex.quote(str(home))}"
        yield Finding("permissions", f"you cannot write {plain(', '.join(closed))}", True, step)


def _journal(told: dict[str, object]) -> Finding:
    mode = str(told["journal_mode"])
    sizes = told["sizes"]
    assert isinstance(sizes, dict)
    words = f"journal mode {mode}, SQLite {told['sqlite']}, {int(sum(sizes.values())) / 1e6:.1f} MB in all"
    if mode == "wal":
        return Finding("store", words)
    step = "name a folder on a local disk with JOBDECK_HOME, if all that use the store run on one machine"
    return Finding("store", f"{words}; WAL does not work on this file system, so a slower mode is used", next_step=step)


def _agent(service: JobService, queued: int) -> Finding:
    try:
        holder = AgentLock(service.home, "local").holder()
    except JobdeckError as error:
        return Finding(
            "agent", plain(str(error)), True, "put the home on a disk with working file locks (JOBDECK_HOME)"
        )
    if holder is not None:
        return Finding("agent", f"alive, process {holder.pid}")
    if queued:
        return Finding("agent", f"none, and {queued} queued", True, "run: jobdeck ls, which starts one")
    return Finding("agent", "none; the next job starts one")


def _versions() -> Iterator[Finding]:
    for name in _PARTS:
        try:
            found = version(name)
        except PackageNotFoundError:
            is_needed = name in _NEEDED
            step = f"run: {sys.executable} -m pip install {name}" if is_needed else None
            yield Finding(name, "not installed in this environment", is_needed, step)
            continue
        if name == "ipykernel" and (fault := _faults_of_ipykernel(found)):
            step = f"run: {sys.executable} -m pip install --upgrade jobdeck ipykernel"
            yield Finding(name, f"{found}, in which {fault}", True, step)
        else:
            yield Finding(name, found)


def _faults_of_ipykernel(version: str) -> str | None:
    """Return what is wrong with a version that jobdeck's own requirements exclude."""
    if version.startswith("7.0."):
        return "messages from threads get lost"
    if version.startswith(("7.1.", "7.2.", "7.3.")):
        return "a request to run a cell gets lost now and then"
    return None


def _front_end() -> Finding:
    package = Path(__file__).parents[1]
    missing = [name for name in _FRONT_END if not (package / name).is_file()]
    if not missing:
        return Finding("front end", "built")
    step = "install a wheel, or build this tree's front end (see CONTRIBUTING)"
    return Finding("front end", f"not built: {', '.join(missing)} not in {package}", True, step)


def _lab_extension() -> Finding:
    if find_spec("jupyterlab_server") is None:
        return Finding("JupyterLab extension", "not looked for: there is no JupyterLab in this environment")
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    folders = jupyter_path("labextensions")
    name = "JupyterLab extension"
    places = [folder for folder in folders if (Path(folder) / "jobdeck" / "package.json").is_file()]
    if not places:
        step = f"run: {sys.executable} -m pip install --force-reinstall --no-deps jobdeck"
        return Finding(name, f"not in any of {', '.join(folders)}", True, step)
    found = json.loads((Path(places[0]) / "jobdeck" / "package.json").read_text("utf-8")).get("version")
    if found != __version__:
        step = "remove the old one, then install jobdeck again"
        return Finding(name, f"version {found} in {places[0]}, but jobdeck is {__version__}", True, step)
    if "jobdeck" in get_page_config(folders)["disabledExtensions"]:
        return Finding(name, f"disabled (it is in {places[0]})", True, "run: jupyter labextension enable jobdeck")
    return Finding(name, f"{found}, enabled, in {places[0]}")


def _server_extension() -> Finding:
    name = "server extension"
    if find_spec("jupyter_server") is None:
        return Finding(name, "not looked for: there is no Jupyter server in this environment")
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    said = manager.get_jpserver_extensions()  # type: ignore[no-untyped-call]
    if said.get("jobdeck"):
        return Finding(name, "enabled")
    words = "disabled" if "jobdeck" in said else "not enabled by any configuration file"
    return Finding(name, words, True, "run: jupyter server extension enable jobdeck")


def _running_servers(home: Path | None) -> Iterator[Finding]:
    try:
        store_id = JobService.of(home).store.store_id
    except JobdeckError:
        return  # told above
    for served in ask_servers(store_id):
        yield Finding(f"server {served.url}", served.text, served.is_problem, served.next_step)

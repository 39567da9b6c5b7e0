"""The home: where it is, who may use it, and what it is made of."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jobdeck._errors import StoreError
from jobdeck._records import JobQuery
from jobdeck.store import default_home, open_store
from jobdeck.store.home import prepare_home

from .conftest import new_job, running


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_what_the_environment_names_else_the_platforms_place(home, monkeypatch, tmp_path):
    assert default_home() == home
    monkeypatch.setenv("JOBDECK_HOME", "~/jobs")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home() == tmp_path / "jobs"
    for unset in (lambda: monkeypatch.setenv("JOBDECK_HOME", ""), lambda: monkeypatch.delenv("JOBDECK_HOME")):
        unset()
        assert default_home().name == "jobdeck"
        assert default_home().is_relative_to(tmp_path)
    assert not default_home().exists(), "asking where it is makes nothing"


def test_a_relative_home_stays_where_it_is_when_the_working_directory_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = open_store(Path("here"))
    monkeypatch.chdir("/")
    assert store.home == tmp_path / "here"
    store.add_job(new_job())
    store.close()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_all_that_a_store_makes_is_for_its_owner_alone_whatever_the_umask(connect, home, umask):
    home.parent.mkdir(exist_ok=True)
    before = os.umask(umask)
    try:
        store = connect(home)
        job = running(store)
        store.add_message(job.job_id, '"' + "x" * 2_000_000 + '"')
        modes = {path: _mode(path) for path in (home, *home.rglob("*"))}
        is_folder = {path: path.is_dir() for path in modes}
        store.close()
    finally:
        os.umask(before)
    assert {path.name for path in modes} >= {"jobdeck.db", "output", "blobs", "store.lock"}
    assert {oct(mode) for path, mode in modes.items() if is_folder[path]} == {oct(0o700)}
    assert {oct(mode) for path, mode in modes.items() if not is_folder[path]} == {oct(0o600)}


def test_a_home_or_database_that_others_can_read_is_closed_to_them(home):
    open_store(home).close()
    home.chmod(0o755)
    (home / "jobdeck.db").chmod(0o644)
    open_store(home).close()
    assert (_mode(home), _mode(home / "jobdeck.db")) == (0o700, 0o600)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o722])
def test_a_home_that_others_can_write_is_refused_with_the_remedy(home, mode):
    home.mkdir()
    home.chmod(mode)
    with pytest.raises(StoreError, match=r"can be written by other users.*chmod 700"):
        open_store(home)
    assert not list(home.iterdir())


def test_a_home_of_somebody_else_is_refused_even_to_root(home):
    home.mkdir(mode=0o700)
    with pytest.raises(StoreError, match=r"belongs to user .*JOBDECK_HOME"):
        prepare_home(home, user=os.geteuid() + 1)
    assert not list(home.iterdir())


@pytest.mark.parametrize("within", ["", "below"])
def test_a_home_that_is_a_file_is_refused_and_left_alone(home, within):
    home.write_text("precious")
    with pytest.raises(StoreError, match=r"is a file.*move the file away"):
        open_store(home / within)
    assert home.read_text() == "precious"


def _as_a_user_without_rights(call) -> str:  # type: ignore[no-untyped-def]
    """What `call` raises in a child that is not root, since root may write anywhere."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresuid(54321, 54321, 54321)
            call()
            os.write(write, b"nothing was raised")
        except BaseException as error:  # noqa: BLE001 - told to the parent
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read, encoding="utf-8") as pipe:
        return pipe.read()


def test_a_home_that_cannot_be_made_or_written_is_refused_with_the_remedy(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    for folder in (tmp_path, *list(tmp_path.parents)[:-1]):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):
            folder.chmod(_mode(folder) | 0o055)
    said = _as_a_user_without_rights(lambda: open_store(closed / "home"))
    assert said.startswith("StoreError: the jobdeck home")
    assert "cannot be written" in said
    assert "JOBDECK_HOME" in said


def test_a_home_that_is_read_only_is_refused_with_the_remedy(home, tmp_path):
    owner = 54321 if os.geteuid() == 0 else os.geteuid()
    store = open_store(home)
    store.add_job(new_job())
    store.close()
    for path in (home, *home.rglob("*")):
        os.chown(path, owner, -1)
        path.chmod(0o500 if path.is_dir() else 0o400)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(_mode(folder) | 0o055)
    try:
        said = _as_a_user_without_rights(lambda: open_store(home).jobs(JobQuery()))
    finally:
        for path in (home, *home.rglob("*")):
            path.chmod(0o700)
            os.chown(path, os.geteuid(), -1)
    assert said.startswith("StoreError: ")
    assert "read-only" in said or "cannot be written" in said
    assert "JOBDECK_HOME" in said


def test_a_store_whose_home_was_removed_begins_a_new_one(home, connect):
    store = connect(home)
    store.add_job(new_job())
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    home.rmdir()
    assert store.jobs(JobQuery()) == []
    job = store.add_job(new_job())
    assert store.job(job.job_id).job_id.startswith(store.store_id)
    store.close()

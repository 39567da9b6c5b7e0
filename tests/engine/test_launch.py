"""Starting an agent, and an agent's own end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from jobdeck._errors import EngineError
from jobdeck.engines import launch
from jobdeck.engines.launch import PACKAGE_HOME, ensure_agent, trim_log
from jobdeck.engines.local.engine import LocalEngine
from jobdeck.store import open_store

from . import programs
from .conftest import Bench, until


def test_an_agent_is_started_once(forking: Bench, descriptors) -> None:
    engine = LocalEngine(forking.home)
    assert engine.live_agent() is None
    engine.ensure_agent()
    agent = engine.live_agent()
    assert agent is not None
    engine.ensure_agent()
    assert engine.live_agent() == agent


def test_kernels_that_start_one_at_the_same_time_end_with_one(forking: Bench) -> None:
    together = threading.Barrier(4)
    errors: list[BaseException] = []

    def start() -> None:
        together.wait()
        try:
            LocalEngine(forking.home).ensure_agent()
        except EngineError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []

    def agents() -> list[psutil.Process]:
        here = [p for p in psutil.process_iter(["cmdline"]) if str(forking.home) in (p.info["cmdline"] or [])]
        pids = {p.pid for p in here}
        return [p for p in here if p.ppid() not in pids]

    until(lambda: len(agents()) == 1)
    assert agents()[0].pid == forking.agent_pid()


def test_an_agent_is_detached_from_who_started_it(forking: Bench) -> None:
    forking.ensure_agent()
    agent = psutil.Process(forking.agent_pid())
    assert os.getsid(agent.pid) != os.getsid(0)
    assert agent.ppid() != os.getpid()
    assert agent.cwd() == str(forking.home)
    assert agent.pid not in [child.pid for child in psutil.Process().children(recursive=True)]


def test_an_agent_outlives_the_kernel_that_started_it(forking: Bench, tmp_path: Path) -> None:
    script = """
import os, pathlib, signal, sys
from jobdeck.engines.local.engine import LocalEngine
LocalEngine(pathlib.Path(sys.argv[1])).ensure_agent()
os.killpg(0, signal.SIGKILL)
"""
    kernel = subprocess.run([sys.executable, "-c", script, str(forking.home)], start_new_session=True, check=False)
    assert kernel.returncode == -signal.SIGKILL
    assert forking.engine.live_agent() is not None
    assert forking.run(programs.give).status == "DONE"


def test_an_agent_that_cannot_start_says_why(tmp_path: Path) -> None:
    home = tmp_path / "home"
    open_store(home).close()
    (home / "jobdeck.db").unlink()
    (home / "jobdeck.db").mkdir()
    with pytest.raises(EngineError, match=r"(?s)local agent ended as soon as it was started.*StoreError"):
        ensure_agent(home, "local")


def _killed_at_its_start(tmp_path: Path, times: int) -> Path:
    """An interpreter that is killed so many times before it has done anything."""
    program = tmp_path / "python"
    left = tmp_path / "left"
    left.mkdir()
    for number in range(times):
        (left / str(number)).touch()
    program.write_text(
        f'''#!/bin/sh
for file in "{left}"/*; do
    if [ -e "$file" ]; then rm "$file"; kill -9 $$; fi
done
exec "{sys.executable}" "$@"
'''
    )
    program.chmod(0o700)
    return program


def test_an_agent_that_is_killed_as_it_starts_is_started_once_more(forking: Bench, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(launch.sys, "executable", str(_killed_at_its_start(tmp_path, 1)))
    forking.ensure_agent()
    assert forking.engine.live_agent() is not None


def test_an_agent_that_is_killed_whenever_it_starts_is_an_error_that_says_so(tmp_path: Path, monkeypatch) -> None:
    home = tmp_path / "home"
    open_store(home).close()
    monkeypatch.setattr(launch.sys, "executable", str(_killed_at_its_start(tmp_path, 3)))
    with pytest.raises(EngineError, match="it was killed twice"):
        ensure_agent(home, "local")
    assert len(list((tmp_path / "left").iterdir())) == 1


def test_a_missing_home_is_an_engine_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be started"):
        ensure_agent(tmp_path / "nowhere", "local")


def test_an_interpreter_that_cannot_be_run_is_an_engine_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(launch.sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(EngineError, match="no-python"):
        ensure_agent(tmp_path, "local")


def test_an_idle_agent_ends_itself_and_the_next_job_starts_another(forking: Bench) -> None:
    forking.store.set_setting("idle_end", "0.2")
    first = forking.run(programs.give)
    agent = psutil.Process(forking.agent_pid())
    # Not its lock: an agent that sees a job in the instant after it has freed it takes it again.
    until(lambda: not agent.is_running())
    second = forking.run(programs.give)
    assert second.status == "DONE"
    assert second.agent != first.agent


def test_no_job_is_stranded_by_an_agent_that_ends_as_it_comes(forking: Bench) -> None:
    forking.store.set_setting("idle_end", "0.01")
    chance = random.Random(7)
    agents = set()
    for _ in range(12):
        job = forking.run(programs.give)
        assert job.status == "DONE"
        agents.add(job.agent)
        # Meets the agent at any point of its last milliseconds.
        time.sleep(chance.uniform(0.0, 0.04))
    assert len(agents) > 1


def test_an_agent_whose_home_was_moved_away_ends(forking: Bench) -> None:
    forking.ensure_agent()
    agent = psutil.Process(forking.agent_pid())
    forking.lock.path.unlink()
    until(lambda: not agent.is_running())


def test_an_agent_that_is_told_to_end_closes_its_jobs(forking: Bench, tmp_path: Path) -> None:
    job = forking.submit(programs.sleep_on, started=str(tmp_path / "started"))
    until((tmp_path / "started").exists)
    os.kill(forking.agent_pid(), signal.SIGTERM)
    ended = forking.end(job)
    assert (ended.status, ended.error_kind) == ("ERROR", "lost")


def test_a_log_that_grew_too_long_keeps_its_end(tmp_path: Path) -> None:
    log = tmp_path / "local.log"
    log.write_bytes(b"x" * launch.LOG_LIMIT + b"the end")
    trim_log(log)
    assert log.stat().st_size == launch.LOG_KEPT
    assert log.read_bytes().endswith(b"the end")
    trim_log(log)
    assert log.stat().st_size == launch.LOG_KEPT


def test_importing_the_engine_starts_nothing_and_stays_light() -> None:
    script = """
import sys, threading
import jobdeck.engines.local.engine
assert threading.active_count() == 1
print([name for name in ("psutil", "cloudpickle", "traitlets", "sqlite3") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


def test_an_agent_never_loads_what_only_kernels_need(forking: Bench) -> None:
    script = """
import sys
import jobdeck._agent, jobdeck.store, jobdeck.engines.local.agent, jobdeck.engines.local.zygote
print([name for name in ("traitlets", "ipywidgets", "anywidget", "IPython", "numpy") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


def test_the_process_that_jobs_are_forked_from_begins_small() -> None:
    script = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import jobdeck._agent, jobdeck.engines.local.zygote
print([name for name in sys.modules if name.partition(".")[0] in sys.argv[2:]])
"""
    heavy = ["contextlib", "dataclasses", "enum", "inspect", "json", "logging", "pathlib", "pickle", "re", "signal"]
    heavy += ["socket", "sqlite3", "threading", "traceback", "typing", "cloudpickle", "psutil"]
    command = [sys.executable, "-S", "-c", script, PACKAGE_HOME, *heavy]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"


def test_a_program_that_needs_more_finds_it_from_its_second_job_on(forking: Bench) -> None:
    names = ["jobdeck.engines.ending", "jobdeck.store"]
    assert forking.value(forking.run(programs.loaded, names=names)) == []
    assert forking.value(forking.run(programs.loaded, names=names)) == names
    # Each program for itself.
    assert forking.value(forking.run(programs.count_loaded, names=names)) == 0
    assert forking.value(forking.run(programs.count_loaded, names=names)) == 0


def test_a_program_that_travels_as_its_code_finds_all_at_once(forking: Bench) -> None:
    def loaded(names):
        return [name for name in names if name in sys.modules]

    names = ["jobdeck.engines.ending", "jobdeck.store"]
    assert forking.value(forking.run(loaded, names=names)) == names


def test_jobs_go_on_without_the_bare_process(forking: Bench) -> None:
    bare = forking.value(forking.run(os.getppid))
    agent = forking.agent_pid()
    psutil.Process(bare).kill()
    until(lambda: forking.run(os.getppid).status == "DONE")
    assert forking.value(forking.run(os.getppid)) != bare
    assert forking.agent_pid() == agent


def test_a_users_file_never_takes_the_place_of_what_jobdeck_loads(
    forking: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dataclasses", "inspect", "json", "logging", "sqlite3", "traceback", "typing"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('of the user')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert forking.run(programs.fail).error == "ValueError: no luck"
    assert forking.run(programs.publish_and_list_open_files, count=1).status == "DONE"
    assert forking.value(forking.run(programs.give, value={"a": 1})) == {"a": 1}

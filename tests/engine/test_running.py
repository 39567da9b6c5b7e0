"""What a job finds when it runs, and what is kept of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jobdeck.engines.local import rehearsal

from . import programs
from .conftest import Bench, until


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """The same for all but those that change its settings."""
    return shared_bench


def test_a_program_runs_and_its_value_is_kept(bench: Bench) -> None:
    job = bench.run(programs.give, value={"energy": -1.137})
    assert job.status == "DONE"
    assert bench.value(job) == {"energy": -1.137}
    assert job.exit_code == 0
    assert job.pid != os.getpid()


def test_a_program_that_raises_leaves_its_traceback(bench: Bench) -> None:
    job = bench.run(programs.fail, text="no luck")
    assert (job.status, job.error_kind, job.error) == ("ERROR", "exception", "ValueError: no luck")
    assert "in fail" in job.traceback
    assert "jobdeck/engines" not in job.traceback


def test_a_job_is_at_home_where_its_kernel_is(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder / "modules"))
    monkeypatch.setenv("MY_SETTING", "42")
    found = bench.value(bench.run(programs.describe, names=["MY_SETTING", "JOBDECK_AGENT"]))
    assert found["interpreter"] == sys.executable
    assert found["cwd"] == str(folder)
    assert found["sys_path"][0] == str(folder / "modules")
    assert found["environment"] == {"MY_SETTING": "42", "JOBDECK_AGENT": None}


def test_a_job_knows_who_it_is(bench: Bench) -> None:
    job = bench.run(programs.describe, names=["JOBDECK_JOB_ID", "JOBDECK_HOME"])
    assert bench.value(job)["environment"] == {"JOBDECK_JOB_ID": job.job_id, "JOBDECK_HOME": str(bench.home)}


def test_a_job_is_alone_in_its_session_and_has_nothing_that_is_not_its_own(bench: Bench) -> None:
    job = bench.run(programs.describe)
    found = bench.value(job)
    assert found["pid"] == found["group"] == found["session"] == job.pid
    assert found["stdin"] == ""
    assert found["encoding"] == "utf-8"
    assert found["main"] == ["__builtins__", "__doc__", "__loader__", "__name__", "__package__", "__spec__"]


def test_a_job_finds_no_signal_ignored_handled_or_held_back_but_its_interrupt(bench: Bench) -> None:
    expected = {"ignored": [], "handled": [int(signal.SIGINT)], "held back": []}
    assert bench.value(bench.run(programs.describe_signals)) == expected


def test_a_job_has_its_own_kernels_environment_whoever_ran_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("first", None, "second", "second", None):
        if value is None:
            monkeypatch.delenv("MY_SETTING")
        else:
            monkeypatch.setenv("MY_SETTING", value)
        job = bench.run(programs.describe, names=["MY_SETTING", "JOBDECK_JOB_ID"])
        assert bench.value(job)["environment"] == {"MY_SETTING": value, "JOBDECK_JOB_ID": job.job_id}


@pytest.mark.skipif(sys.platform != "linux", reason="names of processes are Linux's")
def test_rehearsing_leaves_nothing_behind_in_the_jobs_that_follow(forking: Bench, tmp_path: Path) -> None:
    names = ["JOBDECK_JOB_ID", "JOBDECK_HOME", "JOBDECK_AGENT"]
    before = forking.run(programs.describe, names=names)
    agent = psutil.Process(forking.agent_pid())
    until(lambda: {child.name() for child in agent.children()} == {rehearsal.NAME})
    after = forking.run(programs.describe, names=names)
    own = {"JOBDECK_JOB_ID": after.job_id, "JOBDECK_HOME": str(forking.home), "JOBDECK_AGENT": None}
    assert forking.value(after) == forking.value(before) | {
        "pid": after.pid,
        "group": after.pid,
        "session": after.pid,
        "environment": own,
    }
    assert forking.value(forking.run(programs.describe_signals))["held back"] == []
    assert forking.run(programs.fail).error == "ValueError: no luck"
    written = forking.run(programs.write_everywhere)
    assert "from a subprocess" in forking.output(written)
    assert forking.agent_log() == ""


def test_all_output_is_captured_in_the_order_in_which_it_was_written(bench: Bench) -> None:
    job = bench.run(programs.write_everywhere)
    assert job.status == "DONE", job.error
    lines = bench.output(job).splitlines()
    assert lines[:6] == [
        "from print",
        "from stderr",
        "from a descriptor",
        "from a subprocess",
        "and its stderr",
        "from C",
    ]
    assert lines[6] == "lone \\ud800 surrogate"
    assert bench.store.log_path(job.job_id).read_bytes().endswith(b"50 %\r100 %")


def test_the_output_file_belongs_to_its_user_alone(bench: Bench) -> None:
    job = bench.run(programs.give)
    assert bench.store.log_path(job.job_id).stat().st_mode & 0o777 == 0o600


def test_threads_are_joined_and_exit_handlers_run_as_at_the_end_of_a_script(bench: Bench, tmp_path: Path) -> None:
    job = bench.run(programs.exit_handlers, path=str(tmp_path / "log"))
    assert job.status == "DONE"
    assert (tmp_path / "log").read_text() == "thread\nhandler\n"


def test_what_a_log_handler_holds_is_written_at_the_end(bench: Bench, tmp_path: Path) -> None:
    bench.run(programs.log_into_a_buffer, path=str(tmp_path / "log"))
    assert (tmp_path / "log").read_text() == "kept until the end\n"


def test_a_process_that_a_program_forks_knows_that_its_threads_are_not_there(bench: Bench) -> None:
    assert bench.value(bench.run(programs.fork_beside_a_thread)) == [1, False]


@pytest.mark.parametrize("fails", [False, True])
def test_how_a_job_ends_is_not_up_to_a_process_that_its_program_has_forked(bench: Bench, fails: bool) -> None:
    job = bench.run(programs.fork_and_return_twice, fails=fails)
    assert bench.value(job) == "parent"
    assert ("ValueError: in the fork" in bench.store.log_path(job.job_id).read_text()) == fails


def test_the_main_thread_of_a_job_goes_by_its_own_process(bench: Bench) -> None:
    thread, process = bench.value(bench.run(programs.native_id_of_the_main_thread))
    assert thread == process


def test_process_pools_work_inside_a_job(bench: Bench) -> None:
    assert bench.value(bench.run(programs.use_process_pool)) == [0, 1, 4, 9, 16]


def test_numeric_libraries_use_their_threads_inside_a_job(bench: Bench) -> None:
    assert bench.value(bench.run(programs.use_threads_of_numpy)) == 600.0


def test_cpu_time_and_peak_memory_are_counted(bench: Bench) -> None:
    busy = bench.run(programs.burn, seconds=0.3)
    assert 0.3 <= busy.cpu_time < 5
    big = bench.run(programs.take_memory, size=200 << 20)
    assert (200 << 20) < big.peak_memory < (400 << 20)


def test_a_program_from_a_notebook_cell_runs_in_a_fresh_main(bench: Bench) -> None:
    source = "counter = 1\ndef cell():\n    global counter\n    counter += 1\n    return counter, __name__\n"
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)
    job = bench.run(namespace["cell"])
    assert bench.value(job) == (2, "__main__")


def test_another_interpreter_and_its_startup_environment_are_used(bench: Bench, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(venv)], check=True)
    python = venv / "bin" / "python"
    out = tmp_path / "job.json"
    script = f"""
import json, os, pathlib, sys
sys.path[:0] = {[p for p in sys.path if p]!r}
os.environ["PYTHONHASHSEED"] = "0"
from jobdeck._program import pack
from jobdeck._records import NewJob
from jobdeck.store import open_store
from engine import programs
store = open_store(pathlib.Path({str(bench.home)!r}))
packed = pack(programs.describe, {{"names": ["PYTHONHASHSEED"]}})
job = store.add_job(NewJob(packed.name, "local", packed.program, packed.inputs, packed.context))
print(json.dumps(job.job_id))
"""
    said = subprocess.run([str(python), "-c", script], check=True, capture_output=True, text=True)
    bench.ensure_agent()
    first = bench.store.job(json.loads(said.stdout))
    found = bench.value(bench.end(first))
    assert found["interpreter"] == str(python)
    assert found["prefix"] == str(venv)
    assert found["environment"] == {"PYTHONHASHSEED": "0"}
    assert bench.value(bench.run(programs.describe))["interpreter"] == sys.executable
    del out


def test_an_interpreter_that_is_gone_ends_its_job_with_words(bench: Bench) -> None:
    import dataclasses

    from jobdeck._program import Context, pack
    from jobdeck._records import NewJob

    packed = pack(programs.give)
    context = dataclasses.replace(Context.from_bytes(packed.context), interpreter="/nowhere/bin/python")
    gone = bench.store.add_job(NewJob("gone", "local", packed.program, packed.inputs, context.to_bytes()))
    bench.ensure_agent()
    job = bench.end(gone)
    assert job.status == "ERROR"
    assert "/nowhere/bin/python" in job.error
    assert bench.run(programs.give).status == "DONE"


def test_a_context_that_cannot_be_read_ends_its_job_with_words(bench: Bench) -> None:
    from jobdeck._program import pack
    from jobdeck._records import NewJob

    packed = pack(programs.give)
    broken = bench.store.add_job(NewJob("broken", "local", packed.program, packed.inputs, b"not JSON"))
    bench.ensure_agent()
    assert "context" in bench.end(broken).error
    assert bench.run(programs.give).status == "DONE"


def test_a_folder_that_is_gone_does_not_end_the_job(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "short-lived"
    folder.mkdir()
    monkeypatch.chdir(folder)
    job = bench.insert(programs.describe)
    monkeypatch.undo()
    folder.rmdir()
    bench.ensure_agent()
    assert bench.end(job).status == "DONE"
    assert "short-lived" in bench.output(job)


def test_jobs_start_first_come_first_served(own_bench: Bench, tmp_path: Path) -> None:
    own_bench.store.set_setting("max_workers", "1")
    order = tmp_path / "order"
    jobs = [own_bench.insert(programs.record_order, path=str(order), number=number) for number in range(5)]
    own_bench.ensure_agent()
    for job in jobs:
        own_bench.end(job)
    assert order.read_text().split() == [str(number) for number in range(5)]


def test_no_more_jobs_run_than_there_are_workers_and_a_change_counts_at_once(own_bench: Bench, tmp_path: Path) -> None:
    own_bench.store.set_setting("max_workers", "2")
    release = tmp_path / "release"
    jobs = [
        own_bench.submit(programs.hold, started=str(tmp_path / f"started-{number}"), release=str(release))
        for number in range(4)
    ]

    def statuses() -> list[str]:
        return [str(own_bench.store.job(job.job_id).status) for job in jobs]

    until((tmp_path / "started-1").exists)
    assert statuses() == ["RUNNING", "RUNNING", "QUEUED", "QUEUED"]
    own_bench.store.set_setting("max_workers", "3")
    until((tmp_path / "started-2").exists)
    assert statuses() == ["RUNNING", "RUNNING", "RUNNING", "QUEUED"]
    release.touch()
    assert [own_bench.end(job).status for job in jobs] == ["DONE"] * 4

"""However a job's process ends, the job says so in the right words, and the agent goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import programs
from .conftest import Bench, until


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """The same for all: its agent goes on."""
    return shared_bench


@pytest.fixture(autouse=True)
def agent_goes_on(bench: Bench) -> Iterator[None]:
    bench.ensure_agent()
    before = bench.agent_pid()
    yield
    assert bench.agent_pid() == before
    if bench.launcher == "fork":
        # A new interpreter for each job has nothing of the one before.
        assert bench.run(programs.give).status == "DONE"


@pytest.mark.parametrize("code", [None, 0])
def test_exit_without_a_failure_counts_as_a_return(bench: Bench, code: int | None) -> None:
    job = bench.run(programs.exit_with, code=code)
    assert (job.status, job.exit_code) == ("DONE", 0)
    assert bench.value(job) is None


def test_exit_with_a_code_is_an_error_of_kind_exit(bench: Bench) -> None:
    job = bench.run(programs.exit_with, code=3)
    assert (job.status, job.error_kind, job.exit_code) == ("ERROR", "exit", 3)
    assert "3" in job.error


def test_exit_with_words_says_them(bench: Bench) -> None:
    job = bench.run(programs.exit_with, code="wrong input file")
    assert (job.status, job.error_kind, job.exit_code) == ("ERROR", "exit", 1)
    assert "wrong input file" in job.error
    assert "wrong input file" in bench.output(job)


@pytest.mark.parametrize("code", [0, 7])
def test_a_process_that_ends_itself_is_never_a_success(bench: Bench, code: int) -> None:
    job = bench.run(programs.end_at_once, code=code)
    assert (job.status, job.error_kind, job.exit_code) == ("ERROR", "exit", code)
    assert f"exit code {code}" in job.error


def test_a_crash_in_compiled_code_names_itself_and_leaves_a_python_traceback(bench: Bench) -> None:
    job = bench.run(programs.crash)
    assert (job.status, job.error_kind) == ("ERROR", "signal")
    assert "segmentation fault" in job.error
    assert "in crash" in bench.output(job)


def test_a_kill_from_outside_is_told_from_a_crash(bench: Bench) -> None:
    job = bench.run(programs.kill_itself)
    assert (job.status, job.error_kind, job.exit_signal) == ("ERROR", "signal", 9)
    assert "from outside" in job.error


def test_memory_that_runs_out_is_an_error_of_kind_memory(bench: Bench) -> None:
    job = bench.run(programs.fill_memory)
    assert (job.status, job.error_kind) == ("ERROR", "memory")


def test_a_program_that_leaves_nothing_to_load_with_says_so_and_can_be_run_again(forking: Bench) -> None:
    job = forking.run(programs.forbid_to_open_files)
    assert (job.status, job.error_kind) == ("ERROR", "exception")
    assert job.error.startswith("OSError: [Errno 24] Too many open files")
    assert "what the program left could not be kept. retry() runs it where" in job.error
    again = forking.run(programs.forbid_to_open_files)
    assert (again.status, forking.value(again)) == ("DONE", {"kept": "here"})


def test_a_program_that_leaves_nothing_to_load_with_and_fails_tells_why(forking: Bench) -> None:
    job = forking.run(programs.forbid_to_open_files_and_fail)
    assert (job.status, job.error_kind, job.error) == ("ERROR", "exception", "ValueError: too far apart: ö")


@pytest.mark.parametrize("program", [programs.close_stdout, programs.close_all_descriptors])
def test_a_program_that_closes_its_descriptors_still_gives_its_result(bench: Bench, program) -> None:
    job = bench.run(program)
    assert job.status == "DONE", job.error
    assert bench.value(job) == "still here"


def test_what_is_left_of_the_group_ends_with_the_job(bench: Bench, tmp_path: Path) -> None:
    job = bench.run(programs.leave_children, folder=str(tmp_path), program="return")
    assert job.status == "DONE"
    pids = {name: int((tmp_path / name).read_text()) for name in ("same-group", "own-session", "daemon")}
    assert not _is_alive(pids["same-group"])
    # What made a session of its own wanted to outlive the job; after a normal end it may.
    for name in ("own-session", "daemon"):
        assert _is_alive(pids[name])
        os.kill(pids[name], 9)
        until(lambda name=name: not _is_alive(pids[name]))


def test_a_program_that_cannot_be_imported_says_so(bench: Bench, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "fleeting.py").write_text("def program():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import fleeting

    job = bench.insert(fleeting.program)
    del sys.modules["fleeting"]
    (tmp_path / "fleeting.py").unlink()
    bench.ensure_agent()
    ended = bench.end(job)
    assert (ended.status, ended.error_kind) == ("ERROR", "exception")
    assert "fleeting" in ended.error


def test_a_job_whose_output_cannot_be_kept_says_so(bench: Bench) -> None:
    job = bench.insert(programs.native_id_of_the_main_thread)
    output = bench.store.log_path(job.job_id)
    output.mkdir()
    bench.ensure_agent()
    ended = bench.end(job)
    assert ended.status == "ERROR"
    assert f"its output cannot be kept in {output} (Is a directory)" in ended.error


def test_an_outcome_that_cannot_be_stored_is_tried_again_with_patience(bench: Bench) -> None:
    job = bench.run(programs.forbid_files_to_grow, seconds=0.7, patience=30.0)
    assert job.status == "DONE", job.error
    assert bench.value(job).startswith("kept")
    assert job.ended - job.started >= 0.7


def test_an_outcome_waits_for_room_on_a_full_disk_for_much_longer(bench: Bench) -> None:
    job = bench.run(programs.end_on_a_full_disk, seconds=0.7)
    assert job.status == "DONE", job.error
    assert bench.value(job).startswith("kept")


def test_an_outcome_that_is_never_stored_is_never_a_success(bench: Bench) -> None:
    job = bench.run(programs.forbid_files_to_grow, seconds=None, patience=0.5)
    assert (job.status, job.error_kind) == ("ERROR", "exit")
    assert bench.store.outcome(job.job_id) is None


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""Cancel, kill and time limits: politely first, then not, and nothing is left."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from . import programs
from .conftest import Bench, until


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """The same for all."""
    return shared_bench


def started(bench: Bench, path: Path, program, **inputs):
    job = bench.submit(program, started=str(path), **inputs)
    until(path.exists)
    return job


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


STUBBORN = [
    programs.sleep_on,
    programs.spin,
    programs.ignore_signals,
    programs.multiply_for_long,
    programs.publish_until_stopped,
]


@pytest.mark.parametrize("program", STUBBORN, ids=lambda program: program.__name__)
def test_a_cancel_ends_whatever_the_program_is_at(bench: Bench, tmp_path: Path, program) -> None:
    job = started(bench, tmp_path / "started", program)
    pid = until(lambda: bench.store.job(job.job_id).pid)
    begin = time.monotonic()
    bench.store.ask(job.job_id, "cancel", "test")
    ended = bench.end(job)
    print(f"{program.__name__}: cancelled within {time.monotonic() - begin:.3f} s")
    assert ended.status == "CANCELLED"
    assert not is_alive(pid)


def test_each_step_of_a_cancel_is_told(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.ignore_signals)
    notes = []
    bench.store.ask(job.job_id, "cancel", "test")

    def ended() -> bool:
        now = bench.store.job(job.job_id)
        if now.status == "RUNNING" and (not notes or notes[-1] != (now.cancel_state, now.cancel_note)):
            notes.append((now.cancel_state, now.cancel_note))
        return now.status != "RUNNING"

    until(ended)
    assert ("stopping", "interrupt sent") in notes
    assert ("stopping", "terminate sent") in notes
    assert notes.index(("stopping", "interrupt sent")) < notes.index(("stopping", "terminate sent"))


def test_a_program_that_noticed_the_interrupt_may_clean_up(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.clean_up, cleaned=str(tmp_path / "cleaned"), seconds=1.5)
    bench.store.ask(job.job_id, "cancel", "test")
    until(lambda: bench.store.job(job.job_id).cancel_note == "cleaning up")
    assert bench.end(job).status == "CANCELLED"
    assert (tmp_path / "cleaned").exists()


def test_threads_of_a_program_that_was_interrupted_are_not_waited_for(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.wait_for_a_thread)
    bench.store.ask(job.job_id, "cancel", "test")
    ended = bench.end(job)
    assert ended.status == "CANCELLED"
    assert ended.exit_signal == signal.SIGALRM


def test_a_kill_waits_for_nobody(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.swallow_interrupts)
    bench.store.ask(job.job_id, "cancel", "test")
    until(lambda: bench.store.job(job.job_id).cancel_note == "cleaning up")
    bench.store.ask(job.job_id, "kill", "test")
    ended = bench.end(job, seconds=5)
    assert (ended.status, ended.exit_signal) == ("CANCELLED", 9)


def test_a_job_that_finishes_in_spite_of_the_interrupt_is_done(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.finish_in_spite_of_interrupt)
    bench.store.ask(job.job_id, "cancel", "test")
    assert bench.end(job).status == "DONE"
    assert bench.value(job) == "finished"


def test_a_result_that_is_stored_survives_a_cancel_of_what_hangs_after_it(bench: Bench, tmp_path: Path) -> None:
    job = started(bench, tmp_path / "started", programs.hang_in_thread)
    until(lambda: bench.store.outcome(job.job_id) is not None)
    bench.store.ask(job.job_id, "cancel", "test")
    assert bench.end(job).status == "DONE"
    assert bench.value(job) == "returned"


def test_a_cancel_at_any_moment_of_a_start_is_honoured(bench: Bench, tmp_path: Path) -> None:
    for round_ in range(12):
        job = bench.submit(programs.sleep_on, started=str(tmp_path / f"started-{round_}"))
        # Now nothing, now a little work, so that the request meets the start at different points.
        for _ in range(round_ * 3):
            bench.store.job(job.job_id)
        bench.store.ask(job.job_id, "cancel", "test")
        assert bench.end(job).status == "CANCELLED"


@pytest.mark.parametrize("program", ["sleep", "ignore"])
def test_nothing_of_a_cancelled_job_is_left(bench: Bench, tmp_path: Path, program: str) -> None:
    job = bench.submit(programs.leave_children, folder=str(tmp_path), program=program)
    until((tmp_path / ("ignoring" if program == "ignore" else "parent")).exists)
    bench.store.ask(job.job_id, "cancel", "test")
    assert bench.end(job).status == "CANCELLED"
    left = [name for name in ("same-group", "own-session", "daemon") if is_alive(int((tmp_path / name).read_text()))]
    assert left == []


def test_a_time_limit_kills_what_ignores_it_with_all_that_it_started(bench: Bench, tmp_path: Path) -> None:
    job = bench.submit(programs.leave_children, folder=str(tmp_path), program="ignore", timeout=2.0)
    ended = bench.end(job)
    assert (ended.status, ended.error_kind, ended.exit_signal) == ("ERROR", "timeout", 9)
    left = [name for name in ("same-group", "own-session", "daemon") if is_alive(int((tmp_path / name).read_text()))]
    assert left == []

"""Agents that are killed at any moment: nothing that was acknowledged is lost, nothing is left running."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from jobdeck.engines.lost import close_lost

from . import programs
from .conftest import Bench, processes_of, until


def kill_agent(bench: Bench) -> None:
    pid = bench.agent_pid()
    os.kill(pid, signal.SIGKILL)
    until(lambda: bench.lock.holder() is None)


def acknowledged(path: Path) -> list[int]:
    """What the program had noted as durable; a last line that was cut short does not count."""
    if not path.exists():
        return []
    *lines, _ = path.read_text().split("\n")
    return [int(line) for line in lines]


def test_jobs_of_a_killed_agent_are_closed_by_whoever_looks(bench: Bench, tmp_path: Path) -> None:
    job = bench.submit(programs.leave_children, folder=str(tmp_path), program="sleep")
    until((tmp_path / "parent").exists)
    kill_agent(bench)
    close_lost(bench.store, "local")
    ended = bench.store.job(job.job_id)
    assert (ended.status, ended.error_kind) == ("ERROR", "lost")
    until(lambda: not processes_of(bench.home))
    until(lambda: not any(psutil.pid_exists(int((tmp_path / n).read_text())) for n in ("same-group", "own-session")))


def test_a_new_agent_closes_them_and_runs_what_was_queued(bench: Bench, tmp_path: Path) -> None:
    bench.store.set_setting("max_workers", "1")
    running = bench.submit(programs.sleep_on, started=str(tmp_path / "started"))
    until((tmp_path / "started").exists)
    queued = bench.submit(programs.give, value=1)
    kill_agent(bench)
    bench.ensure_agent()
    assert bench.end(running).error_kind == "lost"
    assert bench.end(queued).status == "DONE"


def test_a_result_that_was_stored_before_the_agent_died_counts(bench: Bench, tmp_path: Path) -> None:
    job = bench.submit(programs.hang_in_thread, started=str(tmp_path / "started"))
    until(lambda: bench.store.outcome(job.job_id) is not None)
    kill_agent(bench)
    close_lost(bench.store, "local")
    assert bench.store.job(job.job_id).status == "DONE"
    assert bench.value(job) == "returned"


def test_jobs_of_a_living_agent_are_left_alone(bench: Bench, tmp_path: Path) -> None:
    job = bench.submit(programs.hold, started=str(tmp_path / "started"), release=str(tmp_path / "release"))
    until((tmp_path / "started").exists)
    assert close_lost(bench.store, "local") == []
    (tmp_path / "release").touch()
    assert bench.end(job).status == "DONE"


def test_room_for_a_cancel_on_a_full_disk_is_set_aside_while_the_first_job_runs(forking: Bench, tmp_path: Path) -> None:
    job = forking.submit(programs.hold, started=str(tmp_path / "started"), release=str(tmp_path / "release"))
    until((forking.home / "reserve").exists)
    (tmp_path / "release").touch()
    assert forking.end(job).status == "DONE"


def test_an_agent_whose_home_was_made_anew_leaves_its_jobs_to_another(bench: Bench, tmp_path: Path) -> None:
    bench.end(bench.submit(programs.give, value=1))
    old = psutil.Process(bench.agent_pid())
    before = bench.store.store_id
    old.suspend()
    shutil.rmtree(bench.home)
    job = bench.insert(programs.give, value=2)
    assert bench.store.store_id != before
    old.resume()
    old.wait(15)
    assert bench.store.job(job.job_id).status == "QUEUED"
    bench.ensure_agent()
    assert bench.end(job).status == "DONE"
    assert bench.agent_pid() != old.pid


def test_a_stranger_with_a_reused_pid_is_left_alone(bench: Bench, tmp_path: Path) -> None:
    job = bench.submit(programs.sleep_on, started=str(tmp_path / "started"))
    until((tmp_path / "started").exists)
    kill_agent(bench)
    until(lambda: not processes_of(bench.home))
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        started = psutil.Process(stranger.pid).create_time()
        bench.store.set_process(job.job_id, stranger.pid, started)
        close_lost(bench.store, "local")
        assert bench.store.job(job.job_id).status == "ERROR"
        assert stranger.poll() is None
        stranger.kill()


def test_a_zygote_that_is_killed_ends_its_jobs_and_is_replaced(forking: Bench, tmp_path: Path) -> None:
    job = forking.submit(programs.leave_children, folder=str(tmp_path), program="sleep")
    until((tmp_path / "parent").exists)
    agent = psutil.Process(forking.agent_pid())
    psutil.Process(int((tmp_path / "parent").read_text())).parent().kill()
    assert forking.end(job).error_kind == "lost"
    for name in ("same-group", "own-session"):
        until(lambda name=name: not psutil.pid_exists(int((tmp_path / name).read_text())))
    assert forking.run(programs.give).status == "DONE"
    assert forking.agent_pid() == agent.pid


def test_what_a_job_left_behind_is_buried_when_it_ends_by_itself(forking: Bench) -> None:
    zygote = 0
    for seconds in (0.0, 0.001, 0.003, 0.01, 0.05):
        zygote = forking.value(forking.run(programs.leave_one_that_ends, seconds=seconds))
    until(lambda: not psutil.Process(zygote).children())


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_at_a_random_moment_loses_nothing(forking: Bench, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    forking.store.set_setting("max_workers", "3")
    jobs = []
    for number in range(6):
        path = tmp_path / f"acknowledged-{number}"
        jobs.append((forking.insert(programs.publish_numbers, acknowledged=str(path), pause=0.001), path))
    forking.ensure_agent()
    wanted = chance.randrange(40)
    first = jobs[0][1]
    until(lambda: len(acknowledged(first)) >= wanted)
    kill_agent(forking)
    forking.ensure_agent()
    for job, _ in jobs[:3]:
        assert forking.end(job).error_kind == "lost"
    # The queued ones are running now, under the new agent.
    for _, path in jobs[3:]:
        until(lambda path=path: acknowledged(path))
    for job, _ in jobs[3:]:
        forking.store.ask(job.job_id, "cancel", "test")
        assert forking.end(job).status == "CANCELLED"
    for job, path in jobs:
        kept = [int(message.body) for message in forking.store.messages(job.job_id)]
        noted = acknowledged(path)
        assert kept[: len(noted)] == noted
        assert kept == list(range(len(kept)))
    forking.stop_agent()
    until(lambda: not processes_of(forking.home))

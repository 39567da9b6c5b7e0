"""Many processes on one store, some of which are killed at random moments: nothing that was acknowledged is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobdeck._records import JobQuery
from jobdeck._status import JobStatus
from jobdeck.store import SQLiteStore, integrity

from .conftest import new_job, running
from .worker import LARGE

WORKER = str(Path(__file__).with_name("worker.py"))
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a worker, which waits to be told to begin; all of them are gone after the test."""
    workers: list[subprocess.Popen[str]] = []

    def started(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", WORKER, str(home), *map(str, arguments)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        workers.append(worker)
        return worker

    yield started
    for worker in workers:
        worker.kill()
        worker.communicate()


def _begin(workers: list[subprocess.Popen[str]]) -> None:
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()


def _lines(worker: subprocess.Popen[str]) -> list[str]:
    output, _ = worker.communicate(timeout=100)
    assert worker.returncode == 0
    return output.splitlines()


def _is_sound(store: SQLiteStore) -> bool:
    return store._db.run(lambda link: integrity.quick_check(link.connection, 60)) is None


def test_eight_processes_publish_into_one_job_without_a_gap_or_a_loss(store, start):
    job = running(store)
    workers = [start("publish", job.job_id, f"writer-{number}", 500) for number in range(8)]
    _begin(workers)
    acknowledged: dict[int, str] = {}
    for worker in workers:
        own = [line.split(" ", 1) for line in _lines(worker)]
        assert [body for _, body in own] == [f'"{own[0][1][1:9]} {number}"' for number in range(500)]
        numbers = [int(seq) for seq, _ in own]
        assert numbers == sorted(numbers), "each writer's messages keep their order"
        acknowledged.update({int(seq): body for seq, body in own})
    assert sorted(acknowledged) == list(range(1, 4001))
    assert {message.seq: message.body for message in store.messages(job.job_id)} == acknowledged
    assert store.job(job.job_id).interim_count == 4000


def test_four_agents_never_claim_the_same_job(store, start):
    ids = [store.add_job(new_job()).job_id for _ in range(200)]
    agents = [start("claim_all", f"agent-{number}") for number in range(4)]
    _begin(agents)
    claimed = [tuple(line.split()) for agent in agents for line in _lines(agent)]
    assert sorted(job_id for job_id, _ in claimed) == sorted(ids)
    assert {job.job_id: job.agent for job in store.jobs(JobQuery())} == dict(claimed)
    assert {job.status for job in store.jobs(JobQuery())} == {JobStatus.RUNNING}


@pytest.mark.parametrize("seed", range(8))
def test_writers_that_are_killed_at_random_moments_lose_nothing_and_harm_nothing(store, start, until, seed):
    chance = random.Random(seed)
    small, large = running(store), running(store)
    workers = {
        "a": start("publish", small.job_id, "a", 1_000_000),
        "b": start("publish", small.job_id, "b", 1_000_000),
        "c": start("publish_large", large.job_id, "c", 10_000),
        "d": start("add_jobs", "d", 100_000),
    }
    told: dict[str, list[str]] = {name: [] for name in workers}

    def listen(name: str) -> None:
        # Read without a pause, so that no worker is killed while it waits for its reader rather than at work.
        told[name].extend(workers[name].stdout)

    _begin([*workers.values()])
    listeners = [threading.Thread(target=listen, args=(name,)) for name in workers]
    for listener in listeners:
        listener.start()
    for name in chance.sample(sorted(workers), len(workers)):
        enough = chance.randrange(1, 5 if name in "cd" else 500)
        until(lambda name=name, enough=enough: len(told[name]) >= enough, timeout=60)
        workers[name].send_signal(signal.SIGKILL)
        assert workers[name].wait() == -signal.SIGKILL
    for listener in listeners:
        listener.join()

    # A last line without its end was cut off by the kill.
    said = {name: [line.rstrip("\n") for line in lines if line.endswith("\n")] for name, lines in told.items()}
    kept = {message.seq: message.body for message in store.messages(small.job_id)}
    kept_large = {message.seq: message.body for message in store.messages(large.job_id)}
    added = {job.job_id: job.status for job in store.jobs(JobQuery(engine="d"))}
    lost = [line for name in "ab" for line in said[name] if kept.get(int(line.split()[0])) != line.split(" ", 1)[1]]
    lost += [line for line in said["c"] if f'"{line.split(" ", 1)[1]} ' not in kept_large.get(int(line.split()[0]), "")]
    lost += [job_id for job_id in said["d"] if added.get(job_id) is not JobStatus.DONE]
    assert all(said.values())
    assert len(lost) == 0
    assert list(kept) == list(range(1, len(kept) + 1))
    assert list(kept_large) == list(range(1, len(kept_large) + 1))
    assert all(body.endswith('x"') and len(body) > LARGE for body in kept_large.values())
    assert set(added.values()) <= {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE}
    assert _is_sound(store)
    assert store.add_message(small.job_id, "1") == len(kept) + 1
    assert not list(store.home.glob("*damaged*"))

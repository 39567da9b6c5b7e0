"""Killed at random moments, while jobs come, run and go on a cluster: agents, workers and a kernel.

What is lost without a word is zero, and so is what begins more often than it may.
"""

from __future__ import annotations

import collections
import random
import sys
import time
from pathlib import Path

import cloudpickle
import psutil
import pytest

from kernels import kernel

from .conftest import agent_pid, end, until

# Workers do not have the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

JOBS, MESSAGES = 24, 15


def tell(number, runs, user_messenger):
    with open(runs, "a") as file:
        file.write(f"{number}\n")
    for i in range(MESSAGES):
        user_messenger.publish([number, i])
        print("line", i)
        time.sleep(0.01)
    return number


def test_agents_killed_at_random_moments_lose_and_repeat_nothing(cluster, make_deck, tmp_path):
    chance = random.Random()
    deck = make_deck(cluster.engine)
    runs = tmp_path / "runs"
    group = deck.map(tell, [{"number": number} for number in range(JOBS)], inputs={"runs": str(runs)})
    kills = 0
    while kills < 3 and not all(job.in_final_state() for job in group):
        time.sleep(chance.uniform(0, 0.5))
        pid = agent_pid(deck.home, deck.engine)
        if pid is not None and psutil.pid_exists(pid):
            end(pid)
            kills += 1
    assert kills >= 2
    assert group.results(60) == list(range(JOBS))
    for number, job in enumerate(group):
        assert job.interim_results() == [[number, i] for i in range(MESSAGES)]
        assert job.logs() == "".join(f"line {i}\n" for i in range(MESSAGES))
    assert sorted(int(line) for line in runs.read_text().split()) == list(range(JOBS))


def begin(number, runs):
    with open(runs, "a") as file:
        file.write(f"{number}\n")
    time.sleep(0.2)
    return number


def begins(runs):
    return (
        collections.Counter(int(line) for line in runs.read_text().split()) if runs.exists() else collections.Counter()
    )


def test_workers_killed_at_random_moments_begin_no_program_more_often_than_it_may(own_cluster, make_deck, tmp_path):
    chance = random.Random()
    deck = make_deck(own_cluster.engine)
    workers = [own_cluster.add_worker() for _ in range(2)]
    runs = [tmp_path / f"runs with {retries} retries" for retries in (0, 1)]
    groups = [
        deck.map(begin, list(range(JOBS)), inputs={"runs": str(path)}, options={"dask": {"retries": retries}})
        for retries, path in enumerate(runs)
    ]
    for _ in range(2):
        before = begins(runs[0]).total()
        until(lambda before=before: begins(runs[0]).total() > before)
        time.sleep(chance.uniform(0.2, 0.8))
        workers.pop(0).kill()
        workers.append(own_cluster.add_worker())
    for retries, (group, path) in enumerate(zip(groups, runs, strict=True)):
        group.wait(60)
        begun = begins(path)
        assert max(begun.values()) <= 1 + retries
        for number, job in enumerate(group):
            assert job.done() or "died while it ran there" in job.error_message()
            assert begun[number] or not job.done()


def test_the_kernel_is_killed_and_the_jobs_go_on(cluster, make_deck, tmp_path):
    deck = make_deck(cluster.engine)
    cell = f"""
import jobdeck, pathlib, time

def wait(path, user_messenger):
    user_messenger.publish("begun")
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    return "went on"

group = jobdeck.map(wait, [{str(tmp_path / "go")!r}] * 2, engine={cluster.engine!r})
print(group.group_id)
"""
    with kernel(deck.home, tmp_path) as first:
        group = deck.group(first.run(cell).strip())
        until(lambda: all(job.interim_results() for job in group))
        first.kill()
    Path(tmp_path / "go").touch()
    assert group.results(60) == ["went on", "went on"]
    assert [job.interim_results() for job in group] == [["begun"], ["begun"]]

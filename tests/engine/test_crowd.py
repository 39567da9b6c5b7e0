"""More jobs than cores: together they weigh as much as one session a core, and one that is to stop is not held up."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from jobdeck.engines.local.crowd import Crowd, niceness

from . import programs
from .conftest import Bench, until


class _System:
    """Takes so many changes, and refuses others until `more` is called. All compute but those that are asleep."""

    def __init__(self, cores: int, most: int = 1000) -> None:
        self.most = most
        self.given: dict[int, int] = {}
        self.asleep: set[int] = set()
        self.calls = 0
        self.now = 0.0
        self._ran: dict[int, float] = {}
        self.crowd = Crowd(cores, self._demand, self._set, lambda: self.now)

    def _demand(self, pid: int) -> float:
        return self._ran.setdefault(pid, 0.0)

    def _set(self, pid: int, nice: int) -> None:
        if pid < 0:
            raise FileNotFoundError(pid)
        self.calls += 1
        if self.calls > self.most:
            raise BlockingIOError
        self.given[pid] = nice

    def go_on(self, pids: Iterable[int], most: int = 1000) -> None:
        """A second passes between two looks."""
        self.calls, self.most = 0, most
        pids = list(pids)
        self.crowd.balance(pids)
        self.now += 1.0
        for pid in pids:
            self._ran[pid] = self._ran.get(pid, 0.0) + (0.01 if pid in self.asleep else 0.99)
        self.calls = 0
        self.crowd.balance(pids)


def test_so_many_sessions_weigh_as_much_as_one_a_core() -> None:
    for cores, jobs in [(2, 3), (2, 8), (2, 40), (16, 100), (4, 200)]:
        together = jobs * 1.25 ** -niceness(jobs, cores)
        assert 0.85 * cores <= together <= 1.15 * cores
    assert niceness(1, 8) == niceness(8, 8) == 0
    assert niceness(100_000, 1) == 19


def test_as_many_jobs_as_cores_are_left_alone() -> None:
    system = _System(cores=4)
    assert system.crowd.pause(4) is None
    system.go_on([1, 2, 3, 4])
    assert system.given == {}


def test_a_crowd_has_its_share_and_what_is_left_of_it_has_more() -> None:
    system = _System(cores=2)
    assert system.crowd.pause(20) is not None
    system.go_on(range(1, 21))
    assert system.given == dict.fromkeys(range(1, 21), niceness(20, 2))
    system.go_on(range(1, 20))
    assert system.calls == 0
    assert system.crowd.pause(2) is not None
    system.go_on([1, 2])
    assert (system.given[1], system.given[2]) == (0, 0)
    assert system.crowd.pause(2) is None


def test_jobs_that_sleep_keep_their_share_and_count_for_nothing() -> None:
    system = _System(cores=1)
    system.asleep = {1, 2, 3}
    system.go_on(range(1, 8))
    assert system.given == dict.fromkeys([4, 5, 6, 7], niceness(4, 1))
    system.asleep = {1, 2, 3, 4}
    system.go_on(range(1, 8))
    assert system.given[4] == 0


def test_a_job_that_is_to_stop_has_its_whole_share_until_it_has_ended() -> None:
    system = _System(cores=1)
    system.go_on([1, 2, 3, 4])
    system.crowd.release(2)
    system.go_on([1, 2, 3, 4])
    assert system.given == {1: 6, 2: 0, 3: 6, 4: 6}
    # The number is another one's by now.
    system.go_on([1, 3, 4])
    system.go_on([1, 2, 3, 4])
    assert system.given[2] == 6


def test_what_the_system_refuses_is_done_later_and_first_what_is_to_stop() -> None:
    system = _System(cores=1)
    system.go_on([1, 2, 3, 4, 5], most=3)
    assert sorted(system.given) == [1, 2, 3]
    system.most = 0
    system.crowd.release(1)
    assert system.given[1] != 0
    system.calls, system.most = 0, 2
    system.crowd.balance([1, 2, 3, 4, 5])
    assert system.given[1] == 0
    assert sorted(system.given) == [1, 2, 3, 4]
    system.calls, system.most = 0, 5
    system.crowd.balance([1, 2, 3, 4, 5])
    assert sorted(system.given) == [1, 2, 3, 4, 5]


def test_a_process_that_has_ended_meanwhile_is_passed_over() -> None:
    system = _System(cores=1)
    system.go_on([-1, 7, 8])
    assert sorted(system.given) == [7, 8]


def _share(pid: int) -> int | None:
    """How nice a process's session is, None once the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])
    except (FileNotFoundError, ProcessLookupError):
        return None


@pytest.mark.skipif(not os.path.exists("/proc/self/autogroup"), reason="sessions share the processor on Linux alone")
def test_jobs_beyond_the_cores_get_less_each_but_for_one_that_is_to_stop(forking: Bench, tmp_path: Path) -> None:
    count = 3 * len(os.sched_getaffinity(0))
    forking.store.set_setting("max_workers", str(count))
    jobs = [forking.submit(programs.spin_on, started=str(tmp_path / f"{n}")) for n in range(count)]
    until(lambda: len(list(tmp_path.glob("[0-9]"))) == count)
    pids = [until(lambda job=job: forking.store.job(job.job_id).pid) for job in jobs]
    until(lambda: all(_share(pid) == niceness(3, 1) for pid in pids))
    assert _share(forking.agent_pid()) == 0
    seen: list[int | None] = []
    forking.store.ask(jobs[0].job_id, "cancel", "test")
    until(lambda: seen.append(_share(pids[0])) or seen[-1] is None)
    assert 0 in seen
    for job in jobs[1:]:
        forking.store.ask(job.job_id, "kill", "test")
    for job in jobs:
        assert forking.end(job).status == "CANCELLED"

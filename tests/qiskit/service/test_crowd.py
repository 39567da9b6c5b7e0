"""Hundreds of jobs of the service on one bridge whose clock the test moves: gentle, and sure to come back."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from jobdeck._records import JobQuery
from jobdeck.engines.lock import AgentLock
from jobdeck.watchers import Bridge, adapt
from jobdeck.watchers.qiskit import service as service_module
from jobdeck.watchers.qiskit.service_line import Line

from .clocks import CallsAtOnce, Clock
from .scripted import Fault

LOOKS = ("GET /jobs", "GET /jobs/{id}", "GET /jobs/{id}/metrics")


class Crowd:
    """A bridge on a store, all of whose time is the test's."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        lock = AgentLock(store.home, "watch-crowd")
        self.bridge = Bridge(lambda: store, "watch@here/crowd", lock, calls=CallsAtOnce(), clock=clock, threaded=False)

    def watch(self, service, count):
        for skip in range(0, count, 100):
            for job in service.jobs(limit=100, skip=skip):
                self.bridge.watch(adapt(job))
        self.live(0.1)

    def live(self, seconds, step=0.5):
        """Let time pass, with a turn whenever the bridge's thread would take one."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            while self.bridge.turn() <= 0:
                pass
            self.clock.now += step

    def statuses(self):
        return Counter(str(job.status) for job in self.store.jobs(JobQuery()))


@pytest.fixture
def crowd(store, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(service_module, "Line", partial(Line, clock=clock, pause=clock.pause))
    made = Crowd(store, clock)
    yield made
    made.bridge.close()


def test_hundreds_of_jobs_are_looked_at_with_less_than_one_request_a_second(scripted, service, crowd):
    scripted.add(300)
    crowd.watch(service, 300)
    crowd.live(10)
    assert crowd.statuses() == {"QUEUED": 300}
    before = scripted.asked(*LOOKS)
    crowd.live(30)
    steady = scripted.asked(*LOOKS) - before
    assert steady <= 30
    crowd.live(300, step=5.0)
    before = scripted.asked(*LOOKS)
    crowd.live(60, step=2.0)
    assert 0 < scripted.asked(*LOOKS) - before < steady


def test_an_outage_of_a_minute_is_survived_by_all(scripted, service, crowd):
    made = scripted.add(100)
    crowd.watch(service, 100)
    crowd.live(5)
    scripted.go_down()
    crowd.live(60)
    assert crowd.statuses() == {"QUEUED": 100}
    assert all("cannot be reached" in job.facts["trouble"] for job in crowd.store.jobs(JobQuery()))
    scripted.come_back()
    for job in made:
        scripted.finish(job.job_id, '{"value": 1}')
    crowd.live(61)
    assert crowd.statuses() == {"DONE": 100}
    assert not any("trouble" in job.facts for job in crowd.store.jobs(JobQuery()))
    assert scripted.asked("GET /jobs/{id}/results") == 100


def test_a_service_in_trouble_is_asked_less_and_less(scripted, service, crowd):
    scripted.add(50)
    crowd.watch(service, 50)
    for route in LOOKS:
        scripted.always(route, Fault(503))
    before = scripted.asked(*LOOKS)
    crowd.live(240)
    assert scripted.asked(*LOOKS) - before <= 12


def test_it_is_left_alone_for_as_long_as_it_says(scripted, service, crowd):
    scripted.add(50)
    crowd.watch(service, 50)
    crowd.live(2)
    scripted.always("GET /jobs", Fault(429, retry_after=100))
    crowd.live(5)
    before = scripted.asked(*LOOKS)
    crowd.live(90)
    assert scripted.asked(*LOOKS) == before
    scripted.always("GET /jobs", None)
    crowd.live(70)
    assert scripted.asked(*LOOKS) > before


def test_no_end_is_lost_or_told_twice_however_often_the_service_is_gone(scripted, service, crowd):
    made = scripted.add(100)
    crowd.watch(service, 100)
    ends: Counter[str] = Counter()
    seen: dict[str, str] = {}

    def count():
        for job in crowd.store.jobs(JobQuery()):
            if (status := str(job.status)) != seen.get(job.job_id):
                ends[job.job_id] += status == "DONE"
                seen[job.job_id] = status

    for cut in range(20):
        if cut % 5 == 0:
            scripted.go_down()
        else:
            for route in LOOKS:
                scripted.always(route, Fault(502))
        for job in made[cut * 5 : cut * 5 + 5]:
            scripted.finish(job.job_id, f'"{job.job_id}"')
        crowd.live(1.5)
        if cut % 5 == 0:
            scripted.come_back()
        for route in LOOKS:
            scripted.always(route, None)
        scripted.next("GET /jobs/{id}/results", Fault(500))
        crowd.live(3)
        count()
    crowd.live(125, step=2.0)
    count()
    assert crowd.statuses() == {"DONE": 100}
    assert ends == Counter({job.job_id: 1 for job in crowd.store.jobs(JobQuery())})
    assert all(job.result_preview == repr(job.source["id"]) for job in crowd.store.jobs(JobQuery()))

"""What becomes of watched jobs when the kernel that watches them ends, is killed, is busy, or is not the only one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

import jobdeck
from jobdeck import Deck, JobStatus
from jobdeck.watchers import adapters

BEGIN = """
import sys, threading, time
from concurrent.futures import Future
import jobdeck

folder = sys.argv[1]

def say(*words):
    print(*words, flush=True)
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a service whose adapter another package brings."""
    packages = tmp_path / "packages"
    info = packages / "jobdeck_remote-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("remote.py"), packages / "jobdeck_remote.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobdeck-remote\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jobdeck.watchers]\nremote = jobdeck_remote:adapt\n")
    monkeypatch.syspath_prepend(str(packages))
    source = Path(jobdeck.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), str(source)]))
    adapters._entry_points.cache_clear()
    folder = tmp_path / "service"
    folder.mkdir()
    yield folder
    adapters._entry_points.cache_clear()
    sys.modules.pop("jobdeck_remote", None)


class Kernel:
    """A process that watches."""

    def __init__(self, code: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + code, str(folder)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )

    def hear(self) -> list[str]:
        """The words of the next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def go_on(self) -> None:
        """Let it end by itself."""
        self.process.communicate("\n", timeout=30)


@pytest.fixture
def kernel(home: Path, service: Path) -> Iterator[Callable[[str], Kernel]]:
    """Starts a process that watches; all of them have ended after the test."""
    started: list[Kernel] = []

    def start(code: str) -> Kernel:
        started.append(Kernel(code, service))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def looks(service: Path, job_id: str) -> int:
    path = service / f"{job_id}.looks"
    return path.stat().st_size if path.exists() else 0


def finish(service: Path, job_id: str, result: str) -> None:
    (service / f"{job_id}.result").write_text(result)
    (service / f"{job_id}.new").write_text("DONE")
    (service / f"{job_id}.new").rename(service / job_id)


def test_a_killed_kernels_own_jobs_are_lost_and_those_of_a_service_go_on_in_the_next(kernel, service, home, until):
    (service / "r1").write_text("RUNNING")
    # The child that it has forked lives on, and has not inherited what tells that its parent is alive.
    first = kernel(
        """
import os
future = Future()
future.set_running_or_notify_cancel()
mine, remote = jobdeck.watch(future), jobdeck.watch(("remote", folder, "r1"))
while (mine.status(), remote.status()) != ("RUNNING", "RUNNING"):
    time.sleep(0.01)
child = os.fork()
if not child:
    time.sleep(60)
    os._exit(0)
say(mine.job_id(), remote.job_id(), child)
sys.stdin.readline()
"""
    )
    mine_id, remote_id, child = first.hear()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(20)
    try:
        with Deck(home) as deck:
            job = deck.job(mine_id)
            until(job.errored)
            assert job.error_kind == "lost"
            assert "the kernel that ran it is gone" in job.error_message()
            remote = deck.job(remote_id)
            seen = looks(service, "r1")
            until(lambda: looks(service, "r1") > seen)
            assert remote.status() == JobStatus.RUNNING
            finish(service, "r1", "after all")
            assert remote.result(timeout=20) == "after all"
            assert {each.job_id() for each in deck.jobs()} == {mine_id, remote_id}
        assert list((home / "agents").glob("watch-*")) == []
    finally:
        os.kill(int(child), signal.SIGKILL)
        first.process.communicate()


def test_of_two_kernels_one_watches_and_the_other_takes_over_when_it_dies(kernel, service, home, until):
    (service / "r2").write_text("QUEUED")
    first = kernel('say(jobdeck.watch(("remote", folder, "r2")).job_id()); sys.stdin.readline()')
    (job_id,) = first.hear()
    with Deck(home) as deck:
        watcher = deck.store.job(job_id).agent
        job = deck.watch(("remote", str(service), "r2"), name="again")
        assert job.job_id() == job_id
        deck.jobs()
        until(lambda: job.status() == JobStatus.QUEUED)
        assert deck.store.job(job_id).agent == watcher
        first.kill()
        until(lambda: deck.store.job(job_id).agent not in (watcher, None))
        finish(service, "r2", "second")
        assert job.result(timeout=20) == "second"
        assert len(deck.jobs()) == 1


def test_a_request_from_elsewhere_reaches_a_job_while_its_kernel_is_busy_in_a_cell(kernel, service, home, until):
    (service / "r3").write_text("RUNNING")
    busy = kernel(
        """
say(jobdeck.watch(("remote", folder, "r3")).job_id())
while True:
    sum(range(1_000_000))
"""
    )
    (job_id,) = busy.hear()
    with Deck(home) as deck:
        deck.job(job_id).cancel()
        until((service / "r3.cancel").exists)
        until(lambda: deck.store.job(job_id).cancel_state == "stopping")
        (service / "r3").write_text("CANCELLED")
        until(deck.job(job_id).cancelled)


def test_a_request_made_while_nobody_watches_is_handed_on_by_who_watches_next(kernel, service, home, until):
    (service / "r4").write_text("RUNNING")
    first = kernel('say(jobdeck.watch(("remote", folder, "r4")).job_id()); sys.stdin.readline()')
    (job_id,) = first.hear()
    first.kill()
    with Deck(home) as deck:
        deck._service.look_after_watchers()
        assert deck.store.job(job_id).agent is None
        assert deck.store.ask(job_id, "cancel", "cli").cancel_state == "requested"
        assert not (service / "r4.cancel").exists()
        deck.jobs()
        until((service / "r4.cancel").exists)
        (service / "r4").write_text("CANCELLED")
        until(deck.job(job_id).cancelled)


def test_a_job_that_nothing_here_reaches_is_left_to_others_and_says_so(kernel, service, home, until):
    (service / "r5").write_text("RUNNING")
    first = kernel('say(jobdeck.watch(("remote", folder, "r5")).job_id()); sys.stdin.readline()')
    (job_id,) = first.hear()
    first.kill()
    sys.path.remove(str(service.parent / "packages"))
    adapters._entry_points.cache_clear()
    with Deck(home) as deck:
        job = deck.job(job_id)
        until(lambda: "cannot be reached from here" in str(job.facts.get("trouble")))
        until(lambda: deck.store.job(job_id).agent is None)
        assert not job.in_final_state()
        deck.delete_job(job_id)


def test_a_kernel_that_ends_by_itself_writes_down_what_has_ended_and_leaves_the_rest(kernel, service, home):
    (service / "r6").write_text("RUNNING")
    last = kernel(
        """
done, pending = Future(), Future()
jobs = [jobdeck.watch(each) for each in (done, pending, ("remote", folder, "r6"))]
say(*(job.job_id() for job in jobs))
sys.stdin.readline()
done.set_result("just in time")
"""
    )
    done, pending, remote = last.hear()
    last.go_on()
    with Deck(home) as deck:
        records = {job_id: deck.store.job(job_id) for job_id in (done, pending, remote)}
        assert (records[done].status, deck.job(done).result(timeout=0)) == (JobStatus.DONE, "just in time")
        assert records[pending].error_kind == "lost"
        assert (records[remote].ended, records[remote].agent) == (None, None)
        finish(service, "r6", "later")
        assert deck.job(remote).result(timeout=20) == "later"


def test_an_adapter_that_cannot_be_loaded_keeps_nobody_from_watching(service, home, caplog, until):
    info = service.parent / "packages" / "jobdeck_remote-1.0.dist-info"
    (info / "entry_points.txt").write_text(
        "[jobdeck.watchers]\nbroken = jobdeck_remote:nothing\nmissing = no_such_module:adapt\n"
        "odd = jobdeck_remote:__doc__\nremote = jobdeck_remote:adapt\n"
    )
    adapters._entry_points.cache_clear()
    (service / "r7").write_text("RUNNING")
    with Deck(home) as deck:
        job = deck.watch(("remote", str(service), "r7"))
        until(lambda: job.status() == JobStatus.RUNNING)
        finish(service, "r7", "fine")
        assert job.result(timeout=20) == "fine"
    assert {"broken", "missing", "odd"} <= set(caplog.text.replace("'", " ").split())


def test_importing_and_listing_start_nothing_where_there_is_nothing_to_watch(home):
    with Deck(home) as deck:
        deck.jobs()
        assert deck._service._bridge is None
        assert not (home / "agents").exists()


def test_a_deck_that_is_closed_leaves_no_thread_no_lock_and_no_open_file(home, until):
    def files() -> set[str]:
        return {link for link in map(_link, os.listdir("/proc/self/fd")) if str(home) in link}

    before = set(threading.enumerate())
    future: Future[int] = Future()
    with Deck(home) as deck:
        job = deck.watch(future)
        future.set_result(3)
        assert job.result(timeout=20) == 3
        bridge = deck._service.bridge
        until(lambda: not bridge.is_busy)
        own = {thread for thread in threading.enumerate() if thread not in before}
    until(lambda: not any(thread.is_alive() for thread in own))
    assert list((home / "agents").glob("watch-*")) == []
    until(lambda: not {link for link in files() if "agents" in link})


def _link(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""

"""Hosts that have nothing in common but cables: scheduler, workers and kernel each on one, and a cable is pulled."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from jobdeck import Deck
from kernels import Kernel

from .conftest import agent_pid, end, until
from .hosts import Host, Network, missing

_PORT = 8786
_PATIENCE = {
    # When a worker that is not heard of is given up. Dask takes no less than five.
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s",
    "JOBDECK_DASK_PATIENCE": "20",
}

# What jobs here need, in the kernel: programs that tell where they are, and wait for files that the test makes.
_PROGRAMS = """
import jobdeck

def where(user_messenger):
    import os, socket
    user_messenger.publish(socket.gethostname())
    print("at home in", os.environ["HOME"])
    return socket.gethostname()

def spell(go, user_messenger):
    import os, time
    user_messenger.publish(os.getpid())
    while not os.path.exists(go):
        time.sleep(0.01)
    return "x" * 600_000

def count_until(mark, go, user_messenger):
    import os, time
    with open(mark, "a") as file:
        print(os.getpid(), file=file)
    i = 0
    while not os.path.exists(go):
        i += 1
        user_messenger.publish(i)
        with open(mark + ".count", "w") as file:
            file.write(str(i))
        time.sleep(0.01)
    return i

deck = jobdeck.Deck(engine="dask://%s")
"""


class Site:
    """A scheduler, two workers and a kernel, each on a host of its own."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        self.folder = folder
        self.home = folder / "laptop" / "jobs"
        self._cleanup = cleanup
        self._log = cleanup.enter_context((folder / "log").open("wb"))
        self.network = Network(folder, ["center", "alpha", "beta", "laptop"])
        cleanup.callback(self.network.close)
        self.center, self.alpha, self.beta, self.laptop = self.network.hosts.values()
        self._start(self.center, "scheduler", "--port", str(_PORT))
        self._alpha_worker = self._add_worker(self.alpha)
        self._add_worker(self.beta)
        cleanup.callback(self._end_agent)
        self.kernel = Kernel(
            self.home,
            self.laptop.folder,
            prefix=self.laptop.inside,
            environment={**self.laptop.environment, **_PATIENCE},
        )
        cleanup.callback(self.kernel.close)
        assert self.kernel.run(_PROGRAMS % f"{self.center.address}:{_PORT}") == ""

    @property
    def engine(self) -> str:
        return f"dask://{self.center.address}:{_PORT}"

    def _add_worker(self, host: Host) -> subprocess.Popen[bytes]:
        """Start a worker that has the host's name."""
        scheduler = f"tcp://{self.center.address}:{_PORT}"
        folder = ("--local-directory", str(host.folder))
        return self._start(host, "worker", scheduler, "--name", host.name, "--nthreads", "4", "--no-nanny", *folder)

    def _start(self, host: Host, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        process = subprocess.Popen(
            [*host.inside, *command, "--host", host.address, "--no-dashboard"],
            stdout=self._log,
            stderr=self._log,
            cwd=host.folder,
            env={**host.environment, **_PATIENCE},
        )
        self._cleanup.callback(process.wait)
        self._cleanup.callback(process.kill)
        return process

    def _end_agent(self) -> None:
        if (pid := agent_pid(self.home, self.engine)) is not None:
            end(pid)

    def begin(self, name: str, options: str = "") -> tuple[str, Path, Path]:
        """Begin to count on alpha; return the job, the file with its processes' ids, and the one that ends it."""
        if self._alpha_worker.poll() is not None:
            # A busy machine was slow to mend the cable in the test before.
            self._alpha_worker = self._add_worker(self.alpha)
        mark, go = self.folder / f"{name}.mark", self.folder / f"{name}.go"
        job_id = self.kernel.run(
            textwrap.dedent(f"""
                options = {{"dask": {{"workers": "alpha", "allow_other_workers": True, {options}}}}}
                job = deck.run(count_until, inputs={{"mark": {str(mark)!r}, "go": {str(go)!r}}}, options=options)
                print(job.job_id())
            """)
        ).strip()
        until(lambda: mark.exists() and mark.read_text().count("\n"))
        return job_id, mark, go


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    if (reason := missing()) is not None:
        pytest.skip(f"several hosts cannot be had here: {reason}")
    with ExitStack() as cleanup:
        yield Site(tmp_path_factory.mktemp("site"), cleanup)


@pytest.fixture(scope="module")
def deck(site) -> Iterator[Deck]:
    """What another process sees of the kernel's home."""
    opened = Deck(site.home)
    yield opened
    opened.close()


def count(mark: Path) -> int:
    """How far a job has counted, as it says beside all networks."""
    path = mark.with_name(f"{mark.name}.count")
    return int(path.read_text() or 0) if path.exists() else 0


def processes(mark: Path) -> list[int]:
    return [int(line) for line in mark.read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_jobs_run_on_hosts_with_names_and_homes_of_their_own(site, deck):
    shown = site.kernel.run(
        textwrap.dedent("""
            jobs = [deck.run(where, options={"dask": {"workers": name}}) for name in ("alpha", "beta")]
            print([job.result(timeout=60) for job in jobs], [job.interim_results() for job in jobs])
            print("".join(job.logs() for job in jobs))
        """)
    )
    assert "['alpha', 'beta'] [['alpha'], ['beta']]" in shown
    assert f"at home in {site.alpha.folder}\nat home in {site.beta.folder}\n" in shown


def test_a_job_on_another_host_is_stopped_with_its_processes(site, deck):
    job_id, mark, _ = site.begin("stopped")
    job = deck.job(job_id)
    until(job.interim_results)
    job.cancel()
    job.wait_for_final_state(timeout=30)
    assert str(job.status()) == "CANCELLED"
    assert all(is_gone(pid) for pid in processes(mark))


def test_a_cable_is_pulled_for_a_moment_and_nothing_is_lost_or_twice(site, deck):
    job_id, mark, go = site.begin("moment")
    job = deck.job(job_id)
    until(job.interim_results)
    site.network.cut(site.alpha)
    heard, told = len(job.interim_results()), count(mark)
    until(lambda: count(mark) > told + 30)
    site.network.mend(site.alpha)
    until(lambda: len(job.interim_results()) > max(heard, told) + 30)
    go.touch()
    last = job.result(timeout=30)
    assert job.interim_results() == list(range(1, last + 1))
    assert len(processes(mark)) == 1


def test_a_stop_is_asked_for_while_the_cable_is_pulled_and_holds_nobody_up(site, deck):
    job_id, mark, _ = site.begin("unheard")
    site.network.cut(site.alpha)
    job = deck.job(job_id)
    job.cancel()
    until(lambda: "does not answer" in (deck._service.store.job(job_id).cancel_note or ""))
    shown = site.kernel.run('print(deck.run(where, options={"dask": {"workers": "beta"}}).result(timeout=30))')
    assert shown == "beta\n"
    site.network.mend(site.alpha)
    job.wait_for_final_state(timeout=30)
    assert str(job.status()) == "CANCELLED"
    assert all(is_gone(pid) for pid in processes(mark))


def test_the_kernels_cable_is_pulled_while_a_job_ends_and_it_is_told_all_the_same(site, deck):
    job_id, mark, go = site.begin("away")
    job = deck.job(job_id)
    until(job.interim_results)
    site.network.cut(site.laptop)
    told = count(mark)
    until(lambda: count(mark) > told + 30)
    go.touch()
    until(lambda: is_gone(processes(mark)[0]))
    assert not job.in_final_state()
    site.network.mend(site.laptop)
    last = job.result(timeout=30)
    assert job.interim_results() == list(range(1, last + 1))


def test_a_host_is_cut_off_with_an_end_that_is_large_and_holds_nobody_up(site, deck):
    go = site.folder / "large.go"
    job_id = site.kernel.run(
        f'print(deck.run(spell, inputs={{"go": {str(go)!r}}}, options={{"dask": {{"workers": "alpha"}}}}).job_id())'
    ).strip()
    job = deck.job(job_id)
    until(job.interim_results)
    (pid,) = job.interim_results()
    site.network.cut(site.laptop)
    go.touch()
    until(lambda: is_gone(pid))
    site.network.cut(site.alpha)
    site.network.mend(site.laptop)
    shown = site.kernel.run('print(deck.run(where, options={"dask": {"workers": "beta"}}).result(timeout=30))')
    assert shown == "beta\n"
    assert not job.done()
    site.network.mend(site.alpha)
    job.wait_for_final_state(timeout=30)
    # A busy machine was slow to mend the cable.
    assert job.done() or "died while it ran there" in job.error_message()


def test_a_cable_is_pulled_for_too_long_and_jobs_are_lost_in_words_or_begin_again_elsewhere(site, deck):
    lost_id, lost_mark, _ = site.begin("lost")
    again_id, again_mark, go = site.begin("again", '"retries": 1')
    lost, again = deck.job(lost_id), deck.job(again_id)
    until(lambda: lost.interim_results() and again.interim_results())
    site.network.cut(site.alpha)
    until(lambda: len(processes(again_mark)) == 2)
    lost.wait_for_final_state(timeout=30)
    assert "died" in lost.error_message()
    # The host comes back too late, with two jobs that run there and are nobody's any more.
    site.network.mend(site.alpha)
    until(lambda: is_gone(processes(lost_mark)[0]) and is_gone(processes(again_mark)[0]))
    go.touch()
    last = again.result(timeout=30)
    found = again.interim_results()
    begins = found.index(1, 1)
    assert found[:begins] == list(range(1, begins + 1))
    assert found[begins:] == list(range(1, last + 1))
    # Dask gives it to another worker once, where it is stopped, and nothing that it says there counts.
    until(lambda: all(is_gone(pid) for pid in processes(lost_mark)))
    found = lost.interim_results()
    assert found == list(range(1, len(found) + 1))

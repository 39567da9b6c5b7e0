"""jobdeck's own adapters, held to the contract, and what is particular to each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import jobdeck
from jobdeck import Deck, JobStatus
from jobdeck.watchers.processes import WatchedProcess

from .contract import AdapterContract, Sample


class FutureSample(Sample):
    system = "futures"
    can_be_stopped = False

    def begin(self) -> None:
        self.obj = Future()
        self.obj.set_running_or_notify_cancel()

    def finish(self) -> None:
        self.obj.set_result(self.value)

    def fail(self) -> None:
        self.obj.set_exception(ValueError("it failed"))

    def close(self) -> None:
        """Nothing was taken."""


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, coroutine: Any) -> asyncio.Task[Any]:
        async def create() -> asyncio.Task[Any]:
            return asyncio.get_running_loop().create_task(coroutine)

        return asyncio.run_coroutine_threadsafe(create(), self.loop).result(10)

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


class TaskSample(Sample):
    system = "asyncio"

    def begin(self) -> None:
        self._loop = Loop()
        self._go = asyncio.Event()
        self._error: Exception | None = None
        self.obj = self._loop.start(self._work())

    async def _work(self) -> Any:
        await self._go.wait()
        if self._error:
            raise self._error
        return self.value

    def finish(self) -> None:
        self._loop.loop.call_soon_threadsafe(self._go.set)

    def fail(self) -> None:
        self._error = ValueError("it failed")
        self.finish()

    def close(self) -> None:
        self._loop.close()


class ProcessSample(Sample):
    system = "process"
    value = 0

    def begin(self) -> None:
        program = "import sys; sys.exit(int(sys.stdin.readline()))"
        self._process = subprocess.Popen([sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, text=True)
        self.obj = self._process

    def _end(self, code: int) -> None:
        self._process.communicate(f"{code}\n")

    def finish(self) -> None:
        self._end(0)

    def fail(self) -> None:
        self._end(3)

    def close(self) -> None:
        with contextlib.suppress(AttributeError):
            self._process.kill()
            self._process.communicate()
            del self._process


class Duck:
    """A job whose class nobody knows."""

    def __init__(self) -> None:
        self.state = "RUNNING"

    def job_id(self) -> str:
        return "duck-1"

    def status(self) -> str:
        return self.state

    def result(self) -> int:
        if self.state != "DONE":
            raise RuntimeError("there is no result")
        return 41

    def cancel(self) -> None:
        self.state = "CANCELLED"


class DuckSample(Sample):
    system = "watch"

    def begin(self) -> None:
        self.obj = Duck()

    def finish(self) -> None:
        self.obj.state = "COMPLETED"
        self.obj.result = lambda: 41

    def fail(self) -> None:
        self.obj.state = "FAILED"

    def close(self) -> None:
        """Nothing was taken."""


@pytest.fixture(params=[FutureSample, TaskSample, ProcessSample, DuckSample], ids=lambda sample: sample.__name__)
def sample(request: pytest.FixtureRequest) -> Iterator[Sample]:
    """A running job of each system."""
    made = request.param()
    made.begin()
    yield made
    if made.obj is not None:
        made.close()


class TestEveryAdapter(AdapterContract):
    """The contract, over all of them."""


# --- tasks


def test_a_task_is_called_like_its_coroutine_or_as_it_was_named(deck: Deck):
    loop = Loop()

    async def forever() -> None:
        await asyncio.Event().wait()

    async def named() -> asyncio.Task[None]:
        return asyncio.create_task(forever(), name="the long one")

    tasks = [loop.start(forever()), asyncio.run_coroutine_threadsafe(named(), loop.loop).result(10)]
    assert [deck.watch(task).name for task in tasks] == [forever.__qualname__, "the long one"]
    for task in tasks:
        loop.loop.call_soon_threadsafe(task.cancel)
    asyncio.run_coroutine_threadsafe(asyncio.wait(tasks), loop.loop).result(10)
    loop.close()


def test_a_task_that_catches_its_cancellation_goes_on_and_is_not_called_cancelled(deck: Deck, until):
    loop, caught, go = Loop(), threading.Event(), asyncio.Event()

    async def stubborn() -> str:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                caught.set()
        return "finished all the same"

    job = deck.watch(loop.start(stubborn()))
    job.cancel()
    assert caught.wait(10)
    until(lambda: deck.store.job(job.job_id()).cancel_state == "stopping")
    until(lambda: job.status() == JobStatus.RUNNING)
    loop.loop.call_soon_threadsafe(go.set)
    assert job.result(timeout=10) == "finished all the same"
    loop.close()


@pytest.mark.filterwarnings("ignore:coroutine.*was never awaited")
def test_a_task_whose_loop_is_closed_will_never_end_and_says_so(deck: Deck, until):
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    job = deck.watch(future)
    until(lambda: job.status() == JobStatus.RUNNING)
    loop.close()
    until(job.errored)
    assert job.error_message() == "its event loop was closed before it had ended"


async def test_a_task_of_the_running_loop_is_watched_without_blocking_it(deck: Deck):
    async def work() -> int:
        await asyncio.sleep(0)
        return 5

    assert await deck.watch(asyncio.create_task(work())) == 5


# --- processes


def spawn(code: str, **how: Any) -> subprocess.Popen[Any]:
    return subprocess.Popen([sys.executable, "-S", "-c", code], **how)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the files of a process")
def test_what_a_process_writes_to_a_file_is_its_log(deck: Deck, tmp_path: Path):
    path = tmp_path / "out.txt"
    path.write_bytes(b"from before\n")
    with path.open("ab") as file:
        code = "import sys; print(input()); print(input(), file=sys.stderr)"
        process = spawn(code, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT)
        job = deck.watch(process)
        process.communicate("grüße\nund mehr\n".encode())
        job.result(timeout=20)
    assert job.logs() == "grüße\nund mehr\n"
    assert path.read_bytes().startswith(b"from before\n")


def test_what_a_process_writes_where_this_one_does_is_no_log_of_its_own(deck: Deck, capfd):
    process = spawn("print('somewhere')")
    job = deck.watch(process)
    job.result(timeout=20)
    assert not job.logs()
    assert "somewhere" in capfd.readouterr().out


def test_the_pipes_of_a_process_are_left_to_whoever_made_them(deck: Deck):
    process = spawn("print('mine')", stdout=subprocess.PIPE)
    job = deck.watch(process)
    assert process.communicate()[0].split() == [b"mine"]
    job.result(timeout=20)
    assert not job.logs()


def test_pipes_are_read_for_the_log_where_that_is_asked_for(deck: Deck):
    code = "import sys; sys.stdout.write('x' * 200_000); sys.stdout.flush(); print('end', file=sys.stderr)"
    process = spawn(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    job = deck.watch(WatchedProcess(process, read_pipes=True))
    job.result(timeout=20)
    logs = job.logs()
    assert (logs.count("x"), "end" in logs) == (200_000, True)
    process.communicate()


def test_a_process_that_a_signal_ended_says_which(deck: Deck):
    process = spawn("import time; time.sleep(60)")
    job = deck.watch(process)
    process.send_signal(signal.SIGKILL)
    with pytest.raises(jobdeck.RuntimeJobFailureError, match="ended by signal SIGKILL"):
        job.result(timeout=20)
    assert job.error_kind == "signal"
    assert job.metrics()["exit_code"] == -signal.SIGKILL


def test_a_process_that_does_not_mind_being_terminated_is_killed_when_asked_again(deck: Deck, until):
    code = "import signal, time; signal.signal(15, lambda *_: print('no', flush=True)); print('on', flush=True)\n"
    process = spawn(code + "while True: time.sleep(60)", stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    job = deck.watch(process)
    job.cancel()
    assert process.stdout.readline() == "no\n"
    until(lambda: deck.store.job(job.job_id()).cancel_state == "stopping")
    assert not job.in_final_state()
    deck.cancel_jobs([job], kill=True)
    until(job.cancelled, timeout=20)
    process.communicate()


def test_a_watched_process_leaves_no_open_file(deck: Deck, tmp_path: Path, until):
    def is_open() -> bool:
        links = (os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.lexists(fd_of(fd)))
        return str(tmp_path / "out") in links

    def fd_of(fd: str) -> str:
        return f"/proc/self/fd/{fd}"

    with (tmp_path / "out").open("wb") as file:
        process = spawn("print(1)", stdout=file)
    deck.watch(process).result(timeout=20)
    until(lambda: not is_open())


# --- objects with a job's methods


class Bare:
    """As little as a job can have."""

    job_id = "bare"

    def __init__(self, *statuses: Any) -> None:
        self.statuses = list(statuses)

    def status(self) -> Any:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return status

    def result(self) -> str:
        return "bare result"


def test_a_job_without_cancel_backend_and_place_is_watched_and_says_that_it_cannot_be_stopped(deck: Deck, until):
    thing = Bare(RuntimeError("once"), ["QUEUED"], "mystery")
    job = deck.watch(thing)
    until(lambda: job.status() == "mystery")
    job.cancel()
    row = until(lambda: (row := deck.store.job(job.job_id())).cancel_state == "unsupported" and row)
    assert row.cancel_note == "cannot be stopped"
    assert (job.backend(), job.queue_position(), job.name) == (None, None, "Bare")
    thing.statuses = ["DONE"]
    assert job.result(timeout=20) == "bare result"


@pytest.mark.parametrize(("place", "position"), [(None, None), (3, 3), (">2000", None), (object(), None)])
def test_a_place_in_the_queue_is_shown_whatever_it_is(deck: Deck, until, place, position):
    thing = Bare("QUEUED")
    thing.queue_position = lambda: place
    job = deck.watch(thing)
    until(lambda: job.status() == JobStatus.QUEUED)
    assert job.queue_position() == position
    assert job.facts.get("queue_place") == ("<object>" if type(place) is object else place)


def test_an_id_that_comes_after_the_submit_is_shown_when_it_comes(deck: Deck, until):
    thing = Bare("INITIALIZING")
    thing.job_id = lambda: ""
    job = deck.watch(thing)
    until(lambda: job.status() == JobStatus.INITIALIZING)
    thing.job_id = lambda: "late-1"
    thing.statuses = ["RUNNING"]
    until(lambda: job.facts.get("id") == "late-1")
    assert deck.store.job(job.job_id()).source["id"] == "late-1"
    assert deck.watch(thing) == job


def test_a_job_whose_every_question_fails_is_watched_all_the_same(deck: Deck, until):
    class Broken:
        @property
        def name(self) -> str:
            raise ValueError("no name")

        def job_id(self) -> str:
            raise ConnectionError("no id")

        def status(self) -> str:
            raise ConnectionError("no status")

        def result(self) -> None:
            raise ConnectionError("no result")

        def backend(self) -> str:
            raise ConnectionError("no backend")

    job = deck.watch(Broken())
    until(lambda: "no status" in str(job.facts.get("trouble")))
    assert job.status() == JobStatus.INITIALIZING


def test_a_job_of_a_deck_is_itself(deck: Deck):
    job = deck.submit(int)
    assert deck.watch(job) is job
    assert deck.watch(job.future) is job
    assert job.result(timeout=60) == 0


def test_of_a_list_each_is_watched_and_comes_back_in_its_place(deck: Deck):
    futures = [Future(), Future()]
    own = deck.prepare(int)
    jobs = deck.watch([futures[0], own, futures[1]], name="both", tags=["mine"])
    assert isinstance(jobs, jobdeck.JobList)
    assert [job.name for job in jobs] == ["both[0]", "int", "both[2]"]
    assert jobs[1] is own
    assert jobs[0].tags == ["mine"]
    assert deck.watch(tuple(futures)) == [jobs[0], jobs[2]]
    assert deck.watch(each for each in futures) == [jobs[0], jobs[2]]
    for value, future in enumerate(futures):
        future.set_result(value)
    assert [job.result(60) for job in deck.watch(futures)] == [0, 1]
    assert deck.watch([]) == []


def test_in_a_list_what_cannot_be_watched_is_named_by_its_place_and_nothing_is(deck: Deck):
    with pytest.raises(jobdeck.InvalidInputError, match=r"^\[1\]: an int is nothing that can be watched"):
        deck.watch([Future(), 5])
    group = deck.map(abs, [1])
    with pytest.raises(jobdeck.InvalidInputError, match=r"^\[1\]: a JobGroup is several jobs itself"):
        deck.watch([Future(), group])
    assert [job.name for job in deck.jobs()] == ["abs[0]"]
    group.wait(60)


def test_a_group_and_a_list_of_jobs_of_a_deck_are_themselves(deck: Deck):
    group = deck.map(abs, [-1, 2])
    jobs = group.jobs()
    assert deck.watch(group) is group
    assert deck.watch(jobs) is jobs
    group.wait(60)


def test_a_class_is_no_job(deck: Deck):
    with pytest.raises(jobdeck.InvalidInputError, match="nothing that can be watched"):
        deck.watch(Bare)

"""Jobs in threads of the kernel: what is theirs alone."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from decks import close_all, jobdeck_threads, no_thread_left, wait_until
from jobdeck import Deck, EngineError, JobError, JobExecutor, JobStatus, RuntimeJobFailureError
from jobdeck.engines.threads.streams import Routed
from kernels import kernel

PATIENCE = 60.0


@pytest.fixture
def deck(home: Path) -> Iterator[Deck]:
    """A deck of jobs in threads. Afterwards no thread, lock or stand-in for a stream is left."""
    with no_thread_left():
        opened = Deck(home, engine="threads", max_workers=2)
        yield opened
        wait_until(
            lambda: not [each for each in jobdeck_threads() if each.name.startswith(("jobdeck-job-", "jobdeck-exec"))]
        )
        opened.close()
        close_all()
    assert list((home / "agents").glob("threads-*")) == []
    assert not isinstance(sys.stdout, Routed)
    assert not isinstance(sys.stderr, Routed)


class Gate:
    """Holds jobs of this process back."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def wait(self, number: int = 0) -> int:
        self.entered.release()
        assert self.opened.wait(PATIENCE)
        return number

    def reached(self) -> None:
        assert self.entered.acquire(timeout=PATIENCE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()


def test_making_a_deck_starts_no_thread_and_takes_no_lock(home: Path):
    before = jobdeck_threads()
    Deck(home, engine="threads").close()
    assert set(jobdeck_threads()) <= set(before)


def test_the_first_job_takes_one_lock(deck: Deck):
    assert not (deck.home / "agents").exists()
    deck.submit(abs, -1).result(PATIENCE)
    assert len(list((deck.home / "agents").glob("threads-*.lock"))) == 1


def test_a_job_has_the_very_objects_of_the_kernel_and_gives_them_back(deck: Deck):
    seen: list[object] = []
    thing = threading.Lock()
    job = deck.submit(lambda each: seen.append(each) or thing, thing)
    assert job.result(PATIENCE) is thing
    assert seen == [thing]
    assert job.inputs["each"] is thing
    assert deck.map(lambda number: threading.Lock(), range(3)).results(timeout=PATIENCE)[2].acquire()


def test_jobs_start_first_come_first_served_and_no_more_than_there_is_room_for(deck: Deck, gate: Gate):
    order: list[int] = []
    held = [deck.submit(gate.wait, number) for number in range(2)]
    gate.reached()
    gate.reached()
    jobs = deck.map(order.append, range(5)).jobs()
    assert [job.status() for job in jobs] == [JobStatus.QUEUED] * 5
    assert [job.queue_position() for job in jobs] == [1, 2, 3, 4, 5]
    deck.max_workers = 1
    gate.opened.set()
    for job in jobs:
        job.result(PATIENCE)
    assert order == [0, 1, 2, 3, 4]
    assert [job.result(PATIENCE) for job in held] == [0, 1]


def test_nothing_is_kept_of_a_job_that_has_ended_well_and_that_nobody_holds(deck: Deck):
    class Large:
        """Such as an array of many gigabytes."""

    large = Large()
    here = weakref.ref(large)
    job = deck.submit(lambda each: 1, large)
    assert job.result(PATIENCE) == 1
    del large
    assert here() is not None, "its handle has it, for a retry"
    assert job.retry().result(PATIENCE) == 1
    del job
    wait_until(lambda: here() is None)


def test_a_handle_keeps_no_result_that_the_store_has(deck: Deck):
    class Large:
        """Such as an array of many gigabytes."""

    made: list[weakref.ref[Large]] = []

    def make():
        large = Large()
        made.append(weakref.ref(large))
        return large

    job = deck.submit(make)
    assert job.result(PATIENCE)
    wait_until(lambda: made[0]() is None)


def test_what_was_cancelled_or_deleted_while_it_waited_is_let_go(deck: Deck, gate: Gate):
    deck.max_workers = 1
    first = deck.submit(gate.wait)
    gate.reached()
    thing = threading.Event()
    here = weakref.ref(thing)
    cancelled, deleted = deck.submit(thing.set), deck.submit(thing.wait, 0)
    cancelled.cancel()
    deck.delete_job(deleted.job_id())
    del cancelled, deleted, thing
    wait_until(lambda: here() is None)
    gate.opened.set()
    first.result(PATIENCE)


def test_other_threads_print_where_they_always_do(deck: Deck, gate: Gate, capsys: pytest.CaptureFixture[str]):
    def program():
        print("of the job")
        sys.stderr.write("and its stderr\n")
        sys.stdout.buffer.write(b"bytes\n")
        gate.wait()

    job = deck.submit(program)
    gate.reached()
    print("of the kernel")
    gate.opened.set()
    job.result(PATIENCE)
    assert capsys.readouterr().out == "of the kernel\n"
    assert job.logs() == "of the job\nand its stderr\nbytes\n"


def test_a_thread_that_hears_no_interrupt_is_said_not_to_and_ends_when_it_does(
    deck: Deck, gate: Gate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("jobdeck.engines.threads.agent._DEAF_AFTER", 0.1)
    lock = threading.Lock()
    lock.acquire()

    def hold():
        gate.entered.release()
        with lock:  # in C, with no end of its own
            return "went on"

    job = deck.submit(hold)
    gate.reached()
    job.cancel()
    note = wait_until(lambda: "does not hear" in (deck.store.job(job.job_id()).cancel_note or ""))
    assert note
    assert job.status() == JobStatus.RUNNING
    lock.release()
    job.wait_for_final_state(PATIENCE)
    assert job.status() == JobStatus.CANCELLED


def test_an_event_loop_that_waits_is_stopped_and_may_clean_up(deck: Deck, gate: Gate):
    cleaned: list[str] = []

    async def program(user_messenger):
        import asyncio

        user_messenger.publish("begun")
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            await asyncio.to_thread(gate.wait)
            cleaned.append("up")

    job = deck.run(program)
    wait_until(job.interim_results)
    job.cancel()
    gate.reached()
    wait_until(lambda: deck.store.job(job.job_id()).cancel_note == "cleaning up")
    gate.opened.set()
    job.wait_for_final_state(PATIENCE)
    assert (job.status(), cleaned) == (JobStatus.CANCELLED, ["up"])


def test_an_interrupt_hits_no_job_but_its_own_whenever_it_comes(deck: Deck):
    def short(number, user_messenger):
        return sum(range(number))

    for round_ in range(40):
        job = deck.run(short, inputs={"number": 100 * round_})
        if job.status() in (JobStatus.QUEUED, JobStatus.RUNNING):
            deck.cancel_jobs([job])
        job.wait_for_final_state(PATIENCE)
        assert job.status() in (JobStatus.CANCELLED, JobStatus.DONE), job.error_message()
    assert deck.submit(abs, -1).result(PATIENCE) == 1


def test_an_executor_runs_calls_in_threads_that_share_what_the_kernel_has(deck: Deck):
    lock = threading.Lock()
    found = []

    def call(number):
        with lock:
            found.append(number)
        return lock

    begun: list[str] = []
    with JobExecutor(2, "threads", home=deck.home, initializer=begun.append, initargs=("once",)) as executor:
        assert list(executor.map(call, range(5))) == [lock] * 5
    assert sorted(found) == list(range(5))
    assert begun == ["once"]


def test_a_retry_that_another_process_asks_for_runs_where_the_program_is(deck: Deck):
    calls: list[int] = []

    def program(number):
        calls.append(number)
        raise ValueError("not yet")

    job = deck.run(program, inputs={"number": 3})
    job.wait_for_final_state(PATIENCE)
    command = [sys.executable, "-m", "jobdeck", "retry", job.job_id()]
    environment = {**os.environ, "JOBDECK_HOME": str(deck.home)}
    subprocess.run(command, env=environment, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    (again,) = [each for each in deck.jobs() if each.retry_of == job.job_id()]
    again.wait_for_final_state(PATIENCE)
    assert calls == [3, 3]
    assert again.error_message() is not None


def test_a_retry_is_refused_in_words_once_its_process_is_gone(deck: Deck):
    script = """
import sys, jobdeck
deck = jobdeck.Deck(sys.argv[1], engine="threads")
job = deck.submit(lambda: [print])
job.result()
unopenable = deck.submit(__import__("threading").Lock)
unopenable.result()
print(job.job_id(), unopenable.job_id())
"""
    said = subprocess.run(
        [sys.executable, "-c", script, str(deck.home)], check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    pickled, unopenable = (deck.job(job_id) for job_id in said.stdout.split())
    assert pickled.result() == [print]
    with pytest.raises(JobError, match="kernel that has ended"):
        pickled.retry()
    with pytest.raises(JobError, match="never sent anywhere"):
        _ = pickled.inputs
    with pytest.raises(JobError, match="never sent anywhere"):
        unopenable.result()
    assert len(deck.jobs()) == 2


def test_jobs_that_wait_or_run_at_the_end_of_the_process_are_lost_at_once(deck: Deck):
    script = """
import sys, threading, jobdeck
deck = jobdeck.Deck(sys.argv[1], engine="threads", max_workers=1)
begun = threading.Event()
def hold():
    begun.set()
    threading.Event().wait()
jobs = [deck.submit(hold), deck.submit(hold), deck.prepare(hold)]
begun.wait()
print(*(job.job_id() for job in jobs))
"""
    began = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", script, str(deck.home)], check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    assert time.monotonic() - began < PATIENCE
    assert said.stderr == ""
    for job in map(deck.job, said.stdout.split()):
        assert (job.status(), job.error_kind) == (JobStatus.ERROR, "lost")
    deck.max_workers = 2


def test_a_forked_child_runs_jobs_of_its_own(deck: Deck):
    assert deck.submit(abs, -1).result(PATIENCE) == 1
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        told = "failed"
        try:
            told = str(deck.submit(os.getpid).result(PATIENCE) == os.getpid())
            deck.close()
        finally:
            os.write(write, told.encode())
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with open(read) as pipe:
        assert pipe.read() == "True"
    assert deck.submit(abs, -2).result(PATIENCE) == 2


HELD = """%%job held -e threads -i lock,end -o found
lock.acquire()
print('of the job')
publish(1)
end.wait()
found = [3]
"""


def test_a_notebooks_cell_in_a_thread_has_its_variables_and_prints_into_its_card(deck: Deck, tmp_path: Path):
    with kernel(deck.home, tmp_path) as notebook:
        notebook.run("%load_ext jobdeck\nimport threading\nlock, end = threading.Lock(), threading.Event()")
        notebook.run(HELD)
        (job,) = deck.jobs()
        wait_until(job.interim_results)
        assert notebook.run("print('of the cell', lock.locked())") == "of the cell True\n"
        waiting = notebook.send("print('waiting', flush=True); _job.result()")
        wait_until(lambda: notebook.client.get_iopub_msg(timeout=PATIENCE)["msg_type"] == "stream")
        notebook.interrupt()
        assert "KeyboardInterrupt" in notebook.finish(waiting)
        assert job.status() == JobStatus.RUNNING
        assert "of the job\n" in notebook.run("end.set(); _job.result(30); print(_job.logs())")
        assert notebook.run("print(found)").endswith("[3]\n")
        notebook.run("%%job left -e threads\npublish(1)\nthreading.Event().wait()")
        left = deck.jobs(limit=1)[0]
        wait_until(left.interim_results)
        notebook.kill()
        left.wait_for_final_state(PATIENCE)
        assert (left.name, left.status(), left.error_kind) == ("left", JobStatus.ERROR, "lost")


def test_a_reference_opens_in_no_process_but_its_own(deck: Deck):
    job = deck.submit(lambda: 1)
    job.result(PATIENCE)
    bytes_of_it = deck.store.payload(job.job_id()).program
    assert pickle.loads(bytes_of_it).target() == 1
    said = subprocess.run(
        [sys.executable, "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)"],
        input=bytes_of_it,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"JobError: it was never sent anywhere" in said.stderr


def test_the_engines_that_there_are_are_named_where_one_is_not(deck: Deck):
    with pytest.raises(EngineError, match="'local', 'threads' or 'dask"):
        Deck(deck.home, engine="thread")


def test_a_failure_keeps_its_program_for_a_retry_without_a_handle(deck: Deck, tmp_path: Path):
    here = tmp_path / "here"

    def program():
        if not here.exists():
            raise ValueError("not yet")
        return "now"

    job_id = deck.submit(program).job_id()
    with pytest.raises(RuntimeJobFailureError):
        deck.job(job_id).result(PATIENCE)
    here.touch()
    assert deck.job(job_id).retry().result(PATIENCE) == "now"

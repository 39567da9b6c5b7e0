"""What every engine has to do: one suite that runs over each of them, and the few places where they differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

import cloudpickle
import pytest

from jobdeck import (
    Deck,
    Job,
    JobCancelledError,
    JobStatus,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    UnpicklableError,
)
from jobdeck._status import is_final

# A cluster's workers do not have the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60.0


@dataclass(frozen=True)
class Traits:
    """Where engines differ, and why.

    Attributes
    ----------
    sends
        Programs, inputs and results travel to another process, so that they have to be pickled. In the kernel's own
        process they are the very objects.
    stops_all
        Whatever a program is at, it is stopped: a process can be killed. A thread hears nothing while it is in compiled
        code, and nothing can end it from outside; the note says so.
    captures_all
        What C code and subprocesses print is captured as well, which takes descriptors of the job's own. A thread has
        those of its process: only what Python prints is its job's.
    has_exit_code
        There is a process that has one, and a peak of memory.
    outlives_kernel
        Jobs go on without the kernel that submitted them.
    """

    sends: bool
    stops_all: bool
    captures_all: bool
    has_exit_code: bool
    outlives_kernel: bool


PROCESSES = Traits(sends=True, stops_all=True, captures_all=True, has_exit_code=True, outlives_kernel=True)
"""Of a process for each job, on this machine or on a cluster's worker."""
THREADS = Traits(sends=False, stops_all=False, captures_all=False, has_exit_code=False, outlives_kernel=False)


@dataclass
class Engine:
    """An engine with a deck to try it on.

    Attributes
    ----------
    waiting
        Runs a program that cannot begin while this lasts: for want of a free place, or of what it asks for.
    """

    name: str
    traits: Traits
    deck: Deck
    waiting: Callable[[Callable[..., Any]], AbstractContextManager[Job[Any]]]


def until(look: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {timeout:g} s"
        time.sleep(0.005)
    return seen


def begun(job: Job[Any]) -> Any:
    """Wait for a job's first message, and return it."""
    until(lambda: job.interim_results() or job.in_final_state())
    return job.interim_results()[0]


def ended(job: Job[Any]) -> Job[Any]:
    job.wait_for_final_state(PATIENCE)
    return job


# --- programs


def count_to(number, user_messenger):
    for i in range(1, number + 1):
        user_messenger.publish({"i": i})
        user_messenger.progress(i, number, f"step {i}")
    return number**2


def go_on(user_messenger):
    user_messenger.publish("begun")
    while True:
        pass


def publish_on(user_messenger):
    number = 0
    while True:
        user_messenger.publish(number)
        number += 1
        time.sleep(0.005)


def clean_up(path, user_messenger):
    try:
        go_on(user_messenger)
    except (KeyboardInterrupt, JobCancelledError):
        Path(path).write_text("cleaned up")
        raise


def wait_for(path, user_messenger):
    user_messenger.publish(os.getpid())
    while not os.path.exists(path):
        time.sleep(0.01)
    return "went on"


def half(number, here=None):
    if number % 2 and not (here and os.path.exists(here)):
        raise ValueError(f"{number} is odd")
    return number // 2


class Point:
    """Something that JSON does not hold."""

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return isinstance(other, Point) and other.x == self.x

    __hash__ = None


class Unsendable:
    """Something alive, such as a handle on a device."""

    def __init__(self):
        self.lock = Lock()

    def ask(self):
        with self.lock:
            return "answer"


class EngineContract:
    """Subclass it with a fixture `engine` of the class's or the module's scope."""

    # --- running

    def test_a_program_runs_and_what_it_returns_is_the_result(self, engine: Engine):
        job = engine.deck.run(count_to, inputs={"number": 3})
        assert job.engine == engine.name
        assert job.result(timeout=PATIENCE) == 9
        assert (job.status(), job.done(), job.error_message()) == (JobStatus.DONE, True, None)
        assert job.inputs == {"number": 3}

    def test_messages_come_each_once_and_in_order_to_whoever_streams_and_whoever_asks_later(self, engine: Engine):
        streamed: list[Any] = []
        job = engine.deck.run(
            count_to, inputs={"number": 300}, callback=lambda job_id, message: streamed.append((job_id, message))
        )
        job.result(timeout=PATIENCE)
        expected = [{"i": i} for i in range(1, 301)]
        until(lambda: len(streamed) == len(expected))
        assert streamed == [(job.job_id(), message) for message in expected]
        assert job.interim_results() == expected
        assert job.interim_results(start=298) == expected[298:]

    def test_progress_is_told_with_its_words(self, engine: Engine):
        job = engine.deck.run(count_to, inputs={"number": 4})
        job.result(timeout=PATIENCE)
        assert (job.progress.done, job.progress.total, job.progress.message) == (4, 4, "step 4")

    def test_a_final_message_is_the_result_and_the_last_one(self, engine: Engine):
        def program(user_messenger):
            user_messenger.publish({"energy": -1.1})
            user_messenger.publish({"00": 512, "11": 488}, final=True)
            try:
                user_messenger.publish("more")
            except RuntimeInvalidStateError:
                print("refused")

        job = engine.deck.run(program)
        assert job.result(timeout=PATIENCE) == {"00": 512, "11": 488}
        chart = json.loads(str(engine.deck.store.job(job.job_id()).chart))
        assert (chart["kind"], chart["counts"]) == ("histogram", [512, 488])
        assert job.interim_results() == [{"energy": -1.1}]
        assert job.logs() == "refused\n"

    def test_code_deep_inside_of_a_program_finds_its_messenger(self, engine: Engine):
        def program(word):
            import jobdeck

            jobdeck.current_messenger().publish(word)

        jobs = engine.deck.map(program, ["a", "b", "c"]).jobs()
        assert [ended(job).interim_results() for job in jobs] == [["a"], ["b"], ["c"]]

    def test_a_coroutine_is_run_to_its_end(self, engine: Engine):
        async def program(user_messenger):
            import asyncio

            await asyncio.sleep(0.001)
            user_messenger.publish("slept")
            return "woke up"

        job = engine.deck.run(program)
        assert job.result(timeout=PATIENCE) == "woke up"
        assert job.interim_results() == ["slept"]

    def test_a_file_with_main_gets_its_backend_and_its_inputs(self, engine: Engine, tmp_path: Path):
        file = tmp_path / "program.py"
        file.write_text("def main(backend, user_messenger, shots):\n    return [backend, shots]\n")
        job = engine.deck.run(file, inputs={"shots": 5}, backend="simulator")
        assert job.result(timeout=PATIENCE) == ["simulator", 5]
        assert job.backend() == "simulator"

    # --- failing

    def test_a_failure_is_told_with_its_traceback_and_the_exception_itself(self, engine: Engine):
        def fail():
            raise KeyError("nothing here")

        job = engine.deck.run(fail)
        with pytest.raises(RuntimeJobFailureError, match="nothing here") as failure:
            job.result(timeout=PATIENCE)
        assert "in fail" in failure.value.remote_traceback
        assert "jobdeck/engines" not in failure.value.remote_traceback
        assert isinstance(failure.value.__cause__, KeyError)
        assert (job.status(), job.error_kind) == (JobStatus.ERROR, "exception")

    def test_an_exit_ends_a_job_as_it_ends_a_script(self, engine: Engine):
        def leave(code):
            sys.exit(code)

        well, with_code = engine.deck.map(leave, [0, 3]).jobs()
        assert ended(well).status() == JobStatus.DONE
        assert (ended(with_code).status(), with_code.error_kind) == (JobStatus.ERROR, "exit")

    # --- output

    def test_what_a_program_prints_is_its_own_in_the_order_in_which_it_was_written(self, engine: Engine):
        def program(word):
            for number in range(50):
                print(word, number, file=sys.stdout if number % 2 else sys.stderr)
            return True

        jobs = engine.deck.map(program, ["this", "that"]).jobs()
        for job, word in zip(jobs, ["this", "that"], strict=True):
            assert job.result(timeout=PATIENCE)
            assert job.logs() == "".join(f"{word} {number}\n" for number in range(50))

    def test_what_subprocesses_print_is_captured_where_a_job_has_a_process(self, engine: Engine):
        def program():
            subprocess.run([sys.executable, "-c", "print('from a subprocess')"], check=True)

        assert ("from a subprocess" in ended(engine.deck.run(program)).logs()) == engine.traits.captures_all

    def test_a_process_is_counted_where_there_is_one_and_its_time_anywhere(self, engine: Engine):
        job = ended(engine.deck.run(count_to, inputs={"number": 1}))
        metrics = job.metrics()
        assert metrics["cpu_time"] > 0
        assert metrics["created"] <= metrics["started"] <= metrics["ended"]
        assert (metrics["exit_code"] == 0) == engine.traits.has_exit_code
        assert (metrics["peak_memory"] is not None) == engine.traits.has_exit_code

    # --- stopping

    def test_a_running_job_is_stopped_and_asking_twice_is_harmless(self, engine: Engine):
        job = engine.deck.run(go_on)
        begun(job)
        job.cancel()
        with suppress(RuntimeInvalidStateError):  # it may have stopped by now
            job.cancel()
        assert ended(job).status() == JobStatus.CANCELLED
        with pytest.raises(JobCancelledError):
            job.result()

    def test_a_job_that_has_ended_cannot_be_stopped(self, engine: Engine):
        job = ended(engine.deck.run(count_to, inputs={"number": 1}))
        with pytest.raises(RuntimeInvalidStateError):
            job.cancel()
        assert job.status() == JobStatus.DONE

    def test_a_job_that_waits_is_cancelled_and_never_runs(self, engine: Engine, tmp_path: Path):
        mark = tmp_path / "ran"
        with engine.waiting(mark.touch) as job:
            job.cancel()
            assert ended(job).status() == JobStatus.CANCELLED
        assert not mark.exists()

    def test_a_program_that_is_stopped_may_clean_up(self, engine: Engine, tmp_path: Path):
        job = engine.deck.run(clean_up, inputs={"path": str(tmp_path / "mark")})
        begun(job)
        job.cancel()
        assert ended(job).status() == JobStatus.CANCELLED
        assert (tmp_path / "mark").read_text() == "cleaned up"

    def test_a_stop_in_the_middle_of_messages_leaves_all_that_were_published(self, engine: Engine):
        job = engine.deck.run(publish_on)
        until(lambda: len(job.interim_results()) > 20)
        job.cancel()
        assert ended(job).status() == JobStatus.CANCELLED
        messages = job.interim_results()
        assert messages == list(range(len(messages)))

    def test_a_stop_asked_from_another_process_reaches_the_job(self, engine: Engine):
        job = engine.deck.run(go_on)
        begun(job)
        command = [sys.executable, "-c", _ASK, str(engine.deck.home), job.job_id()]
        subprocess.run(command, check=True, timeout=PATIENCE)
        assert ended(job).status() == JobStatus.CANCELLED

    def test_what_hears_nothing_is_killed_or_said_to_go_on(self, engine: Engine, tmp_path: Path):
        def deaf(path, user_messenger):
            user_messenger.publish("begun")
            while not os.path.exists(path):
                try:
                    time.sleep(0.01)
                except KeyboardInterrupt:
                    continue

        job = engine.deck.run(deaf, inputs={"path": str(tmp_path / "end")})
        begun(job)
        engine.deck.cancel_jobs([job])
        if engine.traits.stops_all:
            engine.deck.cancel_jobs([job], kill=True)
        else:
            until(lambda: engine.deck.store.job(job.job_id()).cancel_note == "cleaning up")
            assert not is_final(job.status())
            (tmp_path / "end").touch()
        assert ended(job).status() == (JobStatus.CANCELLED if engine.traits.stops_all else JobStatus.DONE)

    def test_a_time_limit_is_kept_and_told(self, engine: Engine):
        job = engine.deck.run(go_on, timeout=0.5)
        assert (ended(job).status(), job.error_kind) == (JobStatus.ERROR, "timeout")
        assert "time limit of 0.5 s" in job.error_message()

    # --- what travels

    @pytest.mark.parametrize(
        "value",
        [
            None,
            {"energy": -1.137, "counts": {"00": 512}},
            [
                float("inf"),
                1 + 2j,
                (1, 2),
                {3},
                b"\x00\xff",
                Decimal("1.10"),
                datetime(2026, 1, 1, tzinfo=timezone.utc),
            ],
            Point(3),
        ],
        ids=["nothing", "json", "tagged", "pickle"],
    )
    def test_a_result_comes_back_as_it_was(self, engine: Engine, value):
        def give():
            return value

        found = engine.deck.run(give).result(timeout=PATIENCE)
        assert found == value
        assert type(found) is type(value)

    def test_large_inputs_messages_and_results_come_whole(self, engine: Engine):
        def program(data, user_messenger):
            user_messenger.publish("x" * 1_200_000)
            return data * 2

        job = engine.deck.run(program, inputs={"data": b"\x01" * 600_000})
        assert job.result(timeout=PATIENCE) == b"\x01" * 1_200_000
        assert job.interim_results() == ["x" * 1_200_000]

    def test_text_of_whatever_kind_comes_back_as_those_characters(self, engine: Engine):
        hostile = "<img src=x onerror=alert(1)> \u202e \x1b[31m \x00 \ud800 é\r\n"

        def program(text, user_messenger):
            user_messenger.publish(text)
            print(text)
            raise ValueError(text)

        job = engine.deck.run(program, inputs={"text": hostile}, name="<b>name</b>", tags=["<i>tag</i>"])
        assert ended(job).status() == JobStatus.ERROR
        assert job.interim_results() == [hostile]
        assert job.inputs == {"text": hostile}
        assert (job.name, job.tags) == ("<b>name</b>", ["<i>tag</i>"])
        assert "<img src=x onerror=alert(1)> \u202e" in job.error_message()
        assert "<img src=x onerror=alert(1)> \u202e \x1b[31m \x00 \\ud800 é" in job.logs()

    def test_what_cannot_be_pickled_is_refused_before_anything_is_queued_or_given_as_it_is(self, engine: Engine):
        device = Unsendable()

        def use(device):
            return device.ask()

        before = len(engine.deck.jobs())
        if engine.traits.sends:
            with pytest.raises(UnpicklableError, match="'device'"):
                engine.deck.run(use, inputs={"device": device})
            assert len(engine.deck.jobs()) == before
            return
        job = engine.deck.run(use, inputs={"device": device})
        assert job.result(timeout=PATIENCE) == "answer"
        assert job.inputs["device"] is device

    def test_a_result_that_cannot_be_pickled_is_an_error_in_words_or_the_object_itself(self, engine: Engine):
        def make():
            return Unsendable()

        job = engine.deck.run(make)
        if engine.traits.sends:
            with pytest.raises(RuntimeJobFailureError, match=r"ran to its end, but what it returned .* cannot be kept"):
                job.result(timeout=PATIENCE)
            return
        assert job.result(timeout=PATIENCE).ask() == "answer"
        assert job.result() is job.result()

    # --- together

    def test_what_it_was_called_and_given_stays_with_it_and_with_its_retry(self, engine: Engine, tmp_path: Path):
        here = tmp_path / "here"
        job = engine.deck.run(
            half,
            inputs={"number": 5, "here": str(here)},
            name="half of five",
            tags=["numbers"],
            metadata={"why": "to see"},
            timeout=50,
        )
        assert ended(job).status() == JobStatus.ERROR
        here.touch()
        again = job.retry()
        assert again.result(timeout=PATIENCE) == 2
        told = [(each.name, each.tags, each.metadata, each.engine) for each in (job, again)]
        assert told[0] == told[1] == ("half of five", ["numbers"], {"why": "to see"}, engine.name)
        assert again.retry_of == job.job_id()
        assert job.retry(number=8).result(timeout=PATIENCE) == 4

    def test_a_group_keeps_the_order_of_its_inputs_and_runs_again_what_failed(self, engine: Engine, tmp_path: Path):
        here = tmp_path / "here"
        group = engine.deck.map(half, range(6), inputs={"here": str(here)})
        group.wait(PATIENCE)
        results = group.results(partial=True)
        assert [results[place] for place in (0, 2, 4)] == [0, 1, 2]
        assert group.statuses().count(JobStatus.ERROR) == 3
        here.touch()
        group.retry_failed()
        assert group.results(timeout=PATIENCE) == [0, 0, 1, 1, 2, 2]

    def test_a_job_begins_after_those_that_it_waits_for_and_not_at_all_where_one_fails(
        self, engine: Engine, tmp_path: Path
    ):
        first = engine.deck.run(wait_for, inputs={"path": str(tmp_path / "go")})
        second = engine.deck.run(count_to, inputs={"number": 2}, after=[first])
        failed = engine.deck.run(half, inputs={"number": 1})
        behind = engine.deck.run((tmp_path / "ran").touch, after=[failed])
        begun(first)
        assert second.status() == JobStatus.QUEUED
        (tmp_path / "go").touch()
        assert second.result(timeout=PATIENCE) == 4
        assert ended(behind).status() == JobStatus.ERROR
        assert failed.job_id() in behind.error_message()
        assert not (tmp_path / "ran").exists()

    def test_two_decks_on_one_home_know_the_same_jobs(self, engine: Engine):
        with Deck(engine.deck.home) as other:
            job = engine.deck.run(count_to, inputs={"number": 2})
            there = other.job(job.job_id())
            assert there.result(timeout=PATIENCE) == 4
            assert there.interim_results() == [{"i": 1}, {"i": 2}]

    def test_a_kernel_dies_and_its_jobs_go_on_or_say_that_they_are_lost(self, engine: Engine, tmp_path: Path):
        go = tmp_path / "go"
        kernel = subprocess.Popen(
            [sys.executable, "-c", _KERNEL, str(engine.deck.home), engine.name, str(go)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert kernel.stdout is not None
            job = engine.deck.job(kernel.stdout.readline().strip())
            begun(job)
        finally:
            kernel.kill()
            kernel.communicate()
        go.touch()
        ended(job)
        if engine.traits.outlives_kernel:
            assert job.result() == "went on"
            return
        assert (job.status(), job.error_kind) == (JobStatus.ERROR, "lost")
        assert "kernel" in job.error_message()
        assert len(job.interim_results()) == 1


_ASK = """
import pathlib, sys
from jobdeck.store import open_store

home, job_id = sys.argv[1:]
open_store(pathlib.Path(home)).ask(job_id, "cancel", "test")
"""

_KERNEL = """
import os, sys, time
import jobdeck

def wait_for(path, user_messenger):
    import os, time
    user_messenger.publish(os.getpid())
    while not os.path.exists(path):
        time.sleep(0.01)
    return "went on"

home, engine, path = sys.argv[1:]
job = jobdeck.Deck(home, engine=engine).run(wait_for, inputs={"path": path})
print(job.job_id(), flush=True)
time.sleep(600)
"""


def closed(deck: Deck) -> None:
    """Stop what is under way, and close the deck."""
    for job in deck.jobs(pending=True):
        try:
            job.cancel()
        except RuntimeInvalidStateError:
            continue
        ended(job)
    deck.close()


@contextmanager
def behind_another(deck: Deck, folder: Path, program: Callable[..., Any]) -> Iterator[Job[Any]]:
    """Run a program that has to wait for the only place that there is."""
    before, deck.max_workers = deck.max_workers, 1
    gate = folder / "gate"
    first = deck.run(wait_for, inputs={"path": str(gate)})
    try:
        begun(first)
        yield deck.run(program)
    finally:
        gate.touch()
        deck.max_workers = before
        ended(first)

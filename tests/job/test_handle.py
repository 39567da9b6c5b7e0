"""What a handle tells of its job, and what handles are among each other."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import datetime, timezone

import pytest
import traitlets

from decks import ended, wait_until
from jobdeck import Deck, InvalidInputError, Job, JobError, JobList, JobNotFoundError, Progress
from jobdeck._job.handle import set_presenter
from jobdeck.store import open_store
from programs import Backend, Gate, area, nothing


def test_what_was_given_can_be_read_again(deck: Deck):
    before = datetime.now(timezone.utc)
    backend = Backend()
    job = deck.run(
        area, inputs={"width": 3}, backend=backend, name="an area", tags=["a", "b", "a"], metadata={"paper": [1, 2]}
    )
    assert job.name == "an area"
    assert job.tags == ["a", "b"]
    assert job.metadata == {"paper": [1, 2]}
    assert job.inputs == {"width": 3}
    assert job.backend() is backend
    assert job.program_id is None
    assert job.version == 1
    assert job.engine == "local"
    assert before.timestamp() - 1 < job.creation_date.timestamp() < before.timestamp() + 60
    assert job.creation_date.utcoffset() is not None
    assert ended(job).result() == 6


def test_what_came_of_it_can_be_read(deck: Deck):
    job = deck.run(area, inputs={"width": 3})
    ended(job)
    assert job.logs() == "computing\n"
    assert job.error_message() is None
    assert job.queue_position() is None
    metrics = job.metrics()
    assert metrics["created"] <= metrics["queued"] <= metrics["started"] <= metrics["ended"]
    assert metrics["exit_code"] == 0
    assert metrics["exit_signal"] is None
    assert metrics["peak_memory"] > 1e6
    assert metrics["cpu_time"] > 0
    assert metrics["wall_time"] >= 0


def test_a_job_that_has_not_started_has_neither_output_nor_times(deck: Deck):
    job = deck.prepare(area, inputs={"width": 3})
    assert job.status() == "INITIALIZING"
    assert job.logs() is None
    assert job.metrics()["started"] is None
    job.submit()
    with pytest.raises(JobError, match="submitted before"):
        job.submit()
    assert job.result(10) == 6


def test_output_that_is_no_text_is_shown_with_replacements(deck: Deck):
    def write():
        import os

        os.write(1, b"caf\xc3\xa9 \xff\n")

    assert ended(deck.submit(write)).logs() == "café \ufffd\n"


def test_tags_are_replaced_then_added_then_removed(deck: Deck):
    job = deck.prepare(nothing, tags=["old"])
    assert job.update_tags(["a", "b"], ["c"], ["b"]) == ["a", "c"]
    assert job.tags == ["a", "c"]
    assert job.update_tags(additional_tags=["a", "d"]) == ["a", "c", "d"]
    assert job.update_tags(replacement_tags=[]) == []
    with pytest.raises(InvalidInputError, match="replacement_tags"):
        job.update_tags()
    with pytest.raises(InvalidInputError, match="3"):
        job.update_tags(additional_tags=[3])


def test_a_retry_runs_the_same_program_with_other_inputs(deck: Deck):
    job = deck.run(area, inputs={"width": 3, "height": 5}, name="an area", tags=["x"])
    again = job.retry(height=10)
    assert (again.retry_of, again.name, again.tags) == (job.job_id(), "an area", ["x"])
    assert again.inputs == {"width": 3, "height": 10}
    assert again.result(10) == 30
    assert job.retry().result(10) == 15
    with pytest.raises(InvalidInputError, match="depth"):
        job.retry(depth=1)


def test_one_process_has_one_handle_per_job(deck: Deck):
    job = deck.prepare(nothing)
    assert deck.job(job.job_id()) is job
    assert deck.jobs()[0] is job
    with Deck(deck.home) as other:
        assert other.job(job.job_id()) is job
    assert pickle.loads(pickle.dumps(job)) is job
    assert {job: 1}[deck.job(job.job_id())] == 1
    assert job != deck.prepare(nothing)
    assert job != job.job_id()


def test_a_handle_in_another_process_is_equal_and_sees_the_same(deck: Deck):
    job = ended(deck.run(area, inputs={"width": 3}, backend="a name"))
    program = """
import pickle, sys
job = pickle.loads(bytes.fromhex(sys.argv[1]))
print(job.job_id(), job.status(), job.result(), job.interim_results(), job.inputs, job.backend())
"""
    command = [sys.executable, "-c", program, pickle.dumps(job).hex()]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=30).stdout
    assert said == f"{job.job_id()} DONE 6 [3] {{'width': 3}} a name\n"


def test_a_job_can_be_handed_to_another_job(deck: Deck):
    first = deck.submit(pow, 2, 5)
    assert deck.submit(lambda job: job.result(10) + 1, first).result(15) == 33


def test_a_forked_child_can_wait_for_a_job(deck: Deck):
    program = """
import os, jobdeck, time
job = jobdeck.submit(time.sleep, 0.2)
assert not job.in_final_state()
jobs = jobdeck.jobs()
child = os.fork()
if child == 0:
    job.wait_for_final_state(20)
    os._exit(11 if job.done() and jobdeck.jobs() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 11
assert job.result(20) is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_text_of_a_job_tells_its_state(deck: Deck, gate: Gate):
    def report(user_messenger):
        user_messenger.progress(3, 4)
        gate.wait()
        raise ValueError("x")

    job = deck.run(report, name="a\x1b[31m")
    gate.reached()
    assert repr(job) == f"<Job 'a\\x1b[31m' ({job.job_id()}): RUNNING · 3/4>"
    gate.open()
    assert repr(ended(job)) == f"<Job 'a\\x1b[31m' ({job.job_id()}): ERROR · ValueError: x>"
    deck.delete_job(job.job_id())
    assert "JobNotFoundError" in repr(job)
    with pytest.raises(JobNotFoundError):
        job.status()


def test_a_list_of_jobs_is_a_table_with_nothing_hostile_in_it(deck: Deck):
    deck.prepare(nothing, name="evil\x1b[31m\n<img src=x>\u202e", tags=["one", "two"])
    deck.prepare(nothing, name="second")
    text = repr(deck.jobs())
    lines = text.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[1:3] == ["second", "INITIALIZING"]
    assert "evil\\x1b[31m\\n<img src=x>\\u202e" in lines[2]
    assert "one, two" in lines[2]
    assert repr(deck.jobs(name="zzz")) == "no jobs"
    assert isinstance(deck.jobs(), JobList)


class Recorder:
    """A presenter that keeps what it was asked to show."""

    def __init__(self):
        self.shown = []

    def display(self, store, job_ids, layout, group_id=None):
        self.shown.append((store.store_id, job_ids, layout))

    def mimebundle(self, store, job_ids, layout, group_id=None):
        return {"text/plain": f"{layout} of {job_ids}"}


def test_jobs_lists_and_decks_show_themselves_through_the_presenter(deck: Deck):
    from jobdeck import _presenting

    one, two = deck.prepare(nothing), deck.prepare(nothing)
    recorder = Recorder()
    before = _presenting._factory
    try:
        set_presenter(lambda: recorder)
        one._ipython_display_()
        deck.jobs()._ipython_display_()
        deck.dashboard()
        deck._ipython_display_()
        bundle = one._repr_mimebundle_(include=None, exclude=None)
        set_presenter(None)
        out = io.StringIO()
        with redirect_stdout(out):
            one._ipython_display_()
            deck.jobs(name="zzz")._ipython_display_()
        assert one._repr_mimebundle_() == {"text/plain": repr(one)}
    finally:
        set_presenter(before)
    store_id = deck.store.store_id
    assert recorder.shown == [
        (store_id, [one.job_id()], "card"),
        (store_id, [two.job_id(), one.job_id()], "list"),
        (store_id, (), "deck"),
        (store_id, (), "deck"),
    ]
    assert bundle == {"text/plain": f"card of {[one.job_id()]}"}
    assert out.getvalue() == f"{one!r}\nno jobs\n"


def test_qiskits_job_classes_know_the_handle_whenever_they_are_imported(deck: Deck):
    program = """
import sys, jobdeck
job = jobdeck.prepare(lambda: 1)
assert "qiskit" not in sys.modules
from qiskit.providers import JobV1
from qiskit.providers import JobStatus
from qiskit.primitives import BasePrimitiveJob
assert isinstance(job, JobV1) and isinstance(job, BasePrimitiveJob)
assert issubclass(jobdeck.Job, JobV1) and issubclass(type(job), BasePrimitiveJob)
assert job.status() == JobStatus.INITIALIZING and JobStatus.DONE != job.status()
assert isinstance(job, jobdeck.Job) and not isinstance(job, dict)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


# --- traits


def test_observers_get_what_happens_and_traits_are_read_only(deck: Deck, gate: Gate):
    def report(user_messenger):
        for i in range(3):
            user_messenger.publish(i)
        user_messenger.progress(1, 4, "a quarter")
        gate.wait()
        raise ValueError("x")

    job = deck.run(report)
    seen: list[tuple[str, object]] = []
    job.observe(lambda change: seen.append((change["name"], change["new"])))
    gate.reached()
    wait_until(lambda: job.interim_count == 3 and job.progress == Progress(1, 4, "a quarter"))
    assert job.progress.fraction == 0.25
    assert job.state == "RUNNING"
    gate.open()
    ended(job)
    assert (job.state, job.error, job.error_kind) == ("ERROR", "ValueError: x", "exception")
    assert seen[-1] == ("state", "ERROR")
    assert ("error", "ValueError: x") in seen
    counts = [value for name, value in seen if name == "interim_count"]
    assert counts == sorted(counts)
    with pytest.raises(traitlets.TraitError):
        job.state = "DONE"


def test_an_observer_that_fails_is_logged_once_and_keeps_nobody_from_the_news(deck: Deck, gate: Gate, caplog):
    job = deck.submit(gate.wait)
    gate.reached()

    def fail(change):
        raise RuntimeError("my observer failed")

    job.observe(fail)
    gate.open()
    ended(job)
    assert job.state == "DONE"
    assert caplog.text.count("RuntimeError: my observer failed") == 1


def test_the_place_in_the_queue_is_followed(deck: Deck, gate: Gate):
    deck.max_workers = 1
    first = deck.submit(gate.wait)
    gate.reached()
    waiting = [deck.submit(pow, 2, 2) for _ in range(3)]
    wait_until(lambda: [job.queue_position() for job in waiting] == [1, 2, 3])
    gate.open()
    for job in [first, *waiting]:
        ended(job)
        assert job.queue_place is None


def test_handles_of_jobs_that_have_ended_are_not_followed(deck: Deck):
    jobs = [deck.submit(pow, 2, 2) for _ in range(5)]
    for job in jobs:
        ended(job)
    wait_until(lambda: not deck.follower.subscriptions)
    assert [job.result() for job in deck.jobs()] == [4] * 5
    assert not deck.follower.subscriptions


def test_handles_that_nobody_keeps_are_forgotten_and_not_followed(deck: Deck):
    import gc
    import weakref

    job = deck.prepare(nothing)
    job_id, ghost = job.job_id(), weakref.ref(job)
    kept = deck.prepare(nothing)
    del job
    gc.collect()
    assert ghost() is None
    assert deck.job(job_id).status() == "INITIALIZING"
    gc.collect()
    kept.cancel()
    wait_until(lambda: not deck.follower.subscriptions)


def test_making_handles_from_many_threads_gives_one_for_each_job(deck: Deck):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: deck.submit(pow, 2, number), range(60)))
        again = list(pool.map(lambda job: deck.job(job.job_id()), made))
    assert all(one is other for one, other in zip(made, again, strict=True))
    assert [job.result(30) for job in made] == [2**number for number in range(60)]


def test_a_slice_of_a_list_of_jobs_is_one_too(deck: Deck):
    for _ in range(3):
        deck.prepare(nothing)
    jobs = deck.jobs()
    assert isinstance(jobs[:2], JobList)
    assert jobs[:2] == [jobs[0], jobs[1]]
    assert len(repr(jobs[:2]).splitlines()) == 3


def test_another_home_does_not_know_the_job(deck: Deck, tmp_path):
    job = deck.prepare(nothing)
    with Deck(tmp_path / "other") as other, pytest.raises(JobNotFoundError, match="another jobdeck home"):
        other.job(job.job_id())
    assert isinstance(job, Job)
    assert open_store(deck.home).job(job.job_id()).name == "nothing"

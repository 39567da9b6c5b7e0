"""Running programs: what can be given, what is refused before anything is queued, and what is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

import jobdeck
from decks import close_all, ended, no_thread_left, stop_agent, wait_until
from jobdeck import (
    Deck,
    EngineError,
    InvalidInputError,
    JobNotFoundError,
    RuntimeInvalidStateError,
    StoreError,
    UnpicklableError,
)
from programs import Gate, count_to, double, nothing


def test_a_job_is_named_after_its_program_unless_it_is_told_otherwise(deck: Deck):
    assert deck.run(double, inputs={"x": 1}).name == "double"
    assert deck.run(double, inputs={"x": 1}, name="mine").name == "mine"


def test_a_file_and_a_module_with_main_are_programs(deck: Deck, tmp_path: Path):
    path = tmp_path / "vqe.py"
    path.write_text("def main(backend, user_messenger, **inputs):\n    return [backend, inputs]\n")
    job = deck.run(path, inputs={"a": 1}, backend="sim")
    assert job.result(15) == ["sim", {"a": 1}]
    assert job.name == "vqe"
    assert deck.run(str(path)).result(15) == [None, {}]


def test_options_are_read_as_other_services_have_them(deck: Deck):
    options = {"backend_name": "basic_simulator", "job_tags": ["t"], "max_execution_time": 60}
    job = deck.run(lambda backend: backend.name, options=options)
    assert (job.backend().name, job.tags, job._record.timeout) == ("basic_simulator", ["t"], 60.0)
    assert job.result(15) == "basic_simulator"
    with pytest.raises(InvalidInputError, match=r"no option 'backends'.*backend_name"):
        deck.run(double, options={"backends": 1})
    with pytest.raises(InvalidInputError, match="not both"):
        deck.run(double, options={"job_tags": ["a"]}, tags=["b"])
    with pytest.raises(InvalidInputError, match="dict"):
        deck.run(double, options=["backend_name"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"callback": 5}, "callback"),
        ({"result_decoder": "x"}, "result_decoder"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "200"),
        ({"tags": [1]}, "tag"),
        ({"tags": [" "]}, "tag"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": "1"}, "timeout"),
        ({"metadata": {"x": object()}}, "metadata"),
        ({"metadata": [1]}, "metadata"),
        ({"inputs": {"x": 1, "y": 1}}, "y"),
        ({"inputs": [1]}, "inputs"),
        ({"inputs": {"x": threading.Lock()}}, "'x'"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_queued(deck: Deck, given, words):
    with pytest.raises((InvalidInputError, UnpicklableError), match=words):
        deck.run(double, **{"inputs": {"x": 1}, **given})
    assert not deck.jobs()


def test_no_program_is_refused(deck: Deck):
    lock = threading.Lock()
    for program in (5, None, "no such program", "/no/such/file.py"):
        with pytest.raises((InvalidInputError, JobNotFoundError)):
            deck.run(program)
    with pytest.raises(UnpicklableError, match="lock"):
        deck.run(lambda: lock)
    assert not deck.jobs()


def test_an_engine_that_does_not_exist_is_refused_before_anything_is_queued(deck: Deck, home: Path):
    with pytest.raises(EngineError, match="local"):
        deck.run(double, inputs={"x": 1}, engine="slurm")
    with pytest.raises(EngineError, match="'slurm'"):
        Deck(home, engine="slurm")
    assert not deck.jobs()


def test_lone_surrogates_do_not_stop_a_job(deck: Deck):
    job = deck.run(double, inputs={"x": 1}, name="a\ud800b", tags=["\udfff"])
    assert (job.name, job.tags) == ("a?b", ["?"])


def test_a_time_limit_stops_a_job(deck: Deck, gate: Gate):
    job = ended(deck.run(gate.wait, timeout=0.3))
    assert job.errored()
    assert "time limit" in job.error_message()
    assert job.error_kind == "timeout"


def test_at_most_max_workers_run_first_come_first_served(deck: Deck, tmp_path: Path):
    assert deck.max_workers == (os.cpu_count() or 1)
    deck.max_workers = 1
    with Deck(deck.home) as other:
        assert other.max_workers == 1
    jobs = [deck.submit(double, number) for number in range(6)]
    for job in jobs:
        ended(job)
    started = [job.metrics()["started"] for job in jobs]
    assert started == sorted(started)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(InvalidInputError):
            deck.max_workers = wrong


def test_running_a_notebook_twice_keeps_its_first_jobs(deck: Deck):
    first = [deck.run(double, inputs={"x": 1}) for _ in range(2)]
    second = [deck.run(double, inputs={"x": 1}) for _ in range(2)]
    assert set(deck.jobs()) == {*first, *second}


# --- finding


def test_jobs_are_found_by_what_they_are(deck: Deck):
    old = deck.prepare(nothing, name="Old one", tags=["a"])
    new = deck.prepare(nothing, name="new one", tags=["a", "b"])
    done = ended(deck.run(double, inputs={"x": 1}))
    assert deck.jobs() == [done, new, old]
    assert deck.jobs(descending=False, limit=2) == [old, new]
    assert deck.jobs(limit=1, skip=1) == [new]
    assert deck.jobs(tags=["a", "b"]) == [new]
    assert deck.jobs(name="ONE") == [new, old]
    assert deck.jobs(status="DONE") == deck.jobs(status=[jobdeck.JobStatus.DONE]) == [done]
    between = old.creation_date + (new.creation_date - old.creation_date) / 2
    assert deck.jobs(created_after=between) == deck.jobs(created_after=between.timestamp()) == [done, new]
    for wrong in ("yesterday", timedelta(days=1), True):
        with pytest.raises(InvalidInputError, match="created_before is a datetime, or seconds since the epoch"):
            deck.jobs(created_before=wrong)
    assert deck.jobs(created_before=between) == [old]
    with pytest.raises(InvalidInputError):
        deck.jobs(limit=-1)
    with pytest.raises(InvalidInputError):
        deck.jobs(status=5)
    with pytest.raises(InvalidInputError, match=r"one of INITIALIZING, .*, not 'RUNNIG'; did you mean RUNNING\?"):
        deck.jobs(status=["DONE", "RUNNIG"])
    with pytest.raises(InvalidInputError, match="not 'running'; did you mean RUNNING"):
        deck.jobs(status="running")


def test_an_unknown_id_says_so(deck: Deck):
    with pytest.raises(JobNotFoundError, match="nonsense"):
        deck.job("nonsense")
    with pytest.raises(InvalidInputError):
        deck.job(5)
    with pytest.raises(JobNotFoundError):
        deck.delete_job("nonsense")


def test_a_job_under_way_is_not_deleted_and_one_that_ended_is(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    with pytest.raises(RuntimeInvalidStateError, match="cancel"):
        deck.delete_job(job.job_id())
    gate.open()
    ended(job)
    deck.delete_job(job.job_id())
    assert not deck.jobs()


def test_prune_removes_what_has_ended(deck: Deck):
    kept = deck.prepare(nothing)
    for _ in range(3):
        ended(deck.run(double, inputs={"x": 1}))
    assert deck.prune(keep=1, dry_run=True).jobs == 2
    assert deck.prune(older_than=timedelta(days=1)).jobs == deck.prune(older_than=86_400).jobs == 0
    assert deck.prune(dry_run=True).jobs == deck.prune().jobs == 0
    assert deck.prune(keep=0).jobs == 3
    assert deck.jobs() == [kept]
    for wrong in ("30d", -1, float("nan"), True):
        with pytest.raises(InvalidInputError, match="older_than is a timedelta, or seconds"):
            deck.prune(older_than=wrong)


def test_a_retry_by_id_opens_nothing(deck: Deck, tmp_path: Path):
    class Trap:
        def __init__(self, path, pid):
            self.path, self.pid = path, pid

        def __setstate__(self, state):
            vars(self).update(state)
            if os.getpid() == self.pid:
                Path(self.path).touch()

    trace = tmp_path / "opened"
    job = ended(deck.run(lambda trap: "ran", inputs={"trap": Trap(str(trace), os.getpid())}))
    again = deck.retry_job(job.job_id())
    assert again.result(15) == "ran"
    assert again.retry_of == job.job_id()
    assert not trace.exists()


# --- uploaded programs


def test_an_uploaded_program_is_run_by_its_id(deck: Deck, tmp_path: Path):
    program_id = deck.upload_program(double, {"description": "twice", "max_execution_time": 5})
    job = deck.run(program_id, inputs={"x": 4})
    assert (job.result(15), job.program_id, job.name) == (8, program_id, "double")
    assert deck.jobs(program_id=program_id) == [job]
    with pytest.raises(InvalidInputError, match="y"):
        deck.run(program_id, inputs={"x": 1, "y": 4})

    shown = deck.program(program_id)
    assert (shown.name, shown.description, shown.metadata["max_execution_time"]) == ("double", "twice", 5)
    path = tmp_path / "thrice.py"
    path.write_text("def main(backend, user_messenger, x):\n    return 3 * x\n")
    deck.update_program(program_id, path, {"name": "triple"})
    assert deck.run(program_id, inputs={"x": 4}).result(15) == 12
    deck.update_program(program_id, metadata={"description": "thrice"})
    assert [(p.name, p.description) for p in deck.programs()] == [("triple", "thrice")]
    assert job.retry().result(15) == 8

    deck.delete_program(program_id)
    assert not deck.programs()
    for call in (deck.program, deck.delete_program, lambda name: deck.update_program(name, double)):
        with pytest.raises(JobNotFoundError, match=program_id):
            call(program_id)
    with pytest.raises((JobNotFoundError, InvalidInputError)):
        deck.run(program_id)
    with pytest.raises(InvalidInputError):
        deck.upload_program(double, {"name": ""})


# --- messengers


def test_the_current_messenger_is_the_jobs_own_also_in_its_subprocesses(deck: Deck):
    def program(user_messenger):
        import subprocess
        import sys

        import jobdeck

        assert jobdeck.current_messenger() is user_messenger
        jobdeck.current_messenger().publish("from the job")
        code = "import jobdeck; jobdeck.current_messenger().publish('from its subprocess')"
        subprocess.run([sys.executable, "-c", code], check=True)
        jobdeck.current_messenger().publish("from the job again")

    job = ended(deck.run(program), 30)
    assert job.error_message() is None
    assert job.interim_results() == ["from the job", "from its subprocess", "from the job again"]


def test_outside_a_job_messages_are_printed(capsys, monkeypatch):
    monkeypatch.delenv("JOBDECK_JOB_ID", raising=False)
    jobdeck.current_messenger().publish({"energy": -1.5})
    jobdeck.current_messenger().progress(1, 2)
    assert capsys.readouterr().out.splitlines()[0] == '{"energy": -1.5}'


# --- the default deck


def test_the_functions_work_on_the_home_that_the_environment_names(home: Path, tmp_path: Path, monkeypatch):
    job = jobdeck.submit(double, 4)
    assert job.result(15) == 8
    assert jobdeck.job(job.job_id()) is job
    assert jobdeck.jobs() == [job]
    monkeypatch.setenv("JOBDECK_HOME", str(tmp_path / "elsewhere"))
    assert jobdeck.jobs() == []
    assert job.done()
    monkeypatch.setenv("JOBDECK_HOME", str(home))
    jobdeck.delete_job(job.job_id())
    assert jobdeck.jobs() == []
    close_all()
    stop_agent(home)


def test_a_closed_deck_leaves_no_thread_and_no_open_file(home: Path, gate: Gate):
    with Deck(home):
        pass  # what is opened once in a process
    before = len(os.listdir("/proc/self/fd"))
    with no_thread_left(), Deck(home) as deck, Deck(home) as second:
        job = deck.submit(gate.wait)
        gate.reached()
        second.close()
        second.close()
        assert job.running()
    assert len(os.listdir("/proc/self/fd")) <= before
    gate.open()
    job.wait_for_final_state(15)
    close_all()
    stop_agent(home)


def test_closing_a_deck_ends_no_stream_and_no_future(home: Path, gate: Gate):
    got: list[int] = []
    with no_thread_left():
        with Deck(home) as deck:
            inputs = {"number": 20, "gate": gate, "first": 10}
            job = deck.run(count_to, inputs=inputs, callback=lambda job_id, message: got.append(message))
            future = job.future
            gate.reached()
        gate.open()
        assert future.result(15) == 20
        wait_until(lambda: got == list(range(20)))
        with Deck(home) as deck:
            assert deck.job(job.job_id()) is job
    close_all()
    stop_agent(home)


def test_a_home_that_cannot_be_used_is_an_error_that_names_it(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("")
    deck = Deck(path)
    with pytest.raises(StoreError, match=str(path)):
        deck.jobs()
    with pytest.raises(StoreError, match=str(path)):
        deck.run(double, inputs={"x": 1})
    deck.close()
    close_all()


def test_jobs_of_an_agent_that_died_are_closed_and_its_queue_is_run(deck: Deck, gate: Gate, tmp_path: Path):
    import signal

    from jobdeck.engines.lock import AgentLock

    deck.max_workers = 1
    running, queued = deck.submit(gate.wait), deck.submit(double, 4)
    gate.reached()
    os.kill(AgentLock(deck.home, "local").holder().pid, signal.SIGKILL)
    assert queued.result(30) == 8
    assert ended(running).errored()
    assert running.error_kind == "lost"


def test_two_processes_may_cancel_one_job_at_once(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    program = f"""
import jobdeck
try:
    jobdeck.job({job.job_id()!r}).cancel()
except jobdeck.RuntimeInvalidStateError:
    pass
"""
    others = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [other.wait(30) for other in others] == [0, 0]
    assert ended(job).cancelled()

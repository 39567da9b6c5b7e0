"""What a job is given when it starts and gives back when it ends, without opening the store where it can do so."""

from __future__ import annotations

import dataclasses
import fcntl
import resource
import time
from pathlib import Path

import psutil
import pytest

from jobdeck._call import plain_number
from jobdeck._program import outcome_of_exception, outcome_of_value
from jobdeck._records import JobQuery, Outcome
from jobdeck._status import Exit
from jobdeck.engines.local import handing, inherited
from jobdeck.engines.local.frames import Frames, frame
from jobdeck.store.line import LINE

from . import programs
from .conftest import Bench, until


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(True),
        outcome_of_value({"energy": -1.137}),
        outcome_of_value(-1.137),
        outcome_of_value(object),
        outcome_of_value("\n\ud800"),
        outcome_of_exception(ValueError("no\nluck")),
        Outcome(False, body=b"\n\0", exception=b"\n", exception_type="A", traceback="é\n", interrupted=True),
        Outcome(True, encoding="pickle", preview="large", chart="{}", kept=38_000_000),
    ],
)
def test_an_outcome_is_read_as_it_was_handed_over(outcome: Outcome) -> None:
    data = handing.handed("abcdef-abcdefghijkl", outcome)
    assert inherited.job_of(data) == "abcdef-abcdefghijkl"
    assert handing.outcome_of(data) == outcome


@pytest.mark.parametrize("number", [0, -7, 2**53, -1.137, 1e300])
def test_a_number_is_handed_over_as_an_outcome_is(number: float) -> None:
    data = inherited.handed_number("abcdef-abcdefghijkl", plain_number(number) or "")
    assert data == handing.handed("abcdef-abcdefghijkl", outcome_of_value(number))


def test_every_part_of_an_outcome_is_handed_over() -> None:
    values: dict[str, object] = {"ok": True, "encoding": "json", "body": b"1", "exception": b"2", "interrupted": True}
    texts = {each.name: each.name for each in dataclasses.fields(Outcome) if each.name not in {*values, "kept"}}
    outcome = Outcome(**values, **texts, kept=3)  # type: ignore[arg-type]
    assert handing.outcome_of(handing.handed("abcdef-abcdefghijkl", outcome)) == outcome


@pytest.mark.parametrize(
    "data", [b"", b"job", b"job\n1 0\n", b"job\n1 0 - - - - - - - - -\nmore", b"job\n1 0 - - - x - - - - -\n"]
)
def test_what_is_no_outcome_is_not_taken_for_one(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever words
        handing.outcome_of(data)


def test_words_arrive_whole_however_the_stream_is_cut() -> None:
    words = [("keep", "key", bytes(range(256))), ("start", "job", None), ("forget",)]
    stream = b"".join(frame(*word) for word in words)
    for size in (1, 3, 7, len(stream)):
        frames = Frames()
        heard = [word for at in range(0, len(stream), size) for word in frames.feed(stream[at : at + size])]
        assert heard == words


def test_a_short_job_opens_no_store(forking: Bench) -> None:
    names = forking.value(forking.run(programs.list_open_files))
    assert not [name for name in names if "jobdeck.db" in name or name.endswith(".lock")]


def test_a_job_that_publishes_opens_the_store_and_keeps_its_order(bench: Bench) -> None:
    job = bench.run(programs.publish_and_list_open_files, count=50)
    assert any("jobdeck.db" in name for name in bench.value(job))
    assert [message.body for message in bench.store.messages(job.job_id)] == [str(n) for n in range(50)]


@pytest.mark.parametrize("size", [10, 100_000, 400_000, 3_000_000])
def test_inputs_and_results_of_any_size_go_their_way(forking: Bench, size: int) -> None:
    value = "x" * size
    job = forking.run(programs.give, value=value)
    assert job.status == "DONE", job.error
    assert forking.value(job) == value


def test_many_jobs_with_inputs_of_their_own_get_their_own(forking: Bench) -> None:
    forking.store.set_setting("max_workers", "4")
    jobs = [forking.insert(programs.give, value=[number, "x" * 50_000]) for number in range(250)]
    forking.ensure_agent()
    assert [forking.value(forking.end(job, 60.0))[0] for job in jobs] == list(range(250))


def test_what_took_long_is_stored_by_the_job_itself(forking: Bench, tmp_path: Path) -> None:
    job = forking.submit(programs.hold, started=str(tmp_path / "started"), release=str(tmp_path / "release"))
    until((tmp_path / "started").exists)
    agent = psutil.Process(forking.agent_pid())
    until(lambda: time.time() - forking.store.job(job.job_id).started > 1.5)
    agent.suspend()
    try:
        (tmp_path / "release").touch()
        until(lambda: forking.store.outcome(job.job_id) is not None)
    finally:
        agent.resume()
    assert forking.end(job).status == "DONE"


def test_an_agent_that_cannot_write_keeps_what_it_was_handed_until_it_can(forking: Bench, tmp_path: Path) -> None:
    job = forking.submit(programs.hold, started=str(tmp_path / "started"), release=str(tmp_path / "release"))
    until((tmp_path / "started").exists)
    pid = until(lambda: forking.store.job(job.job_id).pid)
    limits = resource.prlimit(forking.agent_pid(), resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    (tmp_path / "release").touch()
    until(lambda: not psutil.pid_exists(pid))
    assert forking.store.job(job.job_id).status == "RUNNING"
    assert forking.store.outcome(job.job_id) is None
    resource.prlimit(forking.agent_pid(), resource.RLIMIT_FSIZE, limits)
    assert forking.end(job).status == "DONE"
    assert forking.value(job) == "released"


def test_an_agent_removes_old_jobs_as_the_settings_say(bench: Bench) -> None:
    for _ in range(5):
        job = bench.insert(programs.give)
        bench.store.claim("local", "nobody", 1)
        bench.store.finish({job.job_id: Exit(code=0)})
    bench.store.set_setting("keep_jobs", "2")
    bench.ensure_agent()
    until(lambda: bench.store.count(JobQuery()) == 2)


def test_jobs_run_while_an_agent_removes_old_ones(bench: Bench) -> None:
    job = bench.insert(programs.give)
    bench.store.claim("local", "nobody", 1)
    bench.store.finish({job.job_id: Exit(code=0)})
    bench.store.set_setting("keep_jobs", "0")
    with (bench.store.home / LINE).open("wb") as line:
        # Who removes jobs stands in line to write, and gets no further.
        fcntl.flock(line, fcntl.LOCK_EX)
        bench.ensure_agent()
        assert bench.run(programs.give, value=1).status == "DONE"
        assert bench.run(programs.give, value=2).status == "DONE"
        assert job.job_id in {each.job_id for each in bench.store.jobs(JobQuery())}
    until(lambda: job.job_id not in {each.job_id for each in bench.store.jobs(JobQuery())})


def test_limits_that_make_no_sense_keep_no_agent_from_its_work(bench: Bench) -> None:
    bench.store.set_setting("keep_jobs", "a few")
    assert bench.run(programs.give, value=1).status == "DONE"
    assert "keep_jobs" in until(bench.agent_log)

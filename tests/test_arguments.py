"""What a public function is given wrongly is told by the argument's name, before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qiskit.primitives import StatevectorSampler

import jobdeck
from decks import close_all
from jobdeck import Deck, InvalidInputError, JobExecutor, JobManager, ManagedJob, RuntimeOptions
from jobdeck._records import JobQuery, NewGroup, NewJob
from programs import nothing

MANY = "is a list of"
SECONDS = "is a number of seconds"
TEXT = "is a text or None"
WHOLE = "is a whole number of at least 0"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A deck with a job and a group, neither of which runs, and an executor without calls."""
    home = tmp_path_factory.mktemp("arguments") / "home"
    with Deck(home) as deck, JobExecutor(home=home) as executor:
        group = deck.store.add_group(NewGroup("set", "set", total=1, metadata={"counts": [1]}))
        deck.store.add_jobs([NewJob("part", "none", b"p", b"i", b"{}", group_id=group.group_id, place=0)])
        job_set = JobManager(deck).retrieve_job_set(group.group_id)
        yield SimpleNamespace(
            home=home,
            deck=deck,
            executor=executor,
            job=deck.prepare(nothing),
            group=deck.group(group.group_id),
            set=job_set,
        )
    close_all()


def on_dask(at: Any, **options: Any) -> object:
    """Run something on a Dask cluster that is not asked, as the options are wrong."""
    return at.deck.run(nothing, engine="dask://127.0.0.1:1", options={"dask": options})


CALLS: dict[str, tuple[Callable[[Any], object], str]] = {
    "Deck(5)": (lambda at: Deck(5), "home is the path of a folder"),
    "Deck(b'x')": (lambda at: Deck(b"x"), "home is the path of a folder"),
    "Deck(max_workers='two')": (lambda at: Deck(at.home, max_workers="two"), "max_workers is a whole number"),
    "run(callback=5)": (lambda at: at.deck.run(nothing, callback=5), "callback is called with (job_id, message)"),
    "run(result_decoder=5)": (lambda at: at.deck.run(nothing, result_decoder=5), "result_decoder is a class"),
    "run(tags=5)": (lambda at: at.deck.run(nothing, tags=5), f"tags {MANY} texts, not 5"),
    "run(timeout='x')": (lambda at: at.deck.run(nothing, timeout="x"), "timeout is a number of seconds above 0"),
    "run(options={'dask': {'resources': {'GPU': -1}}})": (
        lambda at: on_dask(at, resources={"GPU": -1}),
        "the option 'resources' for Dask is a dict of numbers of at least 0",
    ),
    "run(options={'dask': {'priority': inf}})": (
        lambda at: on_dask(at, priority=float("inf")),
        "options is a dict of what JSON can hold",
    ),
    "run(options={'dask': {'allow_other_workers': True}})": (
        lambda at: on_dask(at, allow_other_workers=True),
        "'allow_other_workers' for Dask goes with 'workers'",
    ),
    "map(tags=5)": (lambda at: at.deck.map(nothing, [1], tags=5), f"tags {MANY} texts"),
    "watch(tags=5)": (lambda at: at.deck.watch(Future(), tags=5), f"tags {MANY} texts"),
    "watching(5)": (lambda at: at.deck.watching(5), f"name {TEXT}, not 5"),
    "watching(tags=5)": (lambda at: at.deck.watching(tags=5), f"tags {MANY} texts"),
    "watch_qiskit(5)": (lambda at: jobdeck.watch_qiskit(5), "deck is a Deck or None, not 5"),
    "watch_qiskit(tags=5)": (lambda at: jobdeck.watch_qiskit(at.deck, tags=5), f"tags {MANY} texts"),
    "unwatch_qiskit('x')": (lambda at: jobdeck.unwatch_qiskit("x"), f"timeout {SECONDS}"),
    "job(5)": (lambda at: at.deck.job(5), "a job id is a text"),
    "delete_job(5)": (lambda at: at.deck.delete_job(5), "a job id is a text"),
    "retry_job(None)": (lambda at: at.deck.retry_job(None), "a job id is a text"),
    "jobs(limit='x')": (lambda at: at.deck.jobs(limit="x"), f"limit {WHOLE}, not 'x'"),
    "jobs(limit=True)": (lambda at: at.deck.jobs(limit=True), f"limit {WHOLE}, not True"),
    "jobs(skip=1.5)": (lambda at: at.deck.jobs(skip=1.5), f"skip {WHOLE}, not 1.5"),
    "jobs(name=5)": (lambda at: at.deck.jobs(name=5), f"name {TEXT}, not 5"),
    "jobs(program_id=5)": (lambda at: at.deck.jobs(program_id=5), f"program_id {TEXT}"),
    "jobs(tags=5)": (lambda at: at.deck.jobs(tags=5), f"tags {MANY} texts"),
    "jobs(query=5)": (lambda at: at.deck.jobs(query=5), "a query is a text"),
    "cancel_jobs(5)": (lambda at: at.deck.cancel_jobs(5), f"jobs {MANY} jobs or their ids, or a query"),
    "retry_jobs(None)": (lambda at: at.deck.retry_jobs(None), f"jobs {MANY} jobs or their ids, or a query, not None"),
    "delete_jobs(5)": (lambda at: at.deck.delete_jobs(5), f"jobs {MANY} jobs"),
    "tag_jobs(add=5)": (lambda at: at.deck.tag_jobs("all", add=5), f"add {MANY} texts"),
    "tag_jobs(remove=5)": (lambda at: at.deck.tag_jobs("all", remove=5), f"remove {MANY} texts"),
    "prune(keep='x')": (lambda at: at.deck.prune(keep="x", dry_run=True), f"keep {WHOLE}"),
    "prune('x')": (lambda at: at.deck.prune("x", dry_run=True), "older_than is a timedelta"),
    "groups(limit='x')": (lambda at: at.deck.groups(limit="x"), f"limit {WHOLE}"),
    "groups(skip=-1)": (lambda at: at.deck.groups(skip=-1), f"skip {WHOLE}, not -1"),
    "groups(kind=5)": (lambda at: at.deck.groups(kind=5), f"kind {TEXT}"),
    "groups(name=[])": (lambda at: at.deck.groups(name=[]), f"name {TEXT}, not a list"),
    "groups(tags=5)": (lambda at: at.deck.groups(tags=5), f"tags {MANY} texts"),
    "programs(limit='x')": (lambda at: at.deck.programs(limit="x"), f"limit {WHOLE}"),
    "pprint_programs(skip='x')": (lambda at: at.deck.pprint_programs(skip="x"), f"skip {WHOLE}"),
    "backends(5)": (lambda at: at.deck.backends(5), f"name {TEXT}"),
    "Job.result('a')": (
        lambda at: at.job.result("a"),
        f"timeout {SECONDS}, or None to wait for as long as it takes, not 'a'",
    ),
    "Job.result(nan)": (lambda at: at.job.result(float("nan")), f"timeout {SECONDS}"),
    "Job.result(wait='a')": (lambda at: at.job.result(wait="a"), f"wait {SECONDS}, not 'a'"),
    "Job.result(wait=None)": (lambda at: at.job.result(wait=None), f"wait {SECONDS}, not None"),
    "Job.result(decoder=5)": (lambda at: at.job.result(decoder=5), "decoder is a class such as ResultDecoder, not 5"),
    "Job.wait('x')": (lambda at: at.job.wait_for_final_state(timeout="x"), f"timeout {SECONDS}"),
    "Job.wait(wait=[])": (lambda at: at.job.wait_for_final_state(wait=[]), f"wait {SECONDS}, not a list"),
    "Job.wait(callback=5)": (
        lambda at: at.job.wait_for_final_state(callback=5),
        "callback is called with (job_id, status, job)",
    ),
    "Job.interim_results(start='x')": (lambda at: at.job.interim_results(start="x"), f"start {WHOLE}"),
    "Job.interim_results(decoder=5)": (lambda at: at.job.interim_results(decoder=5), "decoder is a class"),
    "Job.messages(start=1.5)": (lambda at: at.job.messages(start=1.5), f"start {WHOLE}"),
    "Job.messages(decoder=5)": (lambda at: at.job.messages(decoder=5), "decoder is a class"),
    "Job.stream_results(5)": (lambda at: at.job.stream_results(5), "callback is called with (job_id, message)"),
    "Job.stream_results(decoder=5)": (lambda at: at.job.stream_results(print, decoder=5), "decoder is a class"),
    "Job.update_tags(5)": (lambda at: at.job.update_tags(5), f"replacement_tags {MANY} texts"),
    "Job.update_tags(additional=5)": (
        lambda at: at.job.update_tags(additional_tags=5),
        f"additional_tags {MANY} texts",
    ),
    "Job.update_tags(removal=5)": (lambda at: at.job.update_tags(removal_tags=5), f"removal_tags {MANY} texts"),
    "JobGroup.wait('x')": (lambda at: at.group.wait("x"), f"timeout {SECONDS}"),
    "JobGroup.results('x')": (lambda at: at.group.results("x"), f"timeout {SECONDS}"),
    "JobGroup.results(decoder=5)": (lambda at: at.group.results(0, decoder=5), "decoder is a class"),
    "JobGroup.update_tags(5)": (lambda at: at.group.update_tags(5), f"replacement_tags {MANY} texts"),
    "JobExecutor(home=5)": (lambda at: JobExecutor(home=5), "home is the path of a folder"),
    "JobExecutor(name=5)": (lambda at: JobExecutor(name=5, home=at.home), f"name {TEXT}"),
    "JobExecutor(tags=5)": (lambda at: JobExecutor(tags=5, home=at.home), f"tags {MANY} texts"),
    "JobExecutor(initargs=5)": (
        lambda at: JobExecutor(initializer=print, initargs=5, home=at.home),
        f"initargs {MANY} arguments",
    ),
    "JobExecutor.submit(5)": (lambda at: at.executor.submit(5), "submit() takes what can be called"),
    "JobExecutor.map(5)": (lambda at: at.executor.map(5, [1]), "map() calls its first argument"),
    "JobExecutor.map(timeout='x')": (lambda at: at.executor.map(nothing, [1], timeout="x"), f"timeout {SECONDS}"),
    "JobExecutor.map(chunksize='x')": (lambda at: at.executor.map(nothing, [1], chunksize="x"), f"chunksize {WHOLE}"),
    "JobExecutor.map(chunksize=0)": (
        lambda at: at.executor.map(nothing, [1], chunksize=0),
        "chunksize is a whole number above 0",
    ),
    "JobExecutor.map(buffersize='x')": (
        lambda at: at.executor.map(nothing, [1], buffersize="x"),
        f"buffersize {WHOLE}",
    ),
    "JobManager(5)": (lambda at: JobManager(5), "deck is a Deck or None, not 5"),
    "JobManager.run(job_tags=5)": (
        lambda at: JobManager(at.deck).run([1], nothing, job_tags=5),
        f"job_tags {MANY} texts",
    ),
    "JobManager.job_sets(5)": (lambda at: JobManager(at.deck).job_sets(5), f"name {TEXT}"),
    "ManagedJobSet.wait('x')": (lambda at: at.set.wait("x"), f"timeout {SECONDS}"),
    "ManagedJobSet.results('x')": (lambda at: at.set.results("x"), f"timeout {SECONDS}"),
    "ManagedJob('x', 1)": (lambda at: ManagedJob("x", 1), f"start_index {WHOLE}"),
    "ManagedJob(0, None)": (lambda at: ManagedJob(0, None), f"experiments_count {WHOLE}"),
    "ManagedJob.result('x')": (lambda at: ManagedJob(0, 1).result("x"), f"timeout {SECONDS}"),
    "RuntimeOptions(job_tags=5)": (lambda at: RuntimeOptions(job_tags=5).validate(), f"job_tags {MANY} texts"),
    "UserMessenger.publish(encoder=5)": (
        lambda at: jobdeck.current_messenger().publish(1, encoder=5),
        "encoder is a class",
    ),
    "qiskit.Sampler(deck=5)": (lambda at: jobdeck.qiskit.Sampler(StatevectorSampler(), 5), "deck is a Deck or None"),
    "qiskit.Sampler(tags=5)": (
        lambda at: jobdeck.qiskit.Sampler(StatevectorSampler(), at.deck, tags=5),
        f"tags {MANY} texts",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_given_wrongly_is_told_by_its_name(here: SimpleNamespace, name: str):
    call, words = CALLS[name]
    jobs, groups = (len(found) for found in (here.deck.store.jobs(JobQuery()), here.deck.groups()))
    with pytest.raises(InvalidInputError) as caught:
        call(here)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(here.deck.store.jobs(JobQuery())) == jobs
    assert len(here.deck.groups()) == groups


def test_numbers_of_numpys_are_numbers(here: SimpleNamespace):
    assert len(here.deck.jobs(limit=np.int64(1))) == 1
    with pytest.raises(jobdeck.JobTimeoutError):
        here.job.result(timeout=np.float32(0), wait=np.int64(1))


def test_a_path_of_a_home_is_a_text_or_a_path(here: SimpleNamespace):
    for home in (here.home, str(here.home)):
        with Deck(home) as deck:
            assert deck.home == Path(here.home)


def test_a_long_text_is_cut_where_it_is_named(here: SimpleNamespace):
    with pytest.raises(InvalidInputError) as caught:
        here.job.result(timeout="x" * 10_000)
    assert len(str(caught.value)) < 200

"""What each look at a full store and each write into it costs, with the code that the product runs."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobdeck._feed._readings import First, News, Page
from jobdeck._follow.lookout import Interest, Lookout
from jobdeck._ports import Store
from jobdeck._query import parse, resolve
from jobdeck._records import JobQuery
from jobdeck._records import News as AgentNews
from jobdeck._status import Exit, JobStatus
from jobdeck.store import open_store

from .filling import AGENT, ENGINE, Filled, new_job, outcome_of

_NEW = "added"
_FIRST_MESSAGE = 2


@dataclass(frozen=True)
class Cost:
    """What something costs a call: processor time of this thread and time on the clock, in milliseconds, medians."""

    what: str
    cpu: float
    clock: float


def costs_of_looking(store: Store, filled: Filled, rounds: int) -> Iterator[Cost]:
    """What readers do: watchers at each change, views, people, agents that begin."""
    newest = store.change_number()
    oldest = store.jobs(JobQuery(limit=1, descending=False))[0]
    some = filled.running[len(filled.running) // 2]
    looks: list[tuple[str, Callable[[], object]]] = [
        ("watcher: data_version, nothing changed", store.data_version),
        ("watcher: what changed, one job", lambda: store.changes(newest - 1)),
        ("watcher of all jobs: its first look", lambda: Lookout(store).look([Interest(None, None, True)])),
        ("deck: first frame, 60 rows", lambda: First.read(store)),
        ("deck: a page of 1,000 old rows", lambda: Page.read(store, filled.jobs // 2)),
        ("deck: a frame with one change", lambda: (News.read(store, newest - 1, (), ()), store.tally())),
        ("deck: counts of all jobs", store.tally),
        ("group of half of the jobs: counts", lambda: store.tally(filled.large_group)),
        ("group of half of the jobs: its members", lambda: store.members(filled.large_group)),
        ("group of half of the jobs: first frame", lambda: First.read(store, filled.large_group)),
        ("one job by its id", lambda: store.job(some)),
        ("one job by the end of its id", lambda: resolve(store, some[-8:])),
        ("newest 50 jobs", lambda: store.jobs(JobQuery(limit=50))),
        ("newest 50 of one status", lambda: store.jobs(JobQuery(limit=50, status=("ERROR",)))),
        ("newest 50 of two statuses", lambda: store.jobs(JobQuery(limit=50, status=("ERROR", "DONE")))),
        ("newest 50 of one tag", lambda: store.jobs(JobQuery(limit=50, tags=("batch-7",)))),
        ("50 of a name that none has", lambda: store.jobs(JobQuery(limit=50, name="nobody"))),
        ("50 of a group", lambda: store.jobs(JobQuery(limit=50, group_id=filled.large_group))),
        ("50 of the oldest day", lambda: store.jobs(JobQuery(limit=50, created_before=oldest.created))),
        ("query: energy<-1e9 (matches none)", lambda: parse("energy<-1e9").find(store, 50)),
        ("place in line of the first", lambda: store.queue_place(filled.queued[0])),
        ("place in line of the last", lambda: store.queue_place(filled.queued[-1])),
        ("agent: commands, there are none", lambda: store.commands(ENGINE, AGENT)),
        ("agent that begins: inherit its jobs", lambda: store.inherit_jobs(ENGINE, AGENT)),
        ("who starts agents: busy engines", store.busy_engines),
        ("bridge: jobs that nobody watches", store.unwatched),
        ("prune: what would go (dry run)", lambda: store.prune(None, filled.jobs // 2, dry_run=True)),
        ("doctor", store.describe),
    ]
    for what, look in looks:
        yield _cost(what, look, rounds)


def costs_of_writing(store: Store, filled: Filled, rounds: int) -> Iterator[Cost]:
    """What submitters, programs, agents and people do: each is one transaction."""
    running = iter(filled.running)
    waiting = iter(filled.queued[::-1])
    talker = filled.running[-1]
    many = [new_job(filled.jobs + number) for number in range(1_000)]

    def turn() -> None:
        ids = [next(running) for _ in range(8)]
        ends = {job_id: Exit(code=0) for job_id in ids}
        store.turn(ENGINE, AGENT, 8, AgentNews(outcomes={each: outcome_of(1) for each in ids}, ends=ends))

    def end_one() -> None:
        job_id = next(running)
        store.set_outcome(job_id, outcome_of(1))
        store.finish({job_id: Exit(code=0)})

    writes: list[tuple[str, Callable[[], object], int]] = [
        ("message", lambda: store.add_message(talker, '{"iteration": 2, "energy": -1.137}'), 200),
        ("progress", lambda: store.set_progress(talker, 3, 10, None), 100),
        ("one new job", lambda: store.add_job(new_job(0)), 20),
        ("1,000 new jobs at once", lambda: store.add_jobs(many), 1),
        ("8 ended, 8 claimed (local agent's turn)", turn, 2),
        ("one outcome and end (Dask agent)", end_one, 4),
        ("claim 8", lambda: store.claim(ENGINE, AGENT, 8, JobStatus.VALIDATING), 4),
        ("cancel one that waits", lambda: store.ask(next(waiting), "cancel", "benchmark"), 4),
        ("delete one that waits", lambda: store.delete_job(next(waiting)), 4),
    ]
    for what, write, times in writes:
        yield _cost(what, write, max(3, min(rounds * times, len(filled.running) // 40)))


def cost_of_opening(home: Path, rounds: int) -> Cost:
    """What it costs to open the store as the first one, with the look for damage."""
    return _cost("open the store, first of all", lambda: open_store(home).close(), rounds)


def prune(store: Store, remove: int) -> tuple[int, float, float]:
    """Remove about so many of the oldest jobs: how many went, and processor and clock time a job in milliseconds."""
    ended = store.count(JobQuery(status=("DONE", "ERROR", "CANCELLED")))
    cpu, clock = time.thread_time(), time.perf_counter()
    gone = store.prune(None, max(0, ended - remove)).jobs
    each = 1000 / max(gone, 1)
    return gone, (time.thread_time() - cpu) * each, (time.perf_counter() - clock) * each


def log_growth(store: Store, filled: Filled, messages: int) -> tuple[float, float]:
    """Return bytes of write-ahead log a message while a reader never lets go, and after the next one without it.

    The reader is one transaction that stays open, as of a program that was stopped in a debugger while it read.
    """
    import sqlite3

    talker = filled.running[-1]
    log = store.home / "jobdeck.db-wal"
    reader = sqlite3.connect(store.home / "jobdeck.db", isolation_level=None)
    try:
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM counter").fetchall()
        for number in range(messages):
            store.add_message(talker, f'{{"iteration": {number}, "energy": -1.137}}')
        held = log.stat().st_size
    finally:
        reader.close()
    for number in range(messages):
        store.add_message(talker, f'{{"iteration": {number}, "energy": -1.137}}')
    return held / messages, log.stat().st_size / messages


def size_of(store: Store, jobs: int) -> dict[str, float]:
    """Bytes a job: of the database with its log, of a row as it travels to a view, of that row as JSON objects here."""
    files = (store.home / name for name in ("jobdeck.db", "jobdeck.db-wal"))
    page = Page.read(store, jobs // 2, 1_000)
    row = sum(len(json.dumps(each, separators=(",", ":"))) for each in page.rows) / max(1, len(page.rows))
    return {"store": sum(path.stat().st_size for path in files if path.exists()) / jobs, "row": row}


def _cost(what: str, call: Callable[[], object], rounds: int) -> Cost:
    call()
    cpus, clocks = [], []
    for _ in range(rounds):
        cpu, clock = time.thread_time(), time.perf_counter()
        call()
        cpus.append(time.thread_time() - cpu)
        clocks.append(time.perf_counter() - clock)
    return Cost(what, statistics.median(cpus) * 1000, statistics.median(clocks) * 1000)

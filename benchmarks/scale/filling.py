"""Fills a store through its own methods, in bulk, with what years of sweeps on a cluster would leave in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobdeck._ports import Store
from jobdeck._records import JobRecord, NewGroup, NewJob, News, Outcome
from jobdeck._status import Exit

ENGINE = "dask://10.0.0.1:8786"
AGENT = "simulated"
_AT_ONCE = 2_000
_SMALL_GROUP = 100
_CONTEXT = b'{"interpreter": "/usr/bin/python3", "cwd": "/home/user", "sys_path": [], "env": {}, "sources": {}}'
_PROGRAM = b"\x80\x05" + b"p" * 2_000


@dataclass(frozen=True)
class Filled:
    """What a store was filled with.

    Attributes
    ----------
    jobs, messages
        How many there are.
    large_group
        A group that holds half of the jobs.
    running, queued
        Ids of some jobs that run, and of all that wait, in their order.
    """

    jobs: int
    messages: int
    large_group: str
    running: tuple[str, ...]
    queued: tuple[str, ...]


def fill(store: Store, count: int, *, most_running: int = 10_000) -> Filled:
    """Add `count` jobs: a tenth waits, a twentieth runs (`most_running` at most), the others have ended.

    Half of them are one group, the others are in groups of a hundred. Each has a message and inputs of its own, each
    that ended a result or, one in forty, an error.
    """
    large = store.add_group(NewGroup(kind="sweep", name="large", total=count // 2)).group_id
    running_count = min(max(count // 20, 1), most_running)
    ending_count = count - count // 10 - running_count
    messages, ended = 0, 0
    queued: list[str] = []
    running: list[str] = []
    for first in range(0, count, _AT_ONCE):
        added = store.add_jobs(list(_new_jobs(store, range(first, min(count, first + _AT_ONCE)), large, count // 2)))
        begun = added[: max(0, ending_count + running_count - ended - len(running))]
        ending = begun[: max(0, ending_count - ended)]
        queued += [record.job_id for record in added[len(begun) :]]
        running += [record.job_id for record in begun[len(ending) :]]
        store.claim(ENGINE, AGENT, len(begun))
        for record in begun:
            store.add_message(record.job_id, f'{{"iteration": 1, "energy": {-record.number / count:.6f}}}')
        _end(store, ending)
        messages += len(begun)
        ended += len(ending)
    return Filled(count, messages, large, tuple(running), tuple(queued))


def new_job(number: int, group_id: str | None = None) -> NewJob:
    """One job of a sweep."""
    return NewJob(
        name=f"scan-{number:07d}",
        engine=ENGINE,
        program=_PROGRAM,
        inputs=b"\x80\x05" + f"bond_length={number / 1e6:.6f}".encode() * 4,
        context=_CONTEXT,
        tags=("sweep", f"batch-{number % 50}"),
        inputs_preview={"bond_length": f"{number / 1e6:.6f}", "ansatz": "'uccsd'"},
        group_id=group_id,
    )


def outcome_of(number: int) -> Outcome:
    """What a job of a sweep leaves."""
    if number % 40:
        energy = f"{-number / 1e6:.6f}"
        return Outcome(ok=True, encoding="json", body=energy.encode(), preview=energy)
    return Outcome(ok=False, exception_type="ValueError", exception_text="bond length must be positive", traceback="")


def _new_jobs(store: Store, numbers: Sequence[int], large: str, large_count: int) -> Iterator[NewJob]:
    group_id = large
    for number in numbers:
        is_alone = number >= large_count
        if is_alone and (number == numbers[0] or (number - large_count) % _SMALL_GROUP == 0):
            group_id = store.add_group(NewGroup(kind="sweep", name=f"small-{number}", total=_SMALL_GROUP)).group_id
        yield new_job(number, group_id)


def _end(store: Store, ending: Sequence[JobRecord]) -> None:
    outcomes = {record.job_id: outcome_of(record.number) for record in ending}
    ends = {record.job_id: Exit(code=0, peak_memory=90_000_000, cpu_time=1.5) for record in ending}
    store.turn(ENGINE, AGENT, 0, News(outcomes=outcomes, ends=ends))

"""Fills a store with jobs that have ended, as many months of work leave it."""

from __future__ import annotations

from pathlib import Path

from jobdeck._records import NewJob, News, Outcome
from jobdeck._status import Exit
from jobdeck.store import open_store

_AT_ONCE = 500


def fill(home: Path, count: int) -> None:
    """Add `count` jobs: one in forty has failed, each has inputs, three interim results and a result."""
    store = open_store(home)
    try:
        for first in range(0, count, _AT_ONCE):
            numbers = range(first, min(count, first + _AT_ONCE))
            ids = [store.add_job(_job(number)).job_id for number in numbers]
            store.claim("local", "benchmark", len(ids))
            for number, job_id in zip(numbers, ids, strict=True):
                for step in range(3):
                    store.add_message(job_id, f'{{"iteration": {step}, "energy": {-1 - number / count:.6f}}}')
            outcomes = {job_id: _outcome(number, count) for number, job_id in zip(numbers, ids, strict=True)}
            ends = {job_id: Exit(code=0, peak_memory=90_000_000, cpu_time=1.5) for job_id in ids}
            store.turn("local", "benchmark", 0, News(outcomes=outcomes, ends=ends))
    finally:
        store.close()


def _job(number: int) -> NewJob:
    return NewJob(
        name=f"scan-{number:05d}",
        engine="local",
        program=b"",
        inputs=b"",
        context=b"{}",
        tags=("sweep", f"batch-{number // 100}"),
        inputs_preview={"bond_length": f"{0.3 + number / 10_000:.4f}", "ansatz": "'uccsd'"},
    )


def _outcome(number: int, count: int) -> Outcome:
    if number % 40:
        energy = f"{-1 - number / count:.6f}"
        return Outcome(ok=True, encoding="json", body=energy.encode(), preview=energy)
    return Outcome(ok=False, exception_type="ValueError", exception_text="bond length must be positive", traceback="")

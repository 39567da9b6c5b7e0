"""A process that works on a store for a test: ``worker.py HOME WHAT ARGUMENT…``; begins when it is told to."""

from __future__ import annotations

import sys
from pathlib import Path

from jobdeck._records import NewJob, Outcome
from jobdeck._status import Exit
from jobdeck.store import SQLiteStore, open_store

LARGE = 1_200_000


def publish(store: SQLiteStore, job_id: str, name: str, count: str) -> None:
    """Publish so many messages, and tell the number of each once the store has taken it."""
    for number in range(int(count)):
        body = f'"{name} {number}"'
        print(store.add_message(job_id, body), body, flush=True)


def publish_large(store: SQLiteStore, job_id: str, name: str, count: str) -> None:
    """Publish messages that are too large for the database."""
    for number in range(int(count)):
        seq = store.add_message(job_id, f'"{name} {number} {"x" * LARGE}"')
        print(seq, f"{name} {number}", flush=True)


def add_jobs(store: SQLiteStore, name: str, count: str) -> None:
    """Add jobs, start them, end them, and tell the id of each."""
    for number in range(int(count)):
        job = store.add_job(NewJob(f"{name} {number}", name, b"p", b"i" * number, b"c"))
        store.claim(name, name, 1)
        store.set_outcome(job.job_id, Outcome(True, "json", b"1", "1"))
        store.finish({job.job_id: Exit(code=0)})
        print(job.job_id, flush=True)


def claim_all(store: SQLiteStore, agent: str) -> None:
    """Claim until nothing is left, a few at a time, and tell the ids."""
    while jobs := store.claim("local", agent, 3):
        for job in jobs:
            print(job.job_id, job.agent, flush=True)


def main() -> None:
    home, what, *arguments = sys.argv[1:]
    store = open_store(Path(home))
    print("ready", flush=True)
    sys.stdin.readline()
    globals()[what](store, *arguments)
    store.close()


if __name__ == "__main__":
    main()

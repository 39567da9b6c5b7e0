"""Every implementation of the store's port: the contract's tests run over each of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobdeck._ports import Store
from jobdeck._records import JobRecord, NewJob
from jobdeck.store import SQLiteStore, StoreWarning


def _wal(home: Path) -> SQLiteStore:
    return SQLiteStore(home, file_system=lambda path: "ext4")


def _rollback_journal(home: Path) -> SQLiteStore:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        return SQLiteStore(home, file_system=lambda path: "nfs4")


IMPLEMENTATIONS = {"sqlite-wal": _wal, "sqlite-rollback-journal": _rollback_journal}


@pytest.fixture(params=IMPLEMENTATIONS)
def connect(request: pytest.FixtureRequest) -> Callable[[Path], SQLiteStore]:
    """Opens the store of a home."""
    return IMPLEMENTATIONS[request.param]


@pytest.fixture
def any_store(connect: Callable[[Path], SQLiteStore], home: Path) -> Iterator[Store]:
    """An open store of each implementation."""
    opened: Store = connect(home)
    yield opened
    opened.close()


def new_job(**fields: object) -> NewJob:
    """A job that is like any other but for `fields`."""
    like_any: dict[str, object] = {
        "name": "vqe",
        "engine": "local",
        "program": b"a program",
        "inputs": b"its inputs",
        "context": b"{}",
    }
    return NewJob(**{**like_any, **fields})  # type: ignore[arg-type]


def running(store: Store, agent: str = "agent-1", **fields: object) -> JobRecord:
    """A job that `agent` has just claimed."""
    added = store.add_job(new_job(**fields))
    (claimed,) = [job for job in store.claim(added.engine, agent, 1000) if job.job_id == added.job_id]
    return claimed

"""What every test may need: a home of its own, its store, and waiting for something with a deadline."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from jobdeck.store import SQLiteStore, open_store

T = TypeVar("T")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell begins what it runs in the background; tests interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that does not exist yet; ``JOBDECK_HOME`` names it."""
    path = tmp_path / "home"
    monkeypatch.setenv("JOBDECK_HOME", str(path))
    return path


@pytest.fixture
def store(home: Path) -> Iterator[SQLiteStore]:
    """An open store in `home`."""
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def until() -> Callable[..., object]:
    """``until(look, timeout=10.0)`` calls `look` until what it returns is true, and returns that."""

    def wait(look: Callable[[], T], timeout: float = 10.0) -> T:
        deadline = time.monotonic() + timeout
        while True:
            seen = look()
            if seen:
                return seen
            if time.monotonic() > deadline:
                pytest.fail(f"still {seen!r} after {timeout:g} s")
            time.sleep(0.005)

    return wait

"""A home of their own for the jobs of the notebooks; whatever runs there is gone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobdeck.engines.lock import AgentLock


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A new home; the agent that was started in it ends with the test."""
    folder = tmp_path / "home"
    yield folder
    lock = AgentLock(folder, "local")
    holder = lock.holder()
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)
    assert lock.holder() is None

"""A home of their own for the jobs of the notebooks; whatever runs there is gone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from decks import stop_agent


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A new home; the agent that was started in it ends with the test."""
    folder = tmp_path / "home"
    yield folder
    stop_agent(folder)

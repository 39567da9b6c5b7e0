"""A deck of its own for each test that watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdeck import Deck


@pytest.fixture
def deck(home: Path) -> Iterator[Deck]:
    """A deck in `home`."""
    with Deck(home) as opened:
        yield opened

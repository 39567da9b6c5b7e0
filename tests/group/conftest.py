"""A deck that the tests of a module share, on a home of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from decks import close_all, deck, gate, no_thread_left, stop_agent
from jobdeck import Deck

__all__ = ["deck", "gate"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A deck whose jobs the tests of this module leave to themselves once they have ended."""
    with no_thread_left():
        opened = Deck(tmp_path_factory.mktemp("home"), max_workers=4)
        yield opened
        home = opened.home
        opened.close()
        close_all()
        stop_agent(home)

"""The contract of engines over those of this machine: a process for each job, and threads of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from decks import close_all, no_thread_left, stop_agent
from jobdeck import Deck

from .contract import PROCESSES, THREADS, Engine, EngineContract, behind_another, closed


@pytest.fixture(scope="module", params=[("local", PROCESSES), ("threads", THREADS)], ids=["local", "threads"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    name, traits = request.param
    folder = tmp_path_factory.mktemp(name)
    with no_thread_left():
        deck = Deck(folder / "home", engine=name, max_workers=4)
        yield Engine(name, traits, deck, partial(behind_another, deck, folder))
        closed(deck)
        close_all()
        stop_agent(folder / "home")


class TestEngine(EngineContract):
    """Of this machine."""

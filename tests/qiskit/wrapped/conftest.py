"""One deck for all of these tests: each of its jobs has a process of its own anyhow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from decks import stop_agent
from jobdeck import Deck, RuntimeInvalidStateError


@pytest.fixture(scope="session")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    home = tmp_path_factory.mktemp("wrapped") / "home"
    opened = Deck(home)
    yield opened
    for job in opened.jobs(status=["QUEUED", "RUNNING"]):
        with suppress(RuntimeInvalidStateError):
            job.cancel()
        job.wait_for_final_state(10)
    opened.close()
    stop_agent(home)

"""The contract of engines over Dask: jobs on a cluster's workers do what those on one's own machine do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from decks import close_all
from engine.contract import PROCESSES, Engine, EngineContract, closed, until
from jobdeck import Deck, Job, JobStatus

from .conftest import Cluster, agent_pid, end

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def engine(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    deck = Deck(tmp_path_factory.mktemp("dask") / "home", engine=cluster.engine)

    @contextmanager
    def waiting(program: Callable[..., Any]) -> Iterator[Job[Any]]:
        """Run a program that asks for more than any worker has."""
        job = deck.run(program, options={"dask": {"resources": {"QPU": 5}}})
        until(lambda: job.status() == JobStatus.VALIDATING)
        yield job

    yield Engine(cluster.engine, PROCESSES, deck, waiting)
    closed(deck)
    close_all()
    if (pid := agent_pid(deck.home, cluster.engine)) is not None:
        end(pid)


class TestEngine(EngineContract):
    """On workers of a cluster."""

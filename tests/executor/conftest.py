from __future__ import annotations

import os
import signal

import pytest

from jobdeck.engines.lock import AgentLock


def end_agent(home):
    """End the agent that ran a home's jobs."""
    holder = AgentLock(home, "local").holder()
    if holder is not None:
        os.kill(holder.pid, signal.SIGTERM)


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    end_agent(tmp_path / "home")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """One home for the tests of a module."""
    folder = tmp_path_factory.mktemp("shared") / "home"
    yield folder
    end_agent(folder)

from __future__ import annotations

import os

import pytest

from jobdeck.engines.lock import AgentLock


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    holder = AgentLock(tmp_path / "home", "local").holder()
    if holder is not None:
        os.kill(holder.pid, 15)

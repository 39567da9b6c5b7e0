"""Who waits for news of jobs is rung for when there are some."""

from __future__ import annotations

import select
from pathlib import Path

from jobdeck.engines.bell import ENDS, NEWS, Bell

from . import programs
from .conftest import Bench


def test_a_job_rings_for_what_it_says_and_its_agent_for_its_end(bench: Bench, tmp_path: Path) -> None:
    bench.ensure_agent()
    news, ends = Bell(bench.home, NEWS), Bell(bench.home, ENDS)
    for fd in (news.fileno(), ends.fileno()):
        assert fd is not None
    job = bench.submit(programs.publish_numbers, acknowledged=str(tmp_path / "numbers"), pause=0.01)
    assert select.select([news.fileno()], [], [], 15)[0]
    assert not select.select([ends.fileno()], [], [], 0)[0]
    assert bench.store.messages(job.job_id)[0].body == "0"
    bench.store.ask(job.job_id, "kill", "test")
    assert select.select([ends.fileno()], [], [], 15)[0]
    assert bench.store.job(job.job_id).status == "CANCELLED"
    news.close()
    ends.close()

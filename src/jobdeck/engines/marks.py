"""The marks by which an agent's and a job's processes are known again."""

from __future__ import annotations

import os

JOB_VARIABLE = "JOBDECK_JOB_ID"
"""In the environment of all that a job starts: the job's id."""
AGENT_VARIABLE = "JOBDECK_AGENT"
"""In the first environment of an agent and of all that is forked from it: the agent's id."""


def process_name(job_id: str) -> str:
    """What a job's process calls itself: fifteen bytes that a fork inherits, where the environment does not change."""
    return f"jd-{job_id.rpartition('-')[2]}"[:15]


def agent_id(engine: str) -> str:
    """A new agent's name; it tells on which machine the agent is, and with it its jobs' processes."""
    import socket

    return f"{engine}@{socket.gethostname()}/{os.urandom(6).hex()}"


def process_lock(agent: str) -> str:
    """The name of the lock of a process whose jobs end with it, such as a watcher's, by its agent's name."""
    return f"{agent.partition('@')[0]}-{agent.rpartition('/')[2]}"


def is_agent_here(agent: str) -> bool:
    """Whether the agent of this name is, or was, on this machine."""
    import socket

    return f"@{socket.gethostname()}/" in agent

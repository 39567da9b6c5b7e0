"""Closing the jobs of an agent that died: whoever looks next does it, a kernel as well as a new agent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .._ports import ProcessReaper, Store
from .._records import JobQuery, JobRecord
from .._status import FINAL, Exit, JobStatus
from .lock import AgentLock
from .marks import is_agent_here, process_lock

_FINAL: Final = tuple(sorted(FINAL))
_ENDED: Final = "lost: the kernel that ran it has ended, and the job with it; run it again there"


def close_lost(store: Store, engine: str, reap: ProcessReaper | None = None) -> list[JobRecord]:
    """Close the jobs of this engine whose agent is gone, and kill what is left of their processes.

    Safe to call at any time, from any process, by several at once.

    Parameters
    ----------
    store
        The store; its home is where the agent's lock lies.
    engine
        The engine's name.
    reap
        Kills what is left; by default :func:`kill_processes`.

    Returns
    -------
    list of JobRecord
        The jobs as they are now: by their outcome where the program had left one, else in ERROR with kind "lost".
    """
    # Jobs first, then the lock: an agent that claimed one of these was alive when they were read, so that it is either
    # still the holder or really gone. The other way round, a new agent's first job would look lost.
    query = JobQuery(engine=engine, status=(JobStatus.RUNNING.value, JobStatus.VALIDATING.value))
    jobs = [job for job in store.jobs(query) if job.agent is not None]
    if not jobs:
        return []
    holder = AgentLock(store.home, engine).holder()
    if holder is not None and holder.agent is None:
        return []
    lost = [job for job in jobs if holder is None or job.agent != holder.agent]
    if not lost:
        return []
    (reap or kill_processes)(lost)
    return store.finish({job.job_id: Exit(lost=True) for job in lost})


def close_lost_processes(
    store: Store, engine: str, own: str | None = None, leaving: str | None = None
) -> list[JobRecord]:
    """Close the jobs of this engine that waited or ran in a process which is gone.

    Safe to call at any time, from any process, by several at once.

    Parameters
    ----------
    store
        The store; its home is where the processes' locks lie.
    engine
        The engine's name.
    own
        The agent of this process, which need not be looked at.
    leaving
        One that is about to go.
    """
    lost = []
    for agent in store.owners(engine):
        if agent == own:
            continue
        # A process has its lock before it has its first job, and no two have the same name: one that is free is dead.
        lock = AgentLock(store.home, process_lock(agent))
        if agent == leaving or not lock.is_taken():
            jobs = [job for job in store.jobs(JobQuery(engine=engine, without=_FINAL)) if job.agent == agent]
            lost += store.finish({job.job_id: Exit(lost=True, words=_ENDED) for job in jobs})
            lock.path.unlink(missing_ok=True)
    return lost


def close_unwatched(store: Store, own: str | None = None) -> list[JobRecord]:
    """Part watchers whose process is gone from their jobs: those that died with it are closed, and returned.

    Safe to call at any time, from any process, by several at once.

    Parameters
    ----------
    store
        The store; its home is where the watchers' locks lie.
    own
        The watcher of this process, which need not be looked at.
    """
    lost = []
    for agent in store.watchers():
        # A watcher has its lock before it has its first job, and no two have the same name: one that is free is dead.
        if agent != own and not (lock := AgentLock(store.home, process_lock(agent))).is_taken():
            lost += store.abandon_watched(agent)
            lock.path.unlink(missing_ok=True)
    return lost


def kill_processes(jobs: Iterable[JobRecord]) -> None:
    """Kill what is left of the processes of jobs whose agent died on this machine."""
    from . import processes

    left = []
    for job in jobs:
        if job.agent is not None and is_agent_here(job.agent):
            left += processes.left_of_job(job.job_id, job.agent, job.pid, job.pid_started)
    processes.kill_all(left)

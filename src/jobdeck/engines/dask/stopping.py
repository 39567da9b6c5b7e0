"""Stopping jobs that are with a scheduler: the worker that has one is asked, until it answers or is gone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from ..._errors import EngineError, JobNotFoundError
from ..._ports import Store
from ..._status import is_final
from .cluster import SILENCE, Cluster
from .intake import Ask, Away


class Stopping:
    """Has workers stop jobs, and notes what became of it.

    Parameters
    ----------
    store : Store
    engine : str
        Whose jobs they are.
    ask : Ask
    say
        Writes a line into the agent's log.
    """

    def __init__(self, store: Store, engine: str, ask: Ask, say: Callable[[str], None]) -> None:
        self._store = store
        self._engine = engine
        self._ask = ask
        self._say = say
        self._silent: dict[str, float] = {}

    def stop(self, cluster: Cluster, away: Away) -> None:
        """Have a job stopped as it is wished, or taken back where no worker has it."""
        worker = away.worker or cluster.worker_of(away.job_id)
        away.ask_again = None
        if worker is None:
            cluster.withdraw(away.job_id)
            away.withdrawn = time.monotonic()
            self.note(away.job_id, "taken back from the scheduler")
        elif self._tell(worker, away.job_id, kill=away.wish == "kill"):
            self.note(away.job_id, f"asked the worker at {worker}")
        else:
            away.ask_again = self._silent[worker]
            self.note(away.job_id, "its worker does not answer; it is asked again")

    def refuse_repetition(self, job_id: str, worker: str) -> None:
        """Stop a job that is over and begins again: its worker died before the scheduler had forgotten it."""
        try:
            record = self._store.job(job_id)
        except JobNotFoundError:
            return
        if is_final(record.status) and record.engine == self._engine:
            self._say(f"job {job_id} is over, and began again on {worker}: it is stopped there")
            self._tell(worker, job_id, kill=True)

    def note(self, job_id: str, words: str) -> None:
        """Tell whoever asked how far it is."""
        with contextlib.suppress(JobNotFoundError):
            self._store.note_cancel(job_id, "stopping", words)

    def _tell(self, worker: str, job_id: str, *, kill: bool) -> bool:
        now = time.monotonic()
        try:
            if self._silent.get(worker, 0.0) > now:
                # Each question to a host that is cut off would hold up the news of all others.
                raise EngineError(f"the worker {worker} did not answer a moment ago")
            self._ask(worker, "stop", job_id, kill)
            self._silent.pop(worker, None)
        except EngineError as error:
            # A worker that is gone ends the job by that.
            self._say(f"job {job_id} cannot be stopped just now: {error}")
            if self._silent.get(worker, 0.0) <= now:
                self._silent[worker] = time.monotonic() + SILENCE
            return False
        return True

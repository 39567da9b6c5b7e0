"""How jobs ended, until the store has it: all that is learned in a turn is one transaction."""

from __future__ import annotations

from ..._ports import Store
from ..._records import News, Outcome
from ..._status import Exit
from .intake import Away


class Endings:
    """The ends that are not written down yet.

    Parameters
    ----------
    store : Store
    engine, agent : str
        Whose jobs they are.
    """

    def __init__(self, store: Store, engine: str, agent: str) -> None:
        self._store = store
        self._engine = engine
        self._agent = agent
        self._outcomes: dict[str, Outcome] = {}
        self._ends: dict[str, Exit] = {}

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, job_id: str, end: Exit, outcome: Outcome | None = None) -> None:
        """Note how a job ended; the first word counts."""
        if self._ends.setdefault(job_id, end) is end and outcome is not None:
            self._outcomes[job_id] = outcome

    def write(self) -> list[tuple[str, Outcome | None]]:
        """Write them down, and return whose they were, with their outcomes.

        StoreError if it cannot be done now: they stay here.
        """
        if not self._ends:
            return []
        self._store.turn(self._engine, self._agent, 0, News({}, self._outcomes, self._ends))
        written = [(job_id, self._outcomes.get(job_id)) for job_id in self._ends]
        self._ends, self._outcomes = {}, {}
        return written


def lost(why: str) -> str:
    """Return what a job's end says of which nobody can tell how its program ended."""
    return f"lost: {why}; retry() runs it again"


def died(away: Away) -> str:
    """Return why a job's run is over that nobody has told the end of."""
    return f"the worker at {away.worker} died while it ran there"


def reason(error: BaseException | None, worker: str | None) -> str:
    """Return why a job is lost of which Dask has this to say."""
    name = type(error).__name__
    if name == "KilledWorker":
        return lost(f"the workers that ran it died, the last one at {worker}")
    return f"lost: Dask could not run it: {error or name}"

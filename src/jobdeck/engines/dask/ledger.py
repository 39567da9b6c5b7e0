"""How jobs began and ended, until the store has it: all that is learned in a turn is one transaction."""

from __future__ import annotations

from ..._ports import Store
from ..._records import News, Outcome
from ..._status import Exit


class Ledger:
    """What is not written down yet.

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
        self._begun: list[str] = []
        self._outcomes: dict[str, Outcome] = {}
        self._ends: dict[str, Exit] = {}

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def begin(self, job_id: str) -> None:
        """Note that a job is RUNNING."""
        self._begun.append(job_id)

    def add(self, job_id: str, end: Exit, outcome: Outcome | None = None) -> None:
        """Note how a job ended; the first word counts."""
        if self._ends.setdefault(job_id, end) is end and outcome is not None:
            self._outcomes[job_id] = outcome

    def write_begun(self) -> None:
        """Write down which jobs have begun, before anything else of them is. StoreError as with `write`."""
        self._tell(News(begun=self._begun))
        self._begun = []

    def write(self) -> list[tuple[str, Outcome | None]]:
        """Write everything down, and return whose ends they were, with their outcomes.

        StoreError if it cannot be done now: it stays here.
        """
        self._tell(News(begun=self._begun, outcomes=self._outcomes, ends=self._ends))
        written = [(job_id, self._outcomes.get(job_id)) for job_id in self._ends]
        self._begun, self._ends, self._outcomes = [], {}, {}
        return written

    def _tell(self, news: News) -> None:
        if news:
            self._store.turn(self._engine, self._agent, 0, news)

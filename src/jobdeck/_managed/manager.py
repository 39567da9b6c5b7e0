"""The job manager: splits experiments into jobs, and finds the sets that they make."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

from .._arguments import checked_text, shown
from .._backends import backend_named
from .._errors import InvalidInputError
from .._options import RunOptions, checked_tags
from .._programs import Programs
from .._toplevel import default_deck
from .jobset import ManagedJobSet, retrieve
from .plan import Plan
from .queueing import queue
from .report import details, summary
from .submission import runs_elsewhere, submit_all, unwrapped

if TYPE_CHECKING:
    from .._deck import Deck


class JobManager:
    """Runs many circuits, or a program with many inputs, as a set of jobs.

    Parameters
    ----------
    deck
        Where the jobs go; None means the deck of jobdeck's functions.
    engine
        What runs them; None means the deck's.
    timeout
        Seconds after which a job is stopped.
    """

    def __init__(self, deck: Deck | None = None, *, engine: str | None = None, timeout: float | None = None) -> None:
        from .._deck import Deck

        if deck is not None and not isinstance(deck, Deck):
            raise InvalidInputError(f"deck is a Deck or None, not {shown(deck)}")
        self._given_deck = deck
        self._engine = engine
        self._timeout = timeout
        self._job_sets: list[ManagedJobSet] = []

    def run(
        self,
        experiments: Any,
        backend: Any,
        name: str | None = None,
        max_experiments_per_job: int | None = None,
        job_tags: Iterable[str] | None = None,
        **run_config: Any,
    ) -> ManagedJobSet:
        """Split experiments into jobs, queue them and return the set at once.

        Each job runs in a process of its own, so that it can be stopped. The jobs of a service's backend are submitted
        from this process, one after another, and watched; where the service limits their number, they wait.

        Parameters
        ----------
        experiments
            Circuits; or, for a program, a list of inputs: mappings of names to values, or values of its first argument.
        backend
            What runs them: a backend, the name of a simulator (see `Deck.backends`), or a program as `Deck.run` takes
            it, which is called with one of the experiments after another.
        name
            What the set is called; None calls it by the date and the time.
        max_experiments_per_job
            At most so many in one job; None, or more than the backend allows, means as many as it allows.
        job_tags
            Words to find the set and its jobs by.
        **run_config
            What ``backend.run`` gets beside the circuits, such as ``shots``; for a program, inputs that all have.

        Raises
        ------
        InvalidInputError, UnpicklableError
            Something is wrong with what was given. Nothing was queued.
        """
        deck = self._deck
        how = RunOptions.checked(
            backend=None,
            name=name or time.strftime("%Y-%m-%d %H:%M:%S"),
            tags=checked_tags(job_tags or (), "job_tags"),
            engine=self._engine,
            timeout=self._timeout,
            metadata=None,
            options=None,
        )
        found = unwrapped(_resolved(deck, backend))
        plan = Plan.of(experiments, found, max_experiments_per_job, how, run_config)
        is_foreign = plan.is_of_circuits and runs_elsewhere(found)
        made = submit_all(deck, plan) if is_foreign else queue(deck, plan)
        self._job_sets.append(made)
        return made

    def report(self, detailed: bool = True) -> str:
        """Return how many jobs of this manager's sets are where, and, in detail, how each job is."""
        parts = [job_set.managed_jobs() for job_set in self._job_sets]
        statuses = [[part.status() for part in some] for some in parts]
        lines = ["Summary report:", *summary(list(chain.from_iterable(statuses)))]
        if detailed:
            lines += ["", "Detail report:"]
            for job_set, some, told in zip(self._job_sets, parts, statuses, strict=True):
                lines += [f"  Job set name: {job_set.name}, ID: {job_set.job_set_id()}", *details(some, told)]
        return "\n".join(lines)

    def job_sets(self, name: str | None = None) -> list[ManagedJobSet]:
        """Return the sets that this manager has made or retrieved, all or those of this name."""
        checked_text("name", name)
        return [job_set for job_set in self._job_sets if name is None or job_set.name == name]

    def retrieve_job_set(self, job_set_id: str, provider: Any = None, refresh: bool = False) -> ManagedJobSet:
        """Return a set by its id, from whatever kernel it came.

        Parameters
        ----------
        job_set_id
            What ``job_set_id()`` returned.
        provider
            Not needed; there for code that was written for a service.
        refresh
            Whether to return a new object, which reads all results anew, rather than the one that this manager has.

        Raises
        ------
        JobNotFoundError
            There is no such set in this home.
        """
        del provider
        if not isinstance(job_set_id, str):
            raise InvalidInputError(f"a job set's id is a text, not {type(job_set_id).__name__}")
        known = next((each for each in self._job_sets if each.job_set_id() == job_set_id), None)
        # Of a set that is submitted from here, nobody else knows the jobs to come.
        if known is not None and (not refresh or known.is_submitting):
            return known
        found = retrieve(self._deck._service, job_set_id)
        self._job_sets = [*(each for each in self._job_sets if each is not known), found]
        return found

    @property
    def _deck(self) -> Deck:
        return self._given_deck or default_deck()


def _resolved(deck: Deck, backend: Any) -> Any:
    """Return a backend for its name, or the uploaded program; any other program is left as it is."""
    if not isinstance(backend, str):
        return backend
    uploaded = Programs(deck.store).find(backend)
    if uploaded is not None:
        return uploaded
    is_path_or_module = backend.endswith(".py") or "." in backend or "/" in backend
    return backend if is_path_or_module else backend_named(backend)

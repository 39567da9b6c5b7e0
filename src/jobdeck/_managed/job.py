"""One job of a set: a part of its experiments, submitted or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from .._arguments import checked_start, checked_timeout
from .._errors import JobdeckError, JobNotFoundError, JobTimeoutError, RuntimeInvalidStateError
from .._experiments import Experiments
from .._job import Job
from .._options import checked_tags
from .._status import JobStatus

if TYPE_CHECKING:
    from .._deck import Deck

Submit = Callable[[], Job[Any] | None]


class ManagedJob:
    """A part of a set's experiments, and the job that runs it once it is submitted.

    Parameters
    ----------
    start_index
        The place of its first experiment in the set.
    experiments_count
        How many it has.
    job
        The job, None if it is not submitted.

    Attributes
    ----------
    start_index, end_index : int
        The places of its first and of its last experiment in the set.
    job : Job or None
    submit_error : Exception or None
        Why it could not be submitted.
    note : str or None
        What its submission waits for.
    """

    def __init__(self, start_index: int, experiments_count: int, job: Job[Any] | None = None) -> None:
        self.start_index = checked_start("start_index", start_index)
        self.end_index = start_index + checked_start("experiments_count", experiments_count) - 1
        self.job = job
        self.submit_error: Exception | None = None
        self.note: str | None = None
        self._experiments: Experiments | None = None
        self._result: Any = None
        self._settled = threading.Event()
        if job is not None:
            self._settled.set()
        self._withdrawn = threading.Event()
        self._stirred = threading.Event()

    # --- submitting

    def submit(  # noqa: PLR0917 - the order of the system that this follows
        self,
        circuits: Any,
        job_name: str,
        backend: Any,
        executor: Executor | None = None,
        submit_lock: AbstractContextManager[Any] | None = None,
        job_share_level: str | None = None,
        job_tags: Iterable[str] | None = None,
        *,
        deck: Deck | None = None,
        **run_config: Any,
    ) -> None:
        """Submit the job. What goes wrong raises nothing: ``status()`` is None then, and ``error_message()`` says why.

        Parameters
        ----------
        circuits
            One or several.
        job_name
            What the job is called.
        backend
            What runs them.
        executor
            Submits it from one of its threads; None submits it now.
        submit_lock
            Held while it is submitted.
        job_share_level
            Without meaning here: a home belongs to one person.
        job_tags
            Words to find it by.
        deck
            Where it goes; None means the deck of jobdeck's functions.
        **run_config
            What ``backend.run`` gets, such as ``shots``.
        """
        del job_share_level
        from .._toplevel import default_deck
        from .submission import submit_one

        experiments = Experiments(circuits if isinstance(circuits, (list, tuple)) else [circuits])
        tags = checked_tags(job_tags or (), "job_tags")

        def make() -> Job[Any]:
            how = {"name": job_name, "tags": tags}
            return submit_one(deck or default_deck(), experiments, backend, how, run_config)

        def go() -> None:
            with submit_lock or nullcontext():
                self._settle(make, experiments)

        if executor is None:
            go()
        else:
            executor.submit(go).add_done_callback(self._note_refusal)

    def _settle(self, make: Submit, experiments: Experiments) -> None:
        """Submit it with `make`, unless it was cancelled meanwhile; keep what goes wrong."""
        self._experiments = experiments
        try:
            if not self.is_withdrawn:
                self.job = make()
        except Exception as error:  # noqa: BLE001 - it is the backend's own code, and the error is kept to be shown
            self.submit_error = error
        if self.is_withdrawn:
            self.cancel()  # it came while the job was being submitted
        self.note = None
        self._settled.set()

    def _note_refusal(self, future: Future[None]) -> None:
        if future.cancelled():
            self.withdraw()
            self._settled.set()

    def withdraw(self) -> None:
        """Have it not submitted, if it is not yet."""
        self._withdrawn.set()
        self._stirred.set()

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was cancelled, submitted or not."""
        return self._withdrawn.is_set()

    @property
    def is_settled(self) -> bool:
        """Whether it was submitted, or never will be."""
        return self._settled.is_set()

    # --- asking

    def status(self) -> JobStatus | str | None:
        """Return the job's status: INITIALIZING before it is submitted, None where that failed or it was deleted."""
        if self.submit_error is not None:
            return None
        if self.job is None:
            return JobStatus.CANCELLED if self.is_withdrawn else JobStatus.INITIALIZING
        try:
            return self.job.status()
        except JobNotFoundError:
            return None

    def result(self, timeout: float | None = None, partial: bool = False, refresh: bool = False) -> Any:
        """Wait for the job and return its result; None where there is none.

        Parameters
        ----------
        timeout
            Seconds; None waits for as long as it takes.
        partial
            Whether to return what there is of a job that failed.
        refresh
            Whether to read the result anew, rather than to return what was read before.

        Raises
        ------
        JobTimeoutError
            There is no result within `timeout`; the job goes on.
        """
        if self._result is not None and not refresh:
            return self._result
        timeout = checked_timeout(timeout)
        if not self._settled.wait(timeout):
            raise JobTimeoutError(f"{self._label} were not submitted within {timeout:g} s ({self.note or 'waiting'})")
        if self.job is None:
            return None
        try:
            self._result = self.job.result(timeout)
        except JobTimeoutError:
            raise
        except JobdeckError:
            return self._partial() if partial else None
        return self._result

    def error_message(self) -> str | None:
        """Return why it failed, or why it could not be submitted; None where neither is so."""
        if self.submit_error is not None:
            return f"it could not be submitted: {type(self.submit_error).__name__}: {self.submit_error}"
        if self.job is None:
            return None
        try:
            return self.job.error_message()
        except JobNotFoundError as error:
            return str(error)

    def cancel(self) -> None:
        """Ask the job to stop; one that is not submitted will not be. Never raises."""
        self.withdraw()
        if self.job is not None:
            try:
                self.job.cancel()
            except (RuntimeInvalidStateError, JobNotFoundError):
                return  # it has ended, or is gone: nothing is left to stop

    def qobj(self) -> list[Any] | None:
        """Return its experiments; None where they cannot be had."""
        if self._experiments is None and self.job is not None:
            try:
                inputs = self.job.inputs
            except JobdeckError:
                return None
            found = inputs.get("circuits", inputs.get("experiments"))
            self._experiments = None if found is None else Experiments(found)
        return None if self._experiments is None else list(self._experiments)

    def _partial(self) -> Any:
        """Return what a job has published of results before it failed."""
        assert self.job is not None
        try:
            published = self.job.interim_results()
        except JobdeckError:
            return None
        kept = [message for message in published if isinstance(message, list) or hasattr(message, "get_counts")]
        return kept[-1] if kept else None

    @property
    def _label(self) -> str:
        return f"experiments {self.start_index}-{self.end_index}"

    def __repr__(self) -> str:
        return (
            f"<ManagedJob of {self._label}: {self.error_message() if self.submit_error else self.job or self.status()}>"
        )

"""The results of a set, found by experiment, whichever job ran it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._errors import JobCancelledError, JobError, RuntimeJobFailureError
from .._status import JobStatus

if TYPE_CHECKING:
    from .job import ManagedJob
    from .jobset import ManagedJobSet

Experiment = Any
"""The place of an experiment in the set, its name, or a circuit, which means its name."""


class ManagedResults:
    """What the jobs of a set gave, as it was when :meth:`ManagedJobSet.results` returned it.

    `experiment` is everywhere the place of an experiment in the set, its name, or the circuit itself.

    Attributes
    ----------
    backend_name : str
        What ran the experiments.
    success : bool
        Whether every experiment has a result.
    """

    def __init__(self, job_set: ManagedJobSet, backend_name: str, parts: Sequence[tuple[ManagedJob, Any]]) -> None:
        self._job_set = job_set
        self._parts = parts
        self.backend_name = backend_name
        self.success = all(result is not None and getattr(result, "success", True) for _, result in parts)

    def data(self, experiment: Experiment) -> Any:
        """Return all data of an experiment: what the Result has of a circuit, what a program returned."""
        result, place = self._found(experiment)
        return result[place] if isinstance(result, list) else result.data(place)

    def get_counts(self, experiment: Experiment) -> Any:
        """Return the counts of an experiment."""
        return self._asked("get_counts", experiment)

    def get_memory(self, experiment: Experiment) -> Any:
        """Return the outcome of each shot of an experiment."""
        return self._asked("get_memory", experiment)

    def get_statevector(self, experiment: Experiment, decimals: int | None = None) -> Any:
        """Return the statevector of an experiment."""
        return self._asked("get_statevector", experiment, decimals=decimals)

    def get_unitary(self, experiment: Experiment, decimals: int | None = None) -> Any:
        """Return the unitary of an experiment."""
        return self._asked("get_unitary", experiment, decimals=decimals)

    def combine_results(self) -> Any:
        """Return one Result (of a program: one list) of all experiments, in their order.

        Raises
        ------
        JobError
            Some experiments have no result.
        """
        for job, result in self._parts:
            if result is None or not getattr(result, "success", True):
                raise self._missing(job, job.start_index)
        first, *others = (result for _, result in self._parts)
        if isinstance(first, list):
            return [value for _, result in self._parts for value in result]
        combined = copy.deepcopy(first)
        for result in others:
            combined.results.extend(copy.deepcopy(result.results))
        return combined

    def __len__(self) -> int:
        return sum(job.end_index - job.start_index + 1 for job, _ in self._parts)

    def __getitem__(self, experiment: Experiment) -> Any:
        return self.data(experiment)

    def __iter__(self) -> Iterator[Any]:
        return (self.data(place) for place in range(len(self)))

    def __repr__(self) -> str:
        there = sum(result is not None for _, result in self._parts)
        return f"<ManagedResults of {self._job_set._label}: {there} of {len(self._parts)} jobs>"

    def _asked(self, method: str, experiment: Experiment, **options: Any) -> Any:
        result, place = self._found(experiment)
        ask = getattr(result, method, None)
        if ask is None:
            raise JobError(f"experiment {experiment!r} gave a {type(result[place]).__name__}: data() returns it")
        return ask(place, **options)

    def _found(self, experiment: Experiment) -> tuple[Any, int]:
        """Return the result that has the experiment, and its place there."""
        place = self._job_set._place_of(experiment)
        for job, result in self._parts:
            if job.start_index <= place <= job.end_index:
                inner = place - job.start_index
                parts = result if result is None or isinstance(result, list) else result.results
                if parts is None or inner >= len(parts):
                    raise self._missing(job, place)
                one = None if isinstance(result, list) else parts[inner]
                if one is not None and not getattr(one, "success", True):
                    why = getattr(one, "status", "without a word")
                    raise RuntimeJobFailureError(f"experiment {place} of {self._job_set._label} failed: {why}")
                return result, inner
        raise AssertionError(f"no part of the set has place {place}")

    def _missing(self, job: ManagedJob, place: int) -> JobError:
        what = f"experiment {place} of {self._job_set._label} has no result"
        if job.job is None or job.submit_error is not None:
            return JobError(
                f"{what}: {job.error_message() or 'it was cancelled before'}; retry_failed() submits it again"
            )
        told = f"{what}: its job {job.job.name!r} ({job.job.job_id()})"
        if job.status() == JobStatus.CANCELLED:
            again = "submit its experiments anew with JobManager.run(…)"
            if not job.job.is_watched:
                again = f"job_set.job({place})[0].retry() runs it again"
            return JobCancelledError(f"{told} was cancelled; {again}")
        return RuntimeJobFailureError(f"{told} failed; retry_failed() runs it again", job.error_message())

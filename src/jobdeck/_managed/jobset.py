"""A set of jobs, seen as one."""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from .._arguments import checked_timeout
from .._bulk import BulkReport
from .._errors import InvalidInputError, JobError, JobNotFoundError, JobTimeoutError
from .._experiments import experiment_name
from .._group import JobGroup
from .._job import Job
from .._records import GroupRecord
from .._status import JobStatus
from .job import ManagedJob
from .report import details, summary
from .results import Experiment, ManagedResults

if TYPE_CHECKING:
    from .._service import JobService

KIND: Final = "set"
_PLACE: Final = re.compile(r"\[(\d+)\]$")


class _Name(str):
    """A name that can be asked for as an attribute, as groups have it, or by a call, as sets had it."""

    def __call__(self) -> str:
        return str(self)


class _Tags(list[str]):
    """Tags, likewise."""

    def __call__(self) -> list[str]:
        return list(self)


class ManagedJobSet(JobGroup[Any]):
    """Many experiments as a group of jobs. Get one from :meth:`JobManager.run` or :meth:`JobManager.retrieve_job_set`.

    ``name`` and ``tags`` are attributes and can be called: ``job_set.name()``.
    """

    def __init__(
        self,
        service: JobService,
        record: GroupRecord,
        *,
        parts: Sequence[ManagedJob] | None = None,
        backend: Any = None,
        submit_again: Callable[[Mapping[int, str]], Mapping[int, ManagedJob]] | None = None,
    ) -> None:
        super().__init__(service, record)
        self._submit_again = submit_again
        self._home_service = service
        self._submitting = parts
        self._backend = backend
        self._known: dict[str, ManagedJob] = {}

    # --- what it is

    def job_set_id(self) -> str:
        """Return the id by which :meth:`JobManager.retrieve_job_set` finds it; the same as ``group_id``."""
        return self.group_id

    @property
    def name(self) -> _Name:
        """What it is called."""
        return _Name(super().name)

    @property
    def tags(self) -> _Tags:
        """Its tags, which its jobs have, too."""
        return _Tags(super().tags)

    def update_name(self, name: str) -> str:  # type: ignore[override]  # sets have always returned it
        """Call the set something else, and return that. Its jobs keep their names."""
        super().update_name(name)
        return name

    def backends(self) -> list[Any]:
        """Return what runs the experiments: the backend, in another kernel its copy, or its name."""
        if self._backend is None:
            first = next((part.job for part in self.managed_jobs() if part.job is not None), None)
            self._backend = None if first is None else first.backend()
        backend = self._backend if self._backend is not None else self._told("backend")
        return [] if backend is None else [backend]

    @property
    def is_submitting(self) -> bool:
        """Whether jobs of it are still to be submitted from this process."""
        return any(not part.is_settled for part in self._submitting or ())

    # --- its jobs

    def managed_jobs(self) -> list[ManagedJob]:
        """Return the parts of the set, in the order of their experiments, with the job of each."""
        if self._submitting is not None:
            return list(self._submitting)
        starts = [0, *accumulate(self._counts)]
        jobs = self._jobs_by_part()
        return [self._part(starts[place], count, jobs.get(place)) for place, count in enumerate(self._counts)]

    def statuses(self) -> list[JobStatus | str | None]:  # type: ignore[override]  # None is what sets have always had
        """Return the status of each job: INITIALIZING before it is submitted, None where that failed."""
        return [part.status() for part in self.managed_jobs()]

    def job(self, experiment: Experiment) -> tuple[Job[Any] | None, int]:
        """Return the job of an experiment, and its place among those of that job.

        Parameters
        ----------
        experiment
            The place of the experiment in the set, its name, or the circuit.

        Raises
        ------
        JobNotFoundError
            The set has no such experiment.
        InvalidInputError
            Several experiments have that name.
        """
        place = self._place_of(experiment)
        part = next(part for part in self.managed_jobs() if part.start_index <= place <= part.end_index)
        return part.job, place - part.start_index

    def qobjs(self) -> list[list[Any] | None]:
        """Return the experiments of each job; None where they cannot be had. (There are no Qobjs any more.)"""
        return [part.qobj() for part in self.managed_jobs()]

    # --- waiting

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all jobs have ended, those included that are still to be submitted; see `JobGroup.wait`."""
        timeout = checked_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        for part in self._submitting or ():
            if not part._settled.wait(None if deadline is None else max(deadline - time.monotonic(), 0)):
                raise JobTimeoutError(
                    f"{part._label} of set {self._label} were not submitted within {timeout:g} s "
                    f"({part.note or 'they wait for those before them'}); the set goes on"
                )
        super().wait(None if deadline is None else max(deadline - time.monotonic(), 0))

    def results(  # type: ignore[override]  # sets find results by experiment, across jobs
        self, timeout: float | None = None, partial: bool = False, refresh: bool = False
    ) -> ManagedResults:
        """Wait for all jobs and return their results. A job that fails keeps none of the others' from being had.

        Parameters
        ----------
        timeout
            Seconds for all jobs together; None waits for as long as it takes.
        partial
            Whether to take what there is of jobs that failed: the experiments that did not.
        refresh
            Whether to read results anew that were read before.

        Raises
        ------
        JobTimeoutError
            The jobs have not all ended within `timeout`; they go on.
        """
        timeout = checked_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        self.wait(timeout)
        parts = []
        for part in self.managed_jobs():
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            parts.append((part, part.result(left, partial, refresh)))
        return ManagedResults(self, str(self._told("backend")), parts)

    def error_messages(self) -> str | None:
        """Return why jobs have failed or could not be submitted; None where none did so far. Does not wait."""
        lines = []
        for place, part in enumerate(self.managed_jobs()):
            message = part.error_message()
            if message is None:
                continue
            job = "not submitted" if part.job is None or part.submit_error else f"job ID={part.job.job_id()}"
            lines.append(f"Experiments {part.start_index}-{part.end_index}, job index={place}, {job}:")
            lines += [f"  {line}" for line in message.splitlines()]
        return "\n".join(lines) or None

    def report(self, detailed: bool = True) -> str:
        """Return how many jobs are where, and, in detail, how each job is."""
        parts = self.managed_jobs()
        statuses = [part.status() for part in parts]
        lines = [f"Job set name: {self.name}", f"          ID: {self.job_set_id()}", f"        tags: {self.tags()}"]
        lines += ["Summary report:", *summary(statuses)]
        if detailed:
            lines += ["", "Detail report:", *details(parts, statuses)]
        return "\n".join(lines)

    # --- what is done to it

    def cancel(self) -> BulkReport:
        """Ask all jobs that have not ended to stop; those that are not submitted will not be. Returns at once."""
        # First of all, so that none takes the room of one that is stopped.
        for part in self._submitting or ():
            part.withdraw()
        return super().cancel()

    def retry_failed(self) -> BulkReport:
        """Run the jobs again that are in ERROR; the new ones take their places. The report's `made` has their ids.

        Those of a service are submitted again by the kernel that made the set, which has the circuits and the account;
        in any other one they are refused, and the report says so.
        """
        if self._submitting is None or self._submit_again is None:
            return super().retry_failed()
        failed = set(self._standing().ids(JobStatus.ERROR))
        jobs = [None if part.job is None else part.job.job_id() for part in self._submitting]
        wanted = {place: job_id for place, job_id in enumerate(jobs) if job_id in failed}
        fresh = self._submit_again(wanted)
        self._submitting = [fresh.get(place, part) for place, part in enumerate(self._submitting)]
        made = {wanted[place]: part.job.job_id() for place, part in fresh.items() if part.job is not None}
        return BulkReport(dict.fromkeys(made, "retried"), made)

    # --- reading

    @property
    def _counts(self) -> list[int]:
        counts: list[int] = self._told("counts")
        return counts

    def _told(self, key: str) -> Any:
        # What a set was made of never changes: no need to read it again.
        return self._record.metadata.get(key)

    def _jobs_by_part(self) -> dict[int, Job[Any]]:
        members = list(self._standing())
        records = {record.job_id: record for record in self._records(member.job_id for member in members)}
        found = {}
        for member in members:
            record = records.get(member.job_id)
            if record is None:
                continue
            # The jobs of a service have no place of their own in the group: their names tell it.
            named = _PLACE.search(record.name) if record.source is not None else None
            place = int(named[1]) if named else member.place
            if place is not None:
                found[place] = self._service.handle(record)
        return found

    def _part(self, start: int, count: int, job: Job[Any] | None) -> ManagedJob:
        if job is None:
            part = ManagedJob(start, count)
            part.submit_error = JobError("its job was deleted, or the kernel that was to submit it ended before")
            part._settled.set()
            return part
        known = self._known.get(job.job_id())
        if known is None:
            known = self._known[job.job_id()] = ManagedJob(start, count, job)
        return known

    def _place_of(self, experiment: Experiment) -> int:
        total = sum(self._counts)
        try:
            place = operator.index(experiment)
        except TypeError:
            return self._place_named(experiment if isinstance(experiment, str) else experiment_name(experiment))
        if not 0 <= place < total:
            raise JobNotFoundError(f"set {self._label} has no experiment {place}; there are 0 to {total - 1}")
        return place

    def _place_named(self, name: str | None) -> int:
        if name is None:
            raise InvalidInputError("an experiment is given by its place, by its name, or as the circuit itself")
        places = [place for place, known in enumerate(self._told("names") or ()) if known == name]
        if not places:
            raise JobNotFoundError(f"set {self._label} has no experiment called {name!r}; give its place")
        if len(places) > 1:
            some = ", ".join(map(str, places[:5])) + (", …" if len(places) > 5 else "")
            raise InvalidInputError(
                f"{len(places)} experiments of set {self._label} are called {name!r}; give the place of one: {some}"
            )
        return places[0]

    def __reduce__(self) -> tuple[Callable[..., ManagedJobSet], tuple[Any, ...]]:
        return retrieve, (self._home_service, self.group_id)


def retrieve(service: JobService, job_set_id: str) -> ManagedJobSet:
    """Return a set from whatever kernel it came. JobNotFoundError if there is none of that id."""
    record = service.store.group(job_set_id)
    if record.kind != KIND:
        raise JobNotFoundError(f"group {record.name!r} ({job_set_id}) is a {record.kind}, no set: Deck.group() has it")
    return ManagedJobSet(service, record)

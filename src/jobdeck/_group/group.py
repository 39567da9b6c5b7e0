"""The handle of a group of jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, SupportsIndex, TypeVar, overload

from .. import _presenting
from .._arguments import checked_class, checked_timeout
from .._bulk import Bulk, BulkReport, Command
from .._codec.decoder import Decoder
from .._errors import (
    InvalidInputError,
    JobCancelledError,
    JobError,
    JobNotFoundError,
    JobTimeoutError,
    RuntimeJobFailureError,
    StoreError,
)
from .._follow import Follower
from .._job import Job, JobList, Progress, whole
from .._job import Service as JobsService
from .._options import checked_tags, edited_tags
from .._program import exception_of, value_of
from .._records import GroupRecord, JobQuery, JobRecord, Outcome
from .._status import JobStatus, foremost
from .frame import chunks, make_frame
from .standing import Standing, words_of
from .waiting import wait_for_end

if TYPE_CHECKING:
    import pandas

R = TypeVar("R")


class GroupService(JobsService, Protocol):
    """What a group needs of the service that it came from. It is pickled as its home."""

    @property
    def follower(self) -> Follower: ...

    def handle(self, record: JobRecord) -> Job[Any]: ...

    def retry_job(self, job_id: str) -> str: ...

    def group(self, group_id: str) -> JobGroup[Any]: ...


class JobGroup(Generic[R]):
    """Jobs that belong together. The group lives in the store; any number of handles, in any kernel, are equal to it.

    Get one from :func:`jobdeck.map`, :func:`jobdeck.sweep` or :func:`jobdeck.group`. A group has no status of its own:
    it is what its jobs are. A job that was run again leaves its place to the newest run, in whatever way that was
    asked for. The group goes when the last of its jobs is deleted.
    """

    def __init__(self, service: GroupService, record: GroupRecord) -> None:
        self._service = service
        self._record = record

    # --- what it is

    @property
    def group_id(self) -> str:
        """The group's id; the query ``group:ID`` finds its jobs."""
        return self._record.group_id

    @property
    def kind(self) -> str:
        """What made it: ``map``, ``sweep``, ``set``, ``session``, ``batch``, ``executor``."""
        return self._record.kind

    @property
    def name(self) -> str:
        """What it is called."""
        return self._read().name

    @property
    def tags(self) -> list[str]:
        """Its tags, which its jobs had from the start."""
        return list(self._read().tags)

    @property
    def metadata(self) -> dict[str, Any]:
        """What it was made with."""
        return dict(self._read().metadata)

    @property
    def creation_date(self) -> datetime:
        """When it was made, in local time and aware of it."""
        return datetime.fromtimestamp(self._record.created).astimezone()

    # --- its jobs

    def jobs(self) -> JobList:
        """Return the jobs, in the order of their inputs."""
        return JobList(map(self._service.handle, self._records(self._standing().job_ids)), self._service)

    def job_ids(self) -> list[str]:
        """Return the jobs' ids, in the order of their inputs."""
        return self._standing().job_ids

    def open_ids(self) -> list[str]:
        """Return the ids of all its jobs that have not ended, those first that have not started."""
        return self._standing().open_ids

    def statuses(self) -> list[JobStatus | str]:
        """Return the status of each job, in the order of their inputs."""
        return [member.status for member in self._standing()]

    @property
    def progress(self) -> Progress:
        """How many jobs have ended, of how many; `message` tells of those that were cancelled or failed."""
        standing = self._standing()
        total = max(len(standing), self._read().total or 0)
        return Progress(
            standing.ended, total, words_of(standing.counts_of(JobStatus.ERROR, JobStatus.CANCELLED)) or None
        )

    def __len__(self) -> int:
        return len(self._standing())

    def __iter__(self) -> Iterator[Job[R]]:
        return iter(self.jobs())

    @overload
    def __getitem__(self, at: SupportsIndex) -> Job[R]: ...
    @overload
    def __getitem__(self, at: slice) -> JobList: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Job[R] | JobList:
        ids = self._standing().job_ids
        if isinstance(at, slice):
            return JobList(map(self._service.handle, self._records(ids[at])), self._service)
        return self._service.job(ids[at])

    # --- waiting

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all jobs have ended, in whatever way, those that are run again meanwhile included.

        Parameters
        ----------
        timeout
            Seconds for all of them together; None waits for as long as it takes.

        Raises
        ------
        JobTimeoutError
            Some have not ended within `timeout`; they go on.
        """
        timeout = checked_timeout(timeout)
        if self._service.is_follower():
            raise JobError("an observer of a job's traits runs in the thread that brings all news: it cannot wait here")
        left = wait_for_end(self._service.follower, self.group_id, self._read_open, timeout)
        if left:
            raise JobTimeoutError(
                f"{len(left):,} of {len(self._standing()):,} jobs of group {self._label} have not ended after "
                f"{round(timeout or 0, 3):g} s; they go on: wait for them again, or cancel() them"
            )

    def results(
        self, timeout: float | None = None, partial: bool = False, *, decoder: Decoder | None = None
    ) -> list[R | None]:
        """Wait for all jobs and return their results, in the order of the inputs.

        A job that fails keeps none of the others from running to their end. `to_frame` does not wait, and has what
        there is by then.

        Parameters
        ----------
        timeout
            Seconds for all jobs together; None waits for as long as it takes.
        partial
            Whether to return None in the places of jobs that failed or were cancelled, or whose results a cluster has
            lost, rather than to raise.
        decoder
            A JSON decoder class for results that are JSON.

        Raises
        ------
        RuntimeJobFailureError
            Some have failed, and not `partial`: it names the first one, whose traceback and exception it has.
        JobCancelledError
            None has failed, but some were cancelled, and not `partial`.
        JobTimeoutError
            They have not all ended within `timeout`, `partial` or not; they go on.
        JobError
            A result that was kept in a cluster cannot be had, and not `partial`.
        """
        checked_class("decoder", decoder, "ResultDecoder")
        self.wait(timeout)
        standing = self._standing()
        if not partial:
            self._refuse_failures(standing)
        values: list[R | None] = []
        done = set(standing.ids(JobStatus.DONE))
        for some in chunks(standing.job_ids):
            outcomes = self._outcomes([job_id for job_id in some if job_id in done], partial=partial)
            values += [self._value_of(job_id, outcomes.get(job_id), decoder) for job_id in some]
        return values

    def to_frame(self) -> pandas.DataFrame:
        """Return what is known by now as a pandas frame, a row for each job.

        The inputs are columns; then come ``status`` and ``result``, which is None unless the job is DONE. An input of
        one of these names is called ``input.status`` or ``input.result``. The index has the jobs' ids.

        Raises
        ------
        InvalidInputError
            There is no pandas.
        """
        return make_frame(
            self._service.store,
            self._standing().job_ids,
            lambda job_ids: self._outcomes(job_ids, partial=True),
            lambda record, outcome: self._value_of(record.job_id, outcome, None),
        )

    # --- what is done to it

    def cancel(self) -> BulkReport:
        """Ask all jobs that have not ended to stop, return at once, and tell what became of each."""
        return self._do("cancel", self.open_ids())

    def retry_failed(self) -> BulkReport:
        """Run the jobs again that are in ERROR; the new ones take their places. The report's `made` has their ids."""
        return self._do("retry", self._standing().ids(JobStatus.ERROR))

    def update_name(self, name: str) -> None:
        """Call the group something else. Its jobs keep their names."""
        if not isinstance(name, str) or not name.strip():
            raise InvalidInputError(f"a group's name is a text that is not empty, not {name!r}")
        self._record = self._service.store.update_group(self.group_id, name=name)
        self._service.look()

    def update_tags(
        self,
        replacement_tags: Iterable[str] | None = None,
        additional_tags: Iterable[str] | None = None,
        removal_tags: Iterable[str] | None = None,
    ) -> list[str]:
        """Replace all tags, then add some, then remove some, on the group and on its jobs; return what is left.

        Tags that a job has beside the group's stay.
        """
        if replacement_tags is None and additional_tags is None and removal_tags is None:
            raise InvalidInputError("update_tags: give replacement_tags, additional_tags or removal_tags")
        before = self._read().tags
        removed = checked_tags(removal_tags or (), "removal_tags")
        left = edited_tags(
            before,
            None if replacement_tags is None else checked_tags(replacement_tags, "replacement_tags"),
            checked_tags(additional_tags or (), "additional_tags"),
            removed,
        )
        self._record = self._service.store.update_group(self.group_id, tags=left)
        self._do("tag", self._standing().job_ids, left, [*removed, *(tag for tag in before if tag not in left)])
        return left

    def _do(
        self, command: Command, job_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> BulkReport:
        bulk = Bulk(
            self._service.store,
            command,
            job_ids,
            retry=lambda job_id, _: self._service.retry_job(job_id),
            origin="api",
            add=tuple(add),
            remove=tuple(remove),
        )
        try:
            return bulk.finish()
        finally:
            self._service.look()

    # --- reading

    @property
    def _label(self) -> str:
        return f"{self._record.name!r} ({self.group_id})"

    def _read(self) -> GroupRecord:
        self._record = self._service.store.group(self.group_id)
        return self._record

    def _standing(self) -> Standing:
        return Standing(self._service.store.members(self.group_id))

    def _read_open(self) -> set[str]:
        return set(self._standing().open_ids)

    def _records(self, job_ids: Iterable[str]) -> list[JobRecord]:
        """Read jobs of the group, in this order."""
        wanted = list(job_ids)
        if len(wanted) == 1:
            return [self._service.store.job(wanted[0])]
        found = {record.job_id: record for record in self._service.store.jobs(JobQuery(group_id=self.group_id))}
        return [found[job_id] for job_id in wanted if job_id in found]

    def _refuse_failures(self, standing: Standing) -> None:
        told = foremost(standing.counts)
        if told not in (JobStatus.ERROR, JobStatus.CANCELLED):
            return
        failed, cancelled = standing.ids(JobStatus.ERROR), standing.ids(JobStatus.CANCELLED)
        first = self._service.store.job((failed or cancelled)[0])
        named = f"{first.name!r} ({first.job_id})"
        what = [f"{len(failed):,} failed"] * bool(failed) + [f"{len(cancelled):,} were cancelled"] * bool(cancelled)
        jobs = f"{len(standing):,} job{'s' if len(standing) != 1 else ''}"
        head = f"of the {jobs} of group {self._label}, {' and '.join(what)}"
        advice = "results(partial=True) has None in their places"
        again = f"submit them again to {first.engine}, which ran them"
        if told == JobStatus.CANCELLED:
            if first.source is None:
                again = f"Deck.retry_jobs('group:{self.group_id} status:cancelled') runs them again"
            raise JobCancelledError(f"{head}, the first of them {named}; {advice}, {again}")
        if first.source is None:
            again = "retry_failed() runs them again"
        outcome = self._service.store.outcome(first.job_id)
        words = f"{head}; the first that failed is {named}: {first.error}; {advice}, {again}"
        raise RuntimeJobFailureError(words, first.traceback) from (None if outcome is None else exception_of(outcome))

    def _outcomes(self, job_ids: list[str], *, partial: bool) -> dict[str, Outcome]:
        """Return what these programs left, fetched from where it is kept."""
        found = whole(self._service, self._service.store.outcomes(job_ids))
        if found.errors and not partial:
            raise next(iter(found.errors.values()))
        return found.outcomes

    def _value_of(self, job_id: str, outcome: Outcome | None, decoder: Decoder | None) -> Any:
        if outcome is None or not outcome.ok:
            return None
        try:
            return value_of(outcome, decoder)
        except Exception as error:
            if outcome.encoding != "pickle":
                raise
            # Opening a pickle runs the value's own code, and imports.
            raise JobError(f"the result of job {job_id} cannot be opened here: {error!r}") from error

    # --- being an object

    def __eq__(self, other: object) -> bool:
        return self.group_id == other.group_id if isinstance(other, JobGroup) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.group_id)

    def __reduce__(self) -> tuple[Callable[[GroupService, str], JobGroup[Any]], tuple[GroupService, str]]:
        return _reattach, (self._service, self.group_id)

    def __repr__(self) -> str:
        try:
            standing = self._standing()
        except (StoreError, JobNotFoundError) as error:
            return f"<{type(self).__name__} {self._label}: {type(error).__name__}>"
        told = f"{len(standing):,} {'job' if len(standing) == 1 else 'jobs'}"
        return f"<{type(self).__name__} {self._label}: {': '.join(filter(None, (told, words_of(standing.counts))))}>"

    def _ipython_display_(self) -> None:
        _presenting.display(self._service.store, (), "group", repr(self), self.group_id)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return _presenting.mimebundle(self._service.store, (), "group", repr(self), self.group_id)

    def _display_(self) -> Any:
        return _presenting.element(self._service.store, (), "group", repr(self), self.group_id)


def _reattach(service: GroupService, group_id: str) -> JobGroup[Any]:
    return service.group(group_id)

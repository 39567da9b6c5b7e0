"""What is done to many jobs by one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ._arguments import checked_several
from ._bulk import Bulk, BulkReport, Command, find_jobs
from ._errors import InvalidInputError
from ._job import Job
from ._options import checked_tags
from ._query import parse
from ._service import JobService

Jobs = str | Job[Any] | Iterable[Job[Any] | str]
"""A query, or jobs, or their ids."""


class ManyJobs:
    """The part of a deck that acts on many jobs."""

    _service: JobService

    def cancel_jobs(self, jobs: Jobs, *, kill: bool = False) -> BulkReport:
        """Ask many jobs to stop, and tell what became of each.

        Parameters
        ----------
        jobs
            A query, such as ``"tag:sweep status:active"`` (see ``docs/queries.md``), or jobs, or their ids.
        kill
            Kill what runs, without time to clean up.

        Raises
        ------
        InvalidInputError
            The query cannot be read, or has no words: to mean all that are under way, say ``"active"``.
        """
        return self._do("kill" if kill else "cancel", jobs)

    def retry_jobs(self, jobs: Jobs) -> BulkReport:
        """Run many jobs again; the report's `made` has the new job of each. See `cancel_jobs` for `jobs`."""
        return self._do("retry", jobs)

    def delete_jobs(self, jobs: Jobs) -> BulkReport:
        """Remove many jobs with all that they left; those under way are refused. See `cancel_jobs` for `jobs`."""
        report = self._do("delete", jobs)
        self._service.forget_results()
        return report

    def tag_jobs(self, jobs: Jobs, add: Iterable[str] = (), remove: Iterable[str] = ()) -> BulkReport:
        """Add tags to many jobs, and take others away. See `cancel_jobs` for `jobs`."""
        added, removed = checked_tags(add, "add"), checked_tags(remove, "remove")
        if not (added or removed):
            raise InvalidInputError("tag_jobs: say which tags to add or to remove")
        return self._do("tag", jobs, added, removed)

    def _do(self, command: Command, jobs: Jobs, add: Sequence[str] = (), remove: Sequence[str] = ()) -> BulkReport:
        if isinstance(jobs, str):
            if parse(jobs).is_empty:
                raise InvalidInputError("an empty query would mean every job there is; say which ones are meant")
            job_ids = find_jobs(self._service.store, jobs)
        else:
            some = [jobs] if isinstance(jobs, Job) else checked_several("jobs", jobs, "jobs or their ids, or a query")
            job_ids = [_id_of(job) for job in some]
        bulk = Bulk(
            self._service.store, command, job_ids, retry=self._service.retry_job, origin="api", add=add, remove=remove
        )
        try:
            return bulk.finish()
        finally:
            self._service.look()


def _id_of(job: Job[Any] | str) -> str:
    if isinstance(job, Job):
        return job.job_id()
    if not isinstance(job, str):
        raise InvalidInputError(f"jobs are given as a query, or as jobs or their ids, not as {type(job).__name__}")
    return job

"""Something done to many jobs at once, and what became of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ._errors import JobdeckError, JobNotFoundError, StoreError
from ._options import checked_tags
from ._plain import plain
from ._ports import Retry, Store
from ._query import parse
from ._records import JobQuery
from ._status import JobStatus
from ._wire import MOST_IDS, BulkRequest, Report

_AT_ONCE: Final = 200
"""Jobs of one transaction, so that programs that publish do not wait for long."""
_RETRIES_AT_ONCE: Final = 20
_MOST_LINES: Final = 10
_WAITING: Final = (JobStatus.INITIALIZING.value, JobStatus.QUEUED.value)
_WORDS: Final = {
    "cancelled": "cancelled",
    "asked": "asked to stop",
    "ended": "had ended before",
    "retried": "retried",
    "deleted": "deleted",
    "tagged": "tagged",
    "missing": "not found",
    "refused": "refused",
}

Command = Literal["cancel", "kill", "retry", "delete", "tag"]


@dataclass(frozen=True)
class BulkReport:
    """What became of each of many jobs.

    Attributes
    ----------
    outcomes : mapping of str to str
        One word by id: ``cancelled`` (it had not started), ``asked`` (it runs, and was asked to stop), ``ended`` (it
        had ended before), ``retried``, ``deleted``, ``tagged``, ``missing`` (there is no such job), ``refused``.
    made : mapping of str to str
        Of those that were retried, the new job's id.
    reasons : mapping of str to str
        Of those that were refused, why.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each outcome."""
        found = Counter(self.outcomes.values())
        return {outcome: found[outcome] for outcome in _WORDS if outcome in found}

    def ids(self, outcome: str) -> list[str]:
        """Return the ids of the jobs that became this."""
        return [job_id for job_id, became in self.outcomes.items() if became == outcome]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __repr__(self) -> str:
        if not self.outcomes:
            return "no jobs"
        told = ", ".join(f"{count:,} {_WORDS[outcome]}" for outcome, count in self.counts.items())
        reasons = list(dict.fromkeys(self.reasons.values()))
        return f"{told} ({reasons[0]}{'; …' if len(reasons) > 1 else ''})" if reasons else told


class Bulk:
    """A bulk request on its way: `advance` does a bounded part of it at a time.

    Parameters
    ----------
    store
        Where the jobs are.
    command
        What is to be done.
    job_ids
        To which jobs.
    retry
        Runs a job again and returns the new id.
    origin
        Who asks, as the store notes it beside a cancel.
    add, remove
        Tags, for the command ``tag``.
    """

    def __init__(
        self,
        store: Store,
        command: Command,
        job_ids: Iterable[str],
        *,
        retry: Retry | None = None,
        origin: str,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._command = command
        self._retry = retry
        self._origin = origin
        self._add = checked_tags(add)
        self._remove = frozenset(remove)
        self._left = list(dict.fromkeys(job_ids))
        self._outcomes: dict[str, str] = {}
        self._made: dict[str, str] = {}
        self._reasons: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Tell whether all is done."""
        return not self._left

    @property
    def report(self) -> BulkReport:
        """What was done so far."""
        return BulkReport(self._outcomes, self._made, self._reasons)

    def advance(self) -> None:
        """Do the next part. StoreError if the store cannot be used; what was done is done, and the rest was not."""
        size = _RETRIES_AT_ONCE if self._command == "retry" else _AT_ONCE
        some = self._left[:size]
        if self._command == "retry":
            for job_id in some:
                self._outcomes[job_id] = self._run_again(job_id)
        elif self._command == "delete":
            self._outcomes |= self._store.delete_many(some)
        elif self._command == "tag":
            self._outcomes |= self._store.edit_tags(some, self._add, self._remove)
        else:
            self._outcomes |= self._store.ask_many(some, self._command, self._origin)
        self._left = self._left[size:]
        for job_id in some:
            if self._outcomes[job_id] == "refused" and job_id not in self._reasons:
                self._reasons[job_id] = "it is under way: cancel it first"

    def give_up(self, words: str) -> None:
        """Refuse what is left, for this reason."""
        self._outcomes |= dict.fromkeys(self._left, "refused")
        self._reasons |= dict.fromkeys(self._left, words)
        self._left = []

    def finish(self) -> BulkReport:
        """Do all that is left and return what became of the jobs."""
        while not self.is_over:
            try:
                self.advance()
            except StoreError as error:
                if not self._outcomes:
                    raise
                self.give_up(str(error))
        return self.report

    def _run_again(self, job_id: str) -> str:
        if self._retry is None:
            self._reasons[job_id] = "jobs cannot be run again from here"
            return "refused"
        try:
            self._made[job_id] = self._retry(job_id, {})
        except JobNotFoundError:
            return "missing"
        except StoreError:
            raise
        except JobdeckError as error:
            self._reasons[job_id] = str(error)
            return "refused"
        return "retried"


def find_jobs(store: Store, query: str) -> list[str]:
    """Return the jobs that a query means, those first that have not started. QueryError if it cannot be read.

    In this order, no job that is to be cancelled takes the place of one that has just been.
    """
    records = parse(query).find(store, MOST_IDS)
    return [record.job_id for record in sorted(records, key=lambda record: record.status not in _WAITING)]


def begin_bulk(store: Store, request: BulkRequest, retry: Retry | None, origin: str) -> Bulk:
    """Find the jobs that a request is about. JobdeckError says why nothing can be done."""
    job_ids = request["ids"] if "ids" in request else find_jobs(store, request["query"])
    return Bulk(
        store,
        request["command"],
        job_ids,
        retry=retry,
        origin=origin,
        add=request.get("add", ()),
        remove=request.get("remove", ()),
    )


def answer_bulk(store: Store, request: BulkRequest, retry: Retry | None, origin: str) -> Report:
    """Do what was asked for and say what became of each job."""
    try:
        return report_of(request["request"], begin_bulk(store, request, retry, origin).finish())
    except JobdeckError as error:
        return report_of(request["request"], BulkReport(), str(error))


def lines_of(store: Store, report: BulkReport) -> list[str]:
    """Return what became of the jobs as people read it: a line each, or of more than a few how many of each."""
    if len(report) > _MOST_LINES:
        return [repr(report)]
    records = {record.job_id: record for record in store.jobs(JobQuery(job_ids=tuple(report.outcomes)))}
    lines = []
    for job_id, outcome in report.outcomes.items():
        record = records.get(job_id)
        status = f", {plain(str(record.status))}" if record is not None and outcome == "ended" else ""
        label = job_id if record is None else f"{plain(record.name)} ({job_id}{status})"
        lines.append(f"{_WORDS[outcome]}: {label}")
    return lines


def report_of(number: int, report: BulkReport, error: str | None = None) -> Report:
    """Return the frame that tells what became of the jobs, or why nothing was done."""
    return {
        "type": "report",
        "request": number,
        "error": error,
        "outcomes": dict(report.outcomes),
        "counts": report.counts,
        "made": dict(report.made),
        "reasons": dict(report.reasons),
    }

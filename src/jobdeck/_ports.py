"""The interfaces between the parts. `store/` and `engines/` implement them and never import each other.

Each port has one contract test suite that runs over every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from ._records import (
    Changes,
    Command,
    CommandKind,
    GroupQuery,
    GroupRecord,
    JobQuery,
    JobRecord,
    LastWords,
    Member,
    MessageRecord,
    NewGroup,
    NewJob,
    News,
    Outcome,
    Payload,
    PayloadKeys,
    ProgramRecord,
    Pruned,
    Sighting,
    Tally,
    WatchTurn,
)
from ._status import Exit, JobStatus


class MessageSink(Protocol):
    """Where a program's messages go: all that a messenger needs to know of a store."""

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        """Make a message durable and return its sequence number (from 1, in order, without gaps).

        RuntimeInvalidStateError if the job has ended, or has its final message.
        """

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        """Replace the job's progress. RuntimeInvalidStateError if it has ended."""


class Store(MessageSink, Protocol):
    """The one truth about jobs. Every method is one transaction and is safe from any thread and process.

    Raises
    ------
    StoreError
        From any method, where the store cannot be read or written (disk full, permissions, newer version, damage).
    JobNotFoundError
        From any method that takes a `job_id`, where the store has no such job.
    """

    @property
    def home(self) -> Path: ...
    @property
    def store_id(self) -> str: ...

    # --- the submitting side
    def add_job(self, new: NewJob) -> JobRecord: ...
    def add_jobs(self, several: Sequence[NewJob]) -> list[JobRecord]:
        """Add jobs in this order, all or none. What they have in common is kept once."""

    def submit_job(self, job_id: str) -> JobRecord:
        """INITIALIZING → QUEUED; JobError if it was submitted before."""

    def payload(self, job_id: str) -> Payload: ...
    def payloads(self, job_ids: Collection[str]) -> dict[str, Payload]:
        """The payloads of those of these jobs that there are; what several of them share is one object."""

    def ask(self, job_id: str, kind: CommandKind, origin: str) -> JobRecord:
        """Record a request to stop.

        A job that has not started is CANCELLED by this same transaction. A running one gets
        ``cancel_state="requested"`` (unchanged if already asked) and a command row for its owner.
        RuntimeInvalidStateError if it is final.
        """

    def delete_job(self, job_id: str) -> None:
        """Remove the job with all that it left. RuntimeInvalidStateError unless it is final or was never started."""

    def update_tags(self, job_id: str, tags: Sequence[str]) -> None: ...

    def ask_many(
        self, job_ids: Collection[str], kind: CommandKind, origin: str
    ) -> dict[str, Literal["cancelled", "asked", "ended", "missing"]]:
        """Record a request to stop for each of these jobs, as `ask` does, and tell what became of it."""

    def drop_jobs(self, job_ids: Collection[str]) -> list[str]:
        """Cancel those of these jobs that have not started, none that has, and return their ids."""

    def delete_many(self, job_ids: Collection[str]) -> dict[str, Literal["deleted", "refused", "missing"]]:
        """Remove those of these jobs that are final or were never started, as `delete_job` does."""

    def edit_tags(
        self, job_ids: Collection[str], add: Sequence[str], remove: Collection[str]
    ) -> dict[str, Literal["tagged", "missing"]]:
        """Add tags to each of these jobs, and take others away."""

    # --- groups
    def add_group(self, new: NewGroup) -> GroupRecord:
        """Make a group. Jobs are in it by their `group_id`; with the last of them it goes."""

    def group(self, group_id: str) -> GroupRecord:
        """JobNotFoundError if there is none."""

    def groups(self, query: GroupQuery) -> list[GroupRecord]: ...
    def update_group(
        self,
        group_id: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        total: int | None = None,
    ) -> GroupRecord:
        """Replace what is given. JobNotFoundError if there is no such group."""

    def members(self, group_id: str) -> list[Member]:
        """The jobs of a group, the oldest first. JobNotFoundError if there is no such group."""

    # --- programs
    def put_program(self, data: bytes, metadata: Mapping[str, Any], program_id: str | None = None) -> str: ...
    def program(self, program_id: str) -> ProgramRecord: ...
    def programs(self) -> list[ProgramRecord]: ...
    def delete_program(self, program_id: str) -> None: ...

    # --- the running side
    def add_messages(self, several: Sequence[tuple[str, str, bool]]) -> None:
        """Make messages durable that somebody else has heard: a job, a body, and whether it is final, in this order.

        Those of jobs that take none any more, or are not there, are passed over.
        """

    def claim(self, engine: str, agent: str, limit: int, status: JobStatus = JobStatus.RUNNING) -> list[JobRecord]:
        """Take up to `limit` queued jobs of this engine, first submitted first: QUEUED → `status`, owned by `agent`.

        One that has had an agent since it was added is for that one alone.
        VALIDATING is for an engine that has a queue of its own: such a job has not started.
        """

    def busy_engines(self) -> list[str]:
        """Return the names of the engines that have jobs of jobdeck's own that have not ended, or results to forget."""

    def leftovers(self, engine: str) -> list[str]:
        """Return the ids of jobs that were removed while their engine kept their results outside of the store."""

    def drop_leftovers(self, job_ids: Collection[str]) -> None:
        """The results of these jobs are nowhere any more."""

    def note_result(self, job_id: str, words: str) -> None:
        """Say on a job's row (``facts["result"]``) what has become of a result that the store does not have."""

    def note_wait(self, engine: str, words: str | None) -> None:
        """Say on the rows of an engine's jobs that are under way (``facts["status_text"]``) what all of them wait for.

        What was said before goes, also from jobs that have ended since.
        """

    def owners(self, engine: str) -> list[str]:
        """Return the agents of this engine's own jobs that have not ended, as the rows name them."""

    def inherit_jobs(self, engine: str, agent: str) -> list[JobRecord]:
        """Make an agent the owner of all jobs of its engine that were claimed and have not ended, and return them."""

    def turn(self, engine: str, agent: str, limit: int, news: News) -> list[JobRecord]:
        """Take in an agent's news and claim up to `limit` jobs, all in one transaction.

        What is told of jobs that are final, or not there any more, is passed over; ends are judged as by `finish`.
        """

    def turn_with_payloads(
        self, engine: str, agent: str, limit: int, news: News
    ) -> tuple[list[JobRecord], dict[str, PayloadKeys]]:
        """Do as `turn` does, and tell in the same transaction what `payload_keys` tells of the claimed jobs."""

    def payload_keys(self, job_ids: Collection[str]) -> dict[str, PayloadKeys]:
        """What the payloads of these jobs are known by, of those that there are."""

    def body(self, key: str) -> bytes:
        """One part of a payload. LookupError if there is none of that key (any more)."""

    def set_process(self, job_id: str, pid: int, pid_started: float) -> None: ...
    def set_outcome(self, job_id: str, outcome: Outcome) -> None:
        """Keep what the program left behind; the first one counts. The status does not change yet.

        RuntimeInvalidStateError if the job has ended.
        """

    def note_cancel(self, job_id: str, state: str, note: str | None) -> None:
        """Owner's word on a request: ``cancel_state`` and a short note such as ``interrupt sent``."""

    def finish(self, ends: Mapping[str, Exit]) -> list[JobRecord]:
        """Judge and close jobs whose processes are gone, in one transaction; those already final stay as they are.

        Returns the records of all of them that the store still has.
        """

    def set_status(self, job_id: str, status: JobStatus | str) -> None:
        """For foreign systems: go to a status that is not final; refused silently where the table forbids it.

        ValueError for a final one: how a job ends is judged by `finish`.
        """

    def commands(self, engine: str, agent: str) -> list[Command]:
        """Requests for this agent's jobs that were not yet taken, in order; taking them is part of the call."""

    # --- jobs that others run
    def watch_job(self, new: NewJob) -> tuple[JobRecord, bool]:
        """Add a job that somebody else runs, and tell whether `new.agent` is who watches it.

        One that survives its kernel (``source["survives"]``) is there once: of the same system and id, the row that
        there is comes back, taken over where nobody watches it.
        """

    def watch_turn(self, agent: str, sightings: Mapping[str, Sighting], *, with_jobs: bool = True) -> WatchTurn:
        """Take in what a bridge has seen of its jobs; what it tells of jobs that are not its own is passed over."""

    def watchers(self) -> list[str]:
        """Who watches jobs that have not ended, by what the rows say."""

    def abandon_watched(self, agent: str) -> list[JobRecord]:
        """Part a watcher that is gone from its jobs.

        Those that survive it are free to be taken over; the others are closed as lost, and returned.
        """

    def unwatched(self) -> list[str]:
        """Jobs that survived their watcher and that nobody watches."""

    def take_over(self, agent: str, job_ids: Collection[str] | None = None) -> list[JobRecord]:
        """Take jobs that survived their watcher and that nobody watches: all, or those of these."""

    def release_watched(self, agent: str, facts: Mapping[str, Mapping[str, str | float]]) -> None:
        """Leave jobs, by id and with what is known of them, to whoever else can watch them."""

    # --- the reading side
    def job(self, job_id: str) -> JobRecord: ...
    def jobs(self, query: JobQuery) -> list[JobRecord]: ...
    def count(self, query: JobQuery) -> int: ...
    def queue_place(self, job_id: str) -> int | None:
        """1 for the next to start; None if it is not queued."""

    def queue_places(self, job_ids: Collection[str]) -> dict[str, int]:
        """The same of those of these jobs that are queued, of some hundred at most."""

    def outcome(self, job_id: str) -> Outcome | None: ...
    def outcomes(self, job_ids: Collection[str]) -> dict[str, Outcome]:
        """What each of these programs left, of those that are there and left something."""

    def messages(
        self, job_id: str, start: int = 0, stop: int | None = None, *, longest: int | None = None
    ) -> list[MessageRecord]:
        """Messages with ``start < seq <= stop`` in order, a final one included (see MessageRecord.final).

        Of a body the first `longest` characters are read, and the length of the whole.
        """

    def messages_after(self, seen: Mapping[str, int], limit: int, *, longest: int) -> dict[str, list[MessageRecord]]:
        """Return the messages of several jobs, by job and in order, that come after those with these numbers.

        At most `limit` of all of them, with their bodies' first `longest` characters; a job that is not there has none.
        """

    def last_words(self, job_ids: Collection[str], longest: int) -> dict[str, LastWords]:
        """The newest interim message and the result of each of these jobs that there are, their first characters."""

    def last_seqs(self, job_ids: Collection[str]) -> dict[str, int]:
        """The newest interim message's number of each of these jobs that has one; one cheap query."""

    def log_path(self, job_id: str) -> Path:
        """The file that holds the job's captured output; it may not exist yet."""

    def log_sizes(self, job_ids: Iterable[str]) -> dict[str, int]:
        """How many bytes of output there are of each of these jobs, 0 where there is no file. The store is not read."""

    def data_version(self) -> int:
        """A number that differs from the last call's if any other connection committed since. Costs microseconds."""

    def changes(self, since: int, limit: int | None = None) -> Changes:
        """Jobs whose row changed after change number `since` (messages and log growth are not row changes), and groups.

        With a limit, at most so many of each and so many deletions, the earliest ones.
        """

    def tally(self, group_id: str | None = None) -> Tally:
        """How many jobs there are of each status, in all or in a group, without those that were run again there."""

    def change_number(self) -> int: ...
    def pulse(self, *settings: str) -> tuple[int, tuple[str | None, ...]]:
        """The change number and some settings, in one read."""

    def setting(self, name: str) -> str | None: ...
    def set_setting(self, name: str, value: str | None) -> None: ...

    # --- upkeep
    def prune(self, older_than: float | None, keep: int | None, *, dry_run: bool = False) -> Pruned:
        """Remove jobs that ended more than `older_than` seconds ago, and of the rest all but the newest `keep`.

        Only jobs that have ended count, and are removed; None sets no limit. A dry run only tells what would go.
        """

    def prune_by_settings(self, *, dry_run: bool = False) -> Pruned:
        """Prune as the settings ``keep_days`` (90 unless set) and ``keep_jobs`` (10000) say; ``off`` sets no limit."""

    def keep_reserve(self) -> None:
        """Set some room aside, where there is plenty, for a cancel on a full disk. Harmless to repeat."""

    def describe(self) -> dict[str, object]:
        """What there is to know about this store, for ``jobdeck doctor``."""

    def close(self) -> None: ...


class Engine(Protocol):
    """The kernel's side of an engine: makes sure that somebody will run what is queued."""

    name: str
    shares_memory: bool
    """Whether its jobs run in the process that submits them, so that programs and inputs are not sent anywhere."""

    def check(self, metadata: Mapping[str, Any]) -> None:
        """Check what a job's metadata say to this engine. InvalidInputError names what it does not know."""

    def ensure_agent(self) -> None:
        """Start the engine's agent unless one is alive; returns within 2 ms where one is. EngineError if it cannot."""

    def live_agent(self) -> str | None:
        """The id of the agent that holds the engine's lock, None if nobody does. Costs microseconds."""


Layout = Literal["card", "list", "deck", "group"]


class Presenter(Protocol):
    """Shows jobs in a notebook; with the layout ``deck`` all of the store, those to come included.

    With the layout ``group`` it shows the jobs of `group_id`; `job_ids` is empty with both of these.
    """

    def display(self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> None:
        """Send a live output to the front end (IPython's ``display``)."""

    def mimebundle(
        self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None
    ) -> dict[str, Any]:
        """The same as data, for hosts without IPython's ``display``."""

    def element(self, store: Store, job_ids: Sequence[str], layout: Layout, group_id: str | None = None) -> Any:
        """The same as an object that marimo knows how to show; None where this is no marimo notebook."""


Retry = Callable[[str, Mapping[str, str]], str]
"""Runs a job again, with the texts of changed inputs by name, and returns the new job's id."""

ProcessReaper = Callable[[Iterable[JobRecord]], None]
"""Kills what may be left of the processes of jobs whose agent died."""

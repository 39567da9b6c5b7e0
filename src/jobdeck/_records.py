"""Frozen rows: what the store hands out and takes in. Times are seconds since the epoch (UTC), sizes are bytes.

All of them in one file: they refer to each other, and are mostly what they say of themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ._status import CancelState, ErrorKind, Exit, JobStatus, Verdict

Encoding = Literal["json", "pickle"]
CommandKind = Literal["cancel", "kill"]


@dataclass(frozen=True)
class NewJob:
    """What a job is made from.

    Attributes
    ----------
    program, inputs : bytes
        Pickled with cloudpickle by the submitting process; opened by the job's own process alone.
    context : bytes
        JSON: interpreter, cwd, sys_path, env, sources (see ``_program.Context``).
    inputs_preview : mapping of str to str
        Name of each input to a short text of its value, for people.
    job_id : str, optional
        The id of the job of another store that this one stands for; None for a new one.
    source : mapping, optional
        Of a job that somebody else runs; None for jobdeck's own. See :class:`JobRecord`.
    agent : str, optional
        For such a job, who watches it: it is never claimed. For jobdeck's own, who alone may claim it.
    cancel_state, cancel_note
        For such a job, where it is known from the start that it cannot be stopped.
    place : int, optional
        Of a job in a group: where its result belongs among the group's. A job that repeats another has its place. The
        store gives one behind all others to a job that has none.
    after : tuple of str
        Ids of jobs that have to be done before it begins. If one of them ends otherwise, it ends in ERROR.
    held : object
        What `program` and `inputs` refer to where they are references into this process (see ``_program.held``),
        which keep nothing alive by themselves. It is not stored.
    """

    name: str
    engine: str
    program: bytes
    inputs: bytes
    context: bytes
    program_id: str | None = None
    backend: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    inputs_preview: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    retry_of: str | None = None
    group_id: str | None = None
    submitted: bool = True
    job_id: str | None = None
    source: Mapping[str, Any] | None = None
    agent: str | None = None
    cancel_state: CancelState | None = None
    cancel_note: str | None = None
    place: int | None = None
    after: tuple[str, ...] = ()
    held: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class JobRecord:
    """One job as the store knew it at change number `changed`.

    Attributes
    ----------
    source : mapping or None
        Of a job that somebody else runs and jobdeck watches: its `system`, its `id` there, and what else it takes to
        reach it again, never a secret. None for jobdeck's own jobs.
    facts : mapping
        What that system tells beside the status, for people: numbers and short texts by name.
    chart : str or None
        A picture of the result as data, in JSON; see ``_wire.ChartView``.
    place : int or None
        Of a job in a group: see :class:`NewJob`.
    """

    number: int
    job_id: str
    name: str
    status: JobStatus | str
    engine: str
    program_id: str | None
    backend: str | None
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    inputs_preview: Mapping[str, str]
    timeout: float | None
    retry_of: str | None
    group_id: str | None
    created: float
    queued: float | None
    started: float | None
    ended: float | None
    cancel_state: CancelState | None
    cancel_asked: float | None
    cancel_note: str | None
    error_kind: ErrorKind | None
    error: str | None
    traceback: str | None
    exit_code: int | None
    exit_signal: int | None
    peak_memory: int | None
    cpu_time: float | None
    progress_done: float | None
    progress_total: float | None
    progress_message: str | None
    interim_count: int
    result_encoding: Encoding | None
    result_preview: str | None
    agent: str | None
    pid: int | None
    pid_started: float | None
    changed: int
    source: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    chart: str | None = None
    place: int | None = None


@dataclass(frozen=True)
class NewGroup:
    """What a group of jobs is made from.

    Attributes
    ----------
    kind : str
        What made it: ``map``, ``sweep``, ``set``, ``session``, ``batch``, ``executor``.
    total : int or None
        How many jobs it is to have, None where that is not known.
    """

    kind: str
    name: str
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    total: int | None = None


@dataclass(frozen=True)
class GroupRecord:
    """One group as the store knew it at change number `changed`. Its status is that of its jobs."""

    group_id: str
    kind: str
    name: str
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    total: int | None
    created: float
    changed: int


class Member(NamedTuple):
    """A job of a group, as far as the group needs it to say how it stands."""

    number: int
    job_id: str
    status: JobStatus | str
    place: int | None


@dataclass(frozen=True)
class GroupQuery:
    """Which groups to list, and in what order (by creation).

    A group has to have all of `tags`; `name` is a part of its name, in upper or lower case.
    """

    limit: int | None = None
    skip: int = 0
    kind: str | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    group_ids: tuple[str, ...] | None = None
    descending: bool = True


@dataclass(frozen=True)
class MessageRecord:
    """One published message: `seq` counts from 1 within its job, `body` is the encoder's JSON text.

    Where `body` is only the first part, `length` is that of the whole in characters; otherwise it is None.
    """

    job_id: str
    seq: int
    time: float
    final: bool
    body: str
    length: int | None = None


@dataclass(frozen=True)
class LastWords:
    """What a job has said last.

    Attributes
    ----------
    seq
        The number of its newest interim message, 0 where there is none.
    message
        The first part of that message's body.
    result
        The first part of the result's JSON text; None where there is no result, or one that is no JSON.
    """

    seq: int = 0
    message: str | None = None
    result: str | None = None


@dataclass(frozen=True)
class Tally:
    """How many jobs there are of each status, at change number `number`."""

    number: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """What a program left behind when it returned or raised, written by its own process.

    Attributes
    ----------
    ok : bool
        It returned (True) or raised (False).
    encoding, body
        The return value: JSON text in UTF-8, or a cloudpickle. None where it returned None after a final message.
    preview : str or None
        A short text of the value, for people.
    chart : str or None
        A picture of the value as data, in JSON.
    kept : int or None
        Bytes of a body that is not here, since it is kept where the job ran.
    exception_type, exception_text, traceback : str or None
        As formatted in the job's process, without jobdeck's own frames.
    exception : bytes or None
        The exception itself with cloudpickle, where it can be pickled.
    interrupted : bool
        The exception was a KeyboardInterrupt or a JobCancelledError.
    """

    ok: bool
    encoding: Encoding | None = None
    body: bytes | None = None
    preview: str | None = None
    exception_type: str | None = None
    exception_text: str | None = None
    traceback: str | None = None
    exception: bytes | None = None
    interrupted: bool = False
    chart: str | None = None
    kept: int | None = None


@dataclass(frozen=True)
class Gone:
    """A result that was kept outside of the store, and is nowhere any more: why."""

    words: str


class Payload(NamedTuple):
    """What a job's process needs to run it; see :class:`NewJob`."""

    program: bytes
    inputs: bytes
    context: bytes


@dataclass(frozen=True)
class PayloadKeys:
    """What the parts of a job's payload are known by: hashes of their content.

    `size` is that of all three; `output` is the path of the file that takes what the job prints.
    """

    program: str
    inputs: str
    context: str
    size: int
    output: str


@dataclass(frozen=True)
class News:
    """What an agent has learned of its jobs since it told the store last.

    Attributes
    ----------
    processes
        Pid and start time of those that have a process now.
    outcomes
        What programs left behind and handed over; the first one of a job counts.
    ends
        What the system said of processes that are gone, with all that they wrote.
    begun
        Those that are RUNNING now, where the claim did not make them so.
    """

    processes: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    ends: Mapping[str, Exit] = field(default_factory=dict)
    begun: Collection[str] = ()

    def __bool__(self) -> bool:
        return bool(self.processes or self.outcomes or self.ends or self.begun)


@dataclass(frozen=True)
class Sighting:
    """What a bridge has learned of a job that somebody else runs since it told the store last; None where nothing.

    Attributes
    ----------
    status : JobStatus or str or None
        One that is not final.
    cancel : tuple or None
        What became of a request to stop, and words; ``(None, None)`` takes back that there is any.
    times : mapping of str to float
        ``started`` and ``ended``, where the system tells them.
    verdict : Verdict or None
        How the job ended; with it comes its outcome.
    """

    status: JobStatus | str | None = None
    facts: Mapping[str, str | float] | None = None
    source: Mapping[str, Any] | None = None
    progress: tuple[float, float | None, str | None] | None = None
    cancel: tuple[CancelState | None, str | None] | None = None
    times: Mapping[str, float] = field(default_factory=dict)
    verdict: Verdict | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True)
class WatchTurn:
    """What a bridge gets back for its sightings: requests to stop and, if asked for, the jobs that are its own."""

    commands: tuple[Command, ...]
    job_ids: frozenset[str] | None


@dataclass(frozen=True)
class Command:
    """A request that the owner of a job has not yet acted on."""

    number: int
    job_id: str
    kind: CommandKind
    origin: str
    asked: float


@dataclass(frozen=True)
class JobQuery:
    """Which jobs to list, and in what order (by creation).

    A job has to have all of `tags`, one status of `status` and none of `without`; `name` is a part of its name, in
    upper or lower case, `id_part` one of its id; its number is under `below`. With `ignore_case`, ASCII letters of
    `tags` and `engine` count the same in both cases.
    """

    limit: int | None = None
    skip: int = 0
    status: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    name: str | None = None
    below: int | None = None
    program_id: str | None = None
    engine: str | None = None
    group_id: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    job_ids: tuple[str, ...] | None = None
    id_part: str | None = None
    ignore_case: bool = False
    descending: bool = True


@dataclass(frozen=True)
class Changes:
    """What changed since a change number: whole records, ids of the deleted, and the number to ask from next time.

    Of many changes it may be the first part (`more`). Where it is not `complete`, it is so long ago that the store has
    forgotten some of the deletions. A group goes with the last of its jobs, without a word of its own.
    """

    number: int
    jobs: tuple[JobRecord, ...]
    deleted: tuple[str, ...]
    more: bool = False
    complete: bool = True
    groups: tuple[GroupRecord, ...] = ()


@dataclass(frozen=True)
class ProgramRecord:
    """A named program; `data` is a cloudpickle as in :class:`NewJob`."""

    program_id: str
    data: bytes
    metadata: Mapping[str, Any]
    created: float
    updated: float


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be: how many jobs, and bytes of messages, bodies and captured output."""

    jobs: int
    bytes: int

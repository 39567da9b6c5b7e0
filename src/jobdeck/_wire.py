"""What travels between Python and the browser: declared once here, once in ``js/src/model/wire.ts``.

Fixtures in ``tests/wire/*.json`` are read by the test suites of both languages. Keys are snake_case, times are seconds
since the epoch. A feed is one ordered conversation about some jobs; it runs over a widget's comm and over the server
extension's WebSocket alike.

Numbers that JSON cannot hold never appear bare: message bodies travel as the *text* that the encoder wrote, in which
they are tagged (``{"__type__": "float", "__value__": "nan"}``).

It is one long file, as its counterpart is, so that the two can be read side by side.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Union

PROTOCOL = 1
API = "jobdeck/api/v1/"
"""Where the server extension is, below a Jupyter server's base address."""
MIME_TYPE = "application/vnd.jobdeck.jobs.v1+json"

TAIL_MESSAGES = 200
"""Messages of each job in a snapshot; older ones are asked for by range."""
TAIL_LOG = 16_384
"""Bytes of captured output of each job in a snapshot."""
MAX_BODY = 16_384
"""A message body longer than this travels cut, with its whole length beside it."""
RANGE_MESSAGES = 1_000
"""Most messages in one answer to a range request; the view asks on from the last one."""
RANGE_LOG = 262_144
"""Most bytes of captured output in one answer to a range request; `end` tells how far it reached."""
RANGE_BODY = 4_194_304
"""Most characters of one body in an answer to a range request."""


FIRST_ROWS = 60
"""Rows in a deck's first frame; the older ones follow in frames of `MORE_ROWS`."""
GROUP_ROWS = 300
"""The same in a group's first frame: its jobs are looked at together, also where nobody can be asked for the others."""
MORE_ROWS = 1_000
MOST_IDS = 20_000
"""Most jobs that one request can name."""


class ErrorView(TypedDict):
    kind: str
    text: str
    traceback: str | None


class ProgressView(TypedDict):
    done: float
    total: float | None
    message: str | None


class HistogramView(TypedDict):
    """Counts of outcomes, the largest ones; `more` outcomes were left out."""

    kind: Literal["histogram"]
    labels: list[str]
    counts: list[float]
    shots: float
    more: int


class EstimatesView(TypedDict):
    """Values with their standard errors, where there are any; `more` were left out. None: not a finite number."""

    kind: Literal["estimates"]
    values: list[float | None]
    errors: list[float | None] | None
    labels: list[str] | None
    more: int


class ChartsView(TypedDict):
    """Several charts of one result, such as one for each circuit; `more` were left out."""

    kind: Literal["many"]
    charts: list[HistogramView | EstimatesView]
    titles: list[str]
    more: int


ChartView = Union[HistogramView, EstimatesView, ChartsView]  # noqa: UP007 - an alias, read at run time by Python 3.10


class JobView(TypedDict):
    """One job as a view needs it. `can_cancel` tells whether it can be stopped at all, asked or not.

    Attributes
    ----------
    watched
        Somebody else runs it: it cannot be retried here, and what stops it is up to that system.
    queue_place
        1 for the next to start; what a foreign system says, as it says it.
    facts
        What the foreign system tells beside the status, by name.
    chart
        A picture of the result.
    group
        The id of the group that the job belongs to.
    """

    id: str
    name: str
    tags: list[str]
    engine: str
    backend: str | None
    status: str
    final: bool
    created: float
    started: float | None
    ended: float | None
    queue_place: int | str | None
    cancel_state: str | None
    cancel_asked: float | None
    cancel_note: str | None
    can_cancel: bool
    progress: ProgressView | None
    interim_count: int
    log_size: int
    inputs: dict[str, str]
    result: str | None
    error: ErrorView | None
    exit_code: int | None
    peak_memory: int | None
    cpu_time: float | None
    retry_of: str | None
    watched: bool
    facts: dict[str, str | float]
    chart: ChartView | None
    group: str | None


class GroupView(TypedDict):
    """A group of jobs: what made it (`kind`), and how many jobs it is to have, where that is known."""

    id: str
    kind: str
    name: str
    tags: list[str]
    total: int | None
    created: float


# [seq, time, body] or, where the body was cut, [seq, time, first part, whole length in characters]
MessageRow = list[int | float | str]


class JobRow(TypedDict, total=False):
    """One job as a row of the deck: what a table, a timeline and a query need of it.

    The keys are those of a `JobView` and four more. A value that says nothing is left out: None, 0, an empty text or
    collection, `final` where the status says the same, `can_cancel` where it is the opposite of `final`. Texts are
    short: a row is to tell, the card shows.

    Attributes
    ----------
    number
        Counts the store's jobs in the order of their creation.
    latest
        The newest interim result as a short text.
    values
        Numbers by name, for queries and columns: those of the inputs, of the newest interim result and of the
        result, the later ones over the earlier.
    """

    id: str
    number: int
    name: str
    tags: list[str]
    engine: str
    backend: str | None
    status: str
    final: bool
    created: float
    started: float | None
    ended: float | None
    cancel_state: str | None
    cancel_asked: float | None
    cancel_note: str | None
    can_cancel: bool
    progress: ProgressView | None
    interim_count: int
    inputs: dict[str, str]
    result: str | None
    error: ErrorView | None
    exit_code: int | None
    peak_memory: int | None
    cpu_time: float | None
    retry_of: str | None
    latest: str
    values: dict[str, float]
    watched: bool
    group: str | None


class LogChunk(TypedDict):
    """Captured output: `text` starts at byte `start`; `end` is the byte after it. Decoded as UTF-8 with replacement."""

    start: int
    end: int
    text: str


class Snapshot(TypedDict):
    """All that a view needs to paint. `seq` is 0-based per feed; the next delta or snapshot has `seq` + 1.

    Messages and logs are the newest ones, fewer a job where many jobs share a snapshot: older ones are there if the
    first row's number is above 1, or the chunk's `start` above 0, and are fetched by range.
    """

    type: Literal["snapshot"]
    protocol: int
    seq: int
    store_id: str
    now: float
    jobs: list[JobView]
    messages: dict[str, list[MessageRow]]
    logs: dict[str, LogChunk]


class Delta(TypedDict, total=False):
    """What changed. Each entry of `jobs` holds the changed keys of a JobView alone; absent parts did not change.

    `interim_count` and `log_size` are not sent where messages or logs in the same frame imply them. Rows and chunks
    follow what was sent before, or leave a gap (the first number is above the last one plus 1) where a job was faster
    than the feed: what is missing can be fetched by range. The one new job of a retry is `added` to its feed.

    A view that missed a frame asks for a snapshot and meanwhile applies what comes, for a busy kernel may answer late;
    rows and bytes that it already has come twice at times. Now and then, and at its end, a job's whole state is sent.
    """

    type: Literal["delta"]
    seq: int
    jobs: dict[str, dict[str, object]]
    added: list[JobView]
    removed: list[str]
    messages: dict[str, list[MessageRow]]
    logs: dict[str, LogChunk]


class Rows(TypedDict, total=False):
    """Rows of the whole deck: a first frame with the newest ones, then the older ones, then what changes.

    Attributes
    ----------
    seq
        Of this deck's frames alone: 0 in the answer to a request, then one more with each frame.
    change
        The store's change number up to which a view that has taken this frame knows everything, once `more` has been
        False. A view that was cut off asks from there.
    reset
        What was known before is void: the frame begins anew.
    more
        Older rows follow by themselves.
    total, counts
        Jobs in the store, in all and by status; in every frame.
    rows
        Whole rows, the newest first; one that is known replaces what was known.
    changes
        Changed keys alone, by id; None for a value that is gone.
    groups
        Groups of the rows in this frame that were not told before, and those that changed.
    """

    type: Literal["rows"]
    protocol: int
    version: str
    seq: int
    store_id: str
    now: float
    change: int
    reset: bool
    more: bool
    total: int
    counts: dict[str, int]
    rows: list[JobRow]
    changes: dict[str, dict[str, object]]
    removed: list[str]
    groups: list[GroupView]


class RangeReply(TypedDict):
    """The answer to a range request: one of `messages`, `log` and `whole`, or a sentence in `error`."""

    type: Literal["range"]
    request: int
    id: str
    error: str | None
    messages: list[MessageRow] | None
    log: LogChunk | None
    whole: str | None


class Reply(TypedDict):
    """The answer to a command. `error` is a sentence for people, None if it was taken; `job` is the retry's new job."""

    type: Literal["reply"]
    request: int
    error: str | None
    job: JobView | None


class Report(TypedDict):
    """The answer to a bulk request: what each job became, or in `error` why nothing was done to any.

    Attributes
    ----------
    outcomes
        One word by id: ``cancelled`` (it had not started), ``asked`` (it runs and was asked to stop), ``ended`` (it had
        ended before), ``retried``, ``deleted``, ``tagged``, ``missing`` (the store has no such job), ``refused``.
    counts
        How many of each.
    made
        For a retry, the new job's id by the old one's.
    reasons
        Sentences by id, for those that were refused.
    """

    type: Literal["report"]
    request: int
    error: str | None
    outcomes: dict[str, str]
    counts: dict[str, int]
    made: dict[str, str]
    reasons: dict[str, str]


class Trouble(TypedDict):
    """The feed cannot follow its store just now (locked, vanished); it says so and goes on trying."""

    type: Literal["trouble"]
    error: str | None


class Subscribe(TypedDict):
    """Replace the set of jobs that the view shows as cards. Answered by a snapshot.

    A widget about some jobs knows them: None over its comm wakes its feed. Elsewhere None is refused. A page that is
    served by other means says so with an empty list: it silences a widget that no page has asked for anything yet.
    """

    type: Literal["subscribe"]
    ids: list[str] | None


class Resync(TypedDict):
    """A frame was missed: answered by a snapshot."""

    type: Literal["resync"]


class RangeRequest(TypedDict, total=False):
    """Ask for messages ``start < seq <= stop``, for bytes ``start <= b < stop`` of the log, or for one whole body.

    For a body, `start` is its message's number and `stop` is left out.
    """

    type: Literal["range"]
    request: int
    id: str
    what: Literal["messages", "log", "body"]
    start: int
    stop: int


class CommandRequest(TypedDict, total=False):
    """Ask for something to be done to a job.

    `inputs` is for a retry alone: by name, the texts of Python literals or of JSON that replace inputs of the job.
    """

    type: Literal["command"]
    request: int
    id: str
    command: Literal["cancel", "kill", "retry"]
    inputs: dict[str, str]


class BulkRequest(TypedDict, total=False):
    """Ask for something to be done to many jobs at once: to `ids`, or to all that `query` finds at that moment.

    `add` and `remove` are for ``tag``. Answered by a `Report`.
    """

    type: Literal["bulk"]
    request: int
    command: Literal["cancel", "kill", "retry", "delete", "tag"]
    ids: list[str]
    query: str
    add: list[str]
    remove: list[str]


class DeckRequest(TypedDict, total=False):
    """Follow the whole deck (`on`), or no longer. Answered by `Rows`.

    A view that was cut off gives the store and the change number that it knows; it gets what changed since, or a reset
    where that cannot be told any more. With `group`, only the jobs of that group.
    """

    type: Literal["deck"]
    on: bool
    store_id: str | None
    since: int | None
    group: str | None


class Bundle(TypedDict):
    """What a saved notebook keeps of a cell's cards, under ``MIME_TYPE``: enough to paint them with nobody to ask.

    With the layout ``deck`` it is about all jobs of the store: `ids` is empty and `deck` is its first frame. With the
    layout ``group`` it is about one group and `deck` is the first frame of its jobs.
    """

    protocol: int
    version: str
    store_id: str
    ids: list[str]
    layout: Literal["card", "list", "deck", "group"]
    snapshot: Snapshot
    deck: Rows | None
    group: GroupView | None

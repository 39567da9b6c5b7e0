"""A job's status, the table of its transitions, and the one place where an ending is judged.

Engines report facts (an exit code, a signal, what the program itself reported); :func:`judge`
turns them into a status. Nothing else in jobdeck decides how a job ended.
"""

from __future__ import annotations

import signal as _signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

CancelState = Literal["requested", "stopping", "refused", "unsupported"]
"""What became of a request to cancel; ``None`` while nobody has asked."""

ErrorKind = Literal["exception", "exit", "signal", "memory", "timeout", "lost", "submit"]
"""Why a job is in ERROR."""


class JobStatus(str, Enum):
    """Qiskit's seven job statuses.

    A member equals its own name as a string, and Qiskit's member of the same name
    (``qiskit.providers.JobStatus``), without Qiskit being imported.
    """

    INITIALIZING = "INITIALIZING"
    QUEUED = "QUEUED"
    VALIDATING = "VALIDATING"
    RUNNING = "RUNNING"
    CANCELLED = "CANCELLED"
    DONE = "DONE"
    ERROR = "ERROR"

    def __eq__(self, other: object) -> bool:
        if type(other) is JobStatus:
            return self is other
        if isinstance(other, Enum) and type(other).__name__ == "JobStatus":
            return self.name == other.name
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return self.value


_BY_NAME: Final[dict[str, JobStatus]] = {status.value: status for status in JobStatus}
FINAL: Final = frozenset({JobStatus.DONE, JobStatus.CANCELLED, JobStatus.ERROR})
"""The statuses that never change again."""

_S = JobStatus
TRANSITIONS: Final[dict[JobStatus, frozenset[JobStatus]]] = {
    _S.INITIALIZING: frozenset({_S.QUEUED, _S.VALIDATING, _S.RUNNING, _S.CANCELLED, _S.DONE, _S.ERROR}),
    _S.QUEUED: frozenset({_S.VALIDATING, _S.RUNNING, _S.CANCELLED, _S.DONE, _S.ERROR}),
    _S.VALIDATING: frozenset({_S.QUEUED, _S.RUNNING, _S.CANCELLED, _S.DONE, _S.ERROR}),
    _S.RUNNING: frozenset({_S.QUEUED, _S.CANCELLED, _S.DONE, _S.ERROR}),
    _S.CANCELLED: frozenset(),
    _S.DONE: frozenset(),
    _S.ERROR: frozenset(),
}
"""What may follow what. RUNNING → QUEUED is a foreign system that puts a job back in its queue."""

_UNDER_WAY: Final = (_S.RUNNING, _S.QUEUED, _S.VALIDATING, _S.INITIALIZING)


def parse_status(text: str) -> JobStatus | str:
    """Return the member of that name, or the text itself where a foreign system has its own word.

    An unknown word is shown as it is and is not final.
    """
    return _BY_NAME.get(text, text)


def is_final(status: JobStatus | str) -> bool:
    """Tell whether a job of this status can never change again."""
    return status in FINAL


def foremost(counts: Mapping[str, int], *, is_whole: bool = True, has_begun: bool = False) -> JobStatus | str:
    """Return the status that says most about some jobs: what is under way, then what went wrong.

    The front end says the same (``foremost`` in ``js/src/model/status.ts``).

    Parameters
    ----------
    counts
        How many of them have each status.
    is_whole
        No more jobs are to come.
    has_begun
        One has started, also where it has ended by now.
    """
    present = {parse_status(status) for status, count in counts.items() if count}
    unknown = sorted(status for status in present if not isinstance(status, JobStatus))
    under_way = next((status for status in (*_UNDER_WAY, *unknown) if status in present), None)
    if under_way is None and is_whole:
        return next((status for status in (_S.ERROR, _S.CANCELLED) if status in present), _S.DONE)
    # Of short jobs, one may have ended and the next not begun at any time that somebody looks.
    return _S.RUNNING if has_begun and under_way not in unknown else under_way or _S.QUEUED


def may_follow(old: JobStatus | str, new: JobStatus | str) -> bool:
    """Tell whether a job may go from `old` to `new`. Unknown statuses may follow any but a final one."""
    before, after = parse_status(old), parse_status(new)
    if not isinstance(before, JobStatus):
        return True
    if not isinstance(after, JobStatus):
        return before not in FINAL
    return after in TRANSITIONS[before]


@dataclass(frozen=True)
class Exit:
    """What the operating system said of a job's process once it was gone.

    Attributes
    ----------
    code : int or None
        The exit code, None where a signal ended the process or nothing is known.
    signal : int or None
        The number of the signal that ended it.
    peak_memory : int or None
        Largest resident set size, in bytes.
    cpu_time : float or None
        User and system time with that of reaped children, in seconds.
    timed_out : bool
        The engine stopped it because its time was over.
    out_of_memory : bool
        The system's out-of-memory killer was seen at work while it ran.
    lost : bool
        Whoever ran it is gone, so that neither code nor signal is known.
    words : str or None
        How it was lost, for people, where the engine can tell.
    """

    code: int | None = None
    signal: int | None = None
    peak_memory: int | None = None
    cpu_time: float | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    lost: bool = False
    words: str | None = None


@dataclass(frozen=True)
class Report:
    """What the program itself told before its process ended.

    Attributes
    ----------
    ok : bool
        It returned (True) or raised (False).
    exception_type : str or None
        Name of the exception's class.
    exception_text : str or None
        ``TypeName: message``, one or more lines.
    interrupted : bool
        The exception was a KeyboardInterrupt or JobCancelledError.
    """

    ok: bool
    exception_type: str | None = None
    exception_text: str | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a job ended: its final status and, for ERROR, why, in words a person understands."""

    status: JobStatus
    error_kind: ErrorKind | None = None
    error: str | None = None


def judge(report: Report | None, end: Exit, *, cancel_asked: bool, timeout: float | None = None) -> Verdict:
    """Decide how a job ended.

    A program that reported success is DONE even if a cancel was on its way: it finished first. One that was asked to
    stop and did stop, by whatever means, is CANCELLED.

    Parameters
    ----------
    report
        What the program told, None if its process ended without a word.
    end
        What the operating system told.
    cancel_asked
        Whether somebody had asked for the job to be cancelled.
    timeout
        The job's time limit in seconds, for the message.
    """
    if report is not None and report.ok:
        return Verdict(JobStatus.DONE)
    if cancel_asked:
        return Verdict(JobStatus.CANCELLED)
    if end.timed_out:
        limit = f" of {timeout:g} s" if timeout is not None else ""
        return Verdict(JobStatus.ERROR, "timeout", f"stopped: it reached its time limit{limit}")
    if report is not None:
        kind: ErrorKind = "memory" if report.exception_type == "MemoryError" else "exception"
        if report.exception_type == "SystemExit":
            kind = "exit"
        if report.exception_type == "EngineError" and end.code is None and end.signal is None:
            kind = "submit"  # told by its engine: there was no process
        return Verdict(JobStatus.ERROR, kind, report.exception_text or report.exception_type)
    if end.lost:
        words = "lost: the agent that ran it is gone, and the job's process with it; retry() runs it again"
        return Verdict(JobStatus.ERROR, "lost", end.words or words)
    if end.out_of_memory:
        return Verdict(JobStatus.ERROR, "memory", "killed by the system because memory ran out")
    if end.signal is not None:
        return Verdict(JobStatus.ERROR, "signal", _signal_words(end.signal))
    if end.code is None:
        return Verdict(JobStatus.ERROR, "lost", "lost: it ended, and nobody saw how; retry() runs it again")
    return Verdict(JobStatus.ERROR, "exit", f"its process ended with exit code {end.code} before the program returned")


def _signal_words(number: int) -> str:
    try:
        name = _signal.Signals(number).name
    except ValueError:
        return f"its process was ended by signal {number}"
    said = {
        "SIGSEGV": "crashed: segmentation fault (SIGSEGV) in compiled code",
        "SIGBUS": "crashed: bus error (SIGBUS) in compiled code",
        "SIGABRT": "aborted (SIGABRT) by compiled code",
        "SIGFPE": "crashed: arithmetic error (SIGFPE) in compiled code",
        "SIGILL": "crashed: illegal instruction (SIGILL) in compiled code",
        "SIGKILL": "killed (SIGKILL) from outside jobdeck, perhaps by the system because memory ran short",
        "SIGTERM": "ended (SIGTERM) from outside jobdeck",
        "SIGXCPU": "ended (SIGXCPU): it reached the system's limit of CPU time",
    }
    return said.get(name, f"its process was ended by {name}")

"""What is made of what other systems say: how a job ended, and what became of a request to stop it."""

from __future__ import annotations

from typing import Final

from .._errors import JobCancelledError, RuntimeJobFailureError
from .._records import Outcome, Sighting
from .._status import CancelState, JobStatus, Verdict
from .errands import Fetched
from .foreign import CANNOT_STOP, Foreign, finite, words_of
from .ports import Reading

_MOST_TRIES: Final = 5
"""Of fetching a result, where it is no connection that fails."""
_NO_WORDS: Final = "failed; its system does not say why"


def ending_of(reading: Reading, left: Outcome | None) -> Sighting | None:
    """Return how a job ended by a look at it; None where it goes on, or where its result is missing."""
    if reading.status == JobStatus.CANCELLED:
        verdict = Verdict(JobStatus.CANCELLED)
    elif reading.status == JobStatus.ERROR:
        words = reading.error or (left.exception_text if left else None) or _NO_WORDS
        verdict = Verdict(JobStatus.ERROR, reading.error_kind or "exception", words)
    else:
        return None
    return Sighting(verdict=verdict, outcome=left, times=finite(reading.times))


def ending_of_result(fetched: Fetched) -> Sighting | None:
    """Return how a job ended by what came of fetching its result; None where it is to be fetched again."""
    foreign, error, left = fetched.foreign, fetched.error, fetched.left
    times = finite(foreign.reading.times) if foreign.reading else {}
    if error is None:
        foreign.keep(fetched.value, left)
        return Sighting(verdict=Verdict(JobStatus.DONE), outcome=left, times=times)
    if isinstance(error, JobCancelledError):
        return Sighting(verdict=Verdict(JobStatus.CANCELLED), times=times)
    if isinstance(error, RuntimeJobFailureError):
        foreign.exception = error.__cause__ or error
        words = str(error.args[0]) if error.args else _NO_WORDS
        return Sighting(verdict=Verdict(JobStatus.ERROR, "exception", words), outcome=left, times=times)
    foreign.failures_of_result += 0 if isinstance(error, OSError) else 1
    if foreign.failures_of_result < _MOST_TRIES:
        return None
    foreign.exception = error
    words = f"it ended well, but its result cannot be had: {words_of(error)}"
    return Sighting(verdict=Verdict(JobStatus.ERROR, "exception", words), outcome=left, times=times)


def answered(foreign: Foreign, answer: object) -> tuple[CancelState | None, str | None]:
    """Return what became of a request to stop, by what the job's own system answered."""
    if isinstance(answer, NotImplementedError):
        return ("unsupported", CANNOT_STOP)
    if isinstance(answer, OSError):
        foreign.is_unheard = True
        return ("requested", f"it could not be asked to stop ({words_of(answer)}); trying again")
    if isinstance(answer, BaseException):
        return ("refused", f"it could not be asked to stop: {words_of(answer)}")
    if answer is False:
        return ("refused", "it does not let itself be stopped now")
    return ("stopping", "it was asked to stop")

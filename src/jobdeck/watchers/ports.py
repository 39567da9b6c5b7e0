"""What it takes to watch a job of another system: an adapter of 50 to 150 lines.

An adapter is a callable that is given any object and returns a :class:`Watched` where the object is one of its own,
else None. jobdeck has some, others come through the entry point group ``jobdeck.watchers``. Where it also has an
attribute ``reattach(source) -> Watched | None``, jobs that survive their kernel are found again in the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._status import ErrorKind, JobStatus

Fact = str | float | int
Adapter = Callable[[Any], "Watched | None"]
"""See above."""


@dataclass(frozen=True)
class Reading:
    """What one look at a job told.

    Attributes
    ----------
    status : JobStatus or str
        Whatever the system says, best turned with :func:`jobdeck.watchers.status_of`. A word that is no status is shown
        as it is; it is not final, and the job is looked at again.
    facts : mapping of str to str or float
        What else there is to know, for people: ``queue_place`` (a number, or a text such as ``">2000"``), ``usage`` in
        seconds, ``id``, ``session``, ``shots``, …
    source : mapping or None
        The job's `Watched.source`, where that was not complete before: an id that came late.
    progress : tuple or None
        ``(done, total or None, words or None)``.
    messages : sequence
        Interim results that are new since the last look.
    output : bytes
        What the job wrote since the last look; it is appended to its log.
    error : str or None
        Why the job is in ERROR, in words.
    error_kind : str or None
        Of what kind, where that is no exception: ``exit``, ``signal``, ``memory``, ``timeout`` or ``lost``.
    exception : BaseException or None
        The exception that it failed with, where there is one.
    can_cancel : bool
        Whether asking it to stop could have any effect now.
    cancel_note : str or None
        Why it cannot be stopped; shown with the button.
    times : mapping of str to float
        ``started`` and ``ended`` in seconds since 1970, where the system tells them.
    """

    status: JobStatus | str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None
    progress: tuple[float, float | None, str | None] | None = None
    messages: Sequence[Any] = ()
    output: bytes = b""
    error: str | None = None
    error_kind: ErrorKind | None = None
    exception: BaseException | None = None
    can_cancel: bool = True
    cancel_note: str | None = None
    times: Mapping[str, float] = field(default_factory=dict)


class Watched:
    """A job of another system. Subclass it; `read`, `result` and `cancel` are all that is needed.

    Every method may raise, hang or take long: they are called in threads of their own, `read` and `result` never both
    at once for one job. An exception of `read` never ends a job: it is read again, less and less often, and the trouble
    is shown beside the status.

    Attributes
    ----------
    system : str
        The other system's word, shown as the job's engine: ``"aer"``.
    name : str or None
        What the job is called; None calls it like its system.
    backend : str or None
        Name of what it runs on.
    tags : tuple of str
        Words to find it by.
    survives : bool
        Whether it goes on when this process ends, and can be reached again by `source`.
    source : mapping
        What the job is, as JSON can hold it: with ``id``, and for one that survives whatever else it takes to reach it
        again. Never a secret.
    origin : object
        What the adapter was given; filled in for it. The same object is always the same job.
    identity : hashable or None
        Different objects of the same identity are the same job, too. Two jobs that survive are the same if `system`
        and ``source["id"]`` are, in whichever kernel.
    pace : tuple of float
        Seconds between looks: at first, and at most. They grow with the time for which nothing has changed.
    bulk_key : hashable or None
        Jobs of one class with the same key are read together, by `read_many`.
    group : tuple of str or None
        ``(kind, key, name)`` of the group that it belongs to, such as a session: ``("session", "cx1…", "my session")``.
    place : int or None
        Its place in its group, where that has places. The newest job of a place stands for those before it.
    retry_of : str or None
        Id of the job, in the same place, that it repeats.
    """

    system: str = ""
    name: str | None = None
    backend: str | None = None
    tags: tuple[str, ...] = ()
    survives: bool = False
    source: Mapping[str, Any] = {}
    identity: Hashable | None = None
    pace: tuple[float, float] = (0.1, 5.0)
    bulk_key: Hashable | None = None
    group: tuple[str, str, str] | None = None
    place: int | None = None
    retry_of: str | None = None
    origin: Any = None

    def read(self) -> Reading:
        """Look at the job."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the result, after a look told that the job is DONE.

        Raises
        ------
        RuntimeJobFailureError, JobCancelledError
            That is how it ended, whatever the status said.
        OSError
            It cannot be had now. It is asked for again, less and less often, for as long as it takes.
        Exception
            Anything else is tried some more times; then the job is in ERROR, with this reason.
        """
        raise NotImplementedError

    def cancel(self) -> bool | None:
        """Ask the job to stop. False, or an exception, says that it was refused; NotImplementedError that it cannot be.

        The job is CANCELLED when a look says so, not before.
        """
        raise NotImplementedError

    def on_change(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when there may be news, where the system can tell; from any thread, however often."""

    def close(self) -> None:
        """Let go of what watching took; called once, when the job has ended or is not watched any more."""

    @classmethod
    def read_many(cls, watched: Collection[Watched]) -> Mapping[Watched, Reading | Exception]:
        """Look at several jobs of one `bulk_key` at once. What is left out was not reached."""
        readings: dict[Watched, Reading | Exception] = {}
        for each in watched:
            try:
                readings[each] = each.read()
            except Exception as error:  # noqa: BLE001 - one job's trouble is its own
                readings[each] = error
        return readings


@dataclass(frozen=True)
class Gathered:
    """Jobs that belong together in another system, such as those of a session.

    Attributes
    ----------
    group : tuple of str
        See `Watched.group`.
    jobs : callable
        Lists those that there are; it may take long, or raise.
    follow : callable or None
        Has what it is given called with each job that comes later, where this process can tell.
    """

    group: tuple[str, str, str]
    jobs: Callable[[], Sequence[Any]]
    follow: Callable[[Callable[[Any], object]], None] | None = None


class SessionLike(Protocol):
    """What a session looks like, to tell it from a job where types are checked."""

    @property
    def session_id(self) -> str | None: ...
    def details(self) -> Any: ...

"""The service: running programs and finding jobs, in one home.

One class, whose methods are jobdeck's public functions; most of the lines are what they say of themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path
from types import GeneratorType
from typing import Any, Final, TypeVar, overload

from . import _presenting
from ._arguments import (
    checked_callback,
    checked_class,
    checked_count,
    checked_home,
    checked_id,
    checked_text,
    is_number,
)
from ._block import Watching
from ._codec.decoder import Decoder
from ._errors import InvalidInputError
from ._follow import Follower
from ._gathering import own, watch_all, watch_list
from ._group import Before, JobGroup, ids_before
from ._grouping import Grouping
from ._job import Job, JobList
from ._library import ProgramLibrary
from ._many import ManyJobs
from ._options import RunOptions, RuntimeOptions, checked_tags
from ._order import Order
from ._plain import a_kind, near
from ._ports import Store
from ._program import pack
from ._programs import ParameterNamespace, Uploaded, inputs_of
from ._query import Query, parse
from ._records import JobQuery, Pruned
from ._service import JobService
from ._settings import Settings
from ._status import FINAL, JobStatus
from .watchers import SessionLike, adapt, find, gather

R = TypeVar("R")

Callback = Callable[[str, Any], Any]
Inputs = Mapping[str, Any] | ParameterNamespace
Options = Mapping[str, Any] | RuntimeOptions

_FINAL: Final = tuple(sorted(FINAL))
_STATUSES: Final = tuple(map(str, JobStatus))
_SEVERAL: Final = (list, tuple, set, frozenset, GeneratorType)
"""What holds several things to watch. Not all that can be iterated: a future can, too."""


class Deck(Grouping, ManyJobs, ProgramLibrary):
    """A deck of jobs: starts them, finds them, shows them. Any number of decks share one home.

    Parameters
    ----------
    home
        Folder of the store; None means ``JOBDECK_HOME``, else the platform's folder for a user's state.
    engine
        What runs jobs that do not say otherwise: ``"local"`` (a process for each), ``"threads"`` (of this process, with
        nothing pickled), ``"dask://HOST:PORT"``, or a Dask client or cluster. None leaves it to ``JOBDECK_ENGINE`` and
        the home's setting ``engine``; without them it is the local one.
    max_workers
        See :attr:`max_workers`; None leaves it as it is.

    Raises
    ------
    EngineError
        There is no such engine.
    """

    def __init__(
        self, home: str | os.PathLike[str] | None = None, engine: Any = None, max_workers: int | None = None
    ) -> None:
        self._service = JobService.of(checked_home(home))
        self._engine = None if engine is None else self._service.engines.name_of(engine)
        self._is_open = True
        self._service.retain()
        if max_workers is not None:
            self.max_workers = max_workers

    # --- running

    def run(
        self,
        program: Any = None,
        *,
        program_id: str | None = None,
        inputs: Inputs | None = None,
        options: Options | None = None,
        backend: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        callback: Callback | None = None,
        result_decoder: Decoder | None = None,
        engine: Any = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        after: Before = (),
    ) -> Job[Any]:
        """Run a program as a job and return its handle at once.

        Parameters
        ----------
        program
            A callable; a .py file or a module that has ``main(backend, user_messenger, **inputs)``; or the id (or
            name) of an uploaded program.
        program_id
            The id (or name) of an uploaded program, instead of `program`.
        inputs
            The program's arguments by name; a mapping, or what ``Program.parameters()`` returned. ``backend`` and
            ``user_messenger`` are filled in where it has them. Those of an uploaded program are held to its schema.
        options
            As runtime services take them, in a dict or as `RuntimeOptions`: ``backend_name``, ``job_tags``,
            ``max_execution_time``, ``log_level``, ``image``, ``instance``.
        backend
            What the program gets as ``backend``; it wins over the options' name of one.
        name
            What the job is called; None calls it like the program.
        tags
            Words to find it by.
        callback
            Called with ``(job_id, message)`` for every interim message, in another thread; see ``Job.stream_results``.
        result_decoder
            A JSON decoder class for this handle's messages and result.
        engine
            What runs it; None means the deck's.
        timeout
            Seconds after which it is stopped, or the program's ``max_execution_time`` where that is shorter.
        metadata
            What JSON can hold, to be kept with the job.
        after
            Jobs, groups or ids of jobs that have to be done before it begins. If one of them fails or is cancelled, it
            ends in ERROR without having begun.

        Raises
        ------
        InvalidInputError, UnpicklableError
            Something is wrong with what was given; nothing was queued.
        EngineError
            Nothing can run it.
        """
        how = RunOptions.checked(
            backend=backend,
            name=name,
            tags=tags,
            engine=engine,
            timeout=timeout,
            metadata=metadata,
            options=options,
        )
        return self._add(
            program,
            how,
            program_id=program_id,
            inputs=inputs,
            callback=callback,
            decoder=result_decoder,
            after=ids_before(after),
        )

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Job[R]:
        """Run ``fn(*args, **kwargs)`` as a job; see `run`."""
        return self._add(fn, RunOptions(), args=args, kwargs=kwargs)

    def prepare(
        self,
        program: Any = None,
        *,
        program_id: str | None = None,
        inputs: Inputs | None = None,
        options: Options | None = None,
        backend: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        callback: Callback | None = None,
        result_decoder: Decoder | None = None,
        engine: Any = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        after: Before = (),
    ) -> Job[Any]:
        """Make a job that waits, INITIALIZING, for its ``submit()``. See `run`."""
        how = RunOptions.checked(
            backend=backend,
            name=name,
            tags=tags,
            engine=engine,
            timeout=timeout,
            metadata=metadata,
            options=options,
        )
        return self._add(
            program,
            how,
            program_id=program_id,
            inputs=inputs,
            callback=callback,
            decoder=result_decoder,
            after=ids_before(after),
            submitted=False,
        )

    @overload
    def watch(self, obj: SessionLike, *, name: str | None = None, tags: Iterable[str] = ()) -> JobGroup[Any]: ...
    @overload
    def watch(
        self,
        obj: list[Any] | tuple[Any, ...] | Set[Any],
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        group: Any = None,
    ) -> JobList: ...
    @overload
    def watch(self, obj: Any, *, name: str | None = None, tags: Iterable[str] = (), group: Any = None) -> Job[Any]: ...
    def watch(self, obj: Any, *, name: str | None = None, tags: Iterable[str] = (), group: Any = None) -> Any:
        """Show a job that something else runs, and return a handle on it at once.

        Its status, progress and result are mirrored for as long as this process lives; what it is asked through the
        handle, or from the deck, is handed on to it. The same object watched twice is one job.

        Parameters
        ----------
        obj
            A future, an asyncio task, a process, a ``joblib.Parallel`` for its next call, a job of Qiskit's, or
            whatever else an adapter knows; see docs/watching.md. Of a session or a batch of IBM's service, all jobs
            are watched, and their group is returned; its service is asked for them first. A list of such objects gives
            the list of their jobs. A job, a list or a group of jobs that is in a deck already is returned as it is.
        name
            What the job is called, those of a list with their places, ``name[0]``, ``name[1]``, …; None leaves that to
            their adapters.
        tags
            Words to find it by, beside those that it brings.
        group
            A group, or its id, that the job is to belong to.

        Raises
        ------
        InvalidInputError
            Nobody here knows what it is; the message tells what can be watched. Of a list, nothing is watched then.
        EngineError
            The jobs of a session cannot be listed now.
        """
        given = RunOptions.checked(
            backend=None, name=name, tags=tags, engine=None, timeout=None, metadata=None, options=None
        )
        if (known := own(obj)) is not None:
            return known
        if (gathered := gather(obj)) is not None:
            if group is not None:
                raise InvalidInputError(f"{a_kind(obj)} is a group itself: it takes no group=")
            return watch_all(self._service, gathered, given.name, given.tags)
        if group is not None:
            group = self.store.group(str(getattr(group, "group_id", group))).group_id
        # An adapter may have a tuple for a job of its own.
        if isinstance(obj, _SEVERAL) and find(obj) is None:
            return watch_list(self._service, obj, given.name, given.tags, group)
        return self._service.watch(adapt(obj), given.name, given.tags, group)

    def watching(self, name: str | None = None, tags: Iterable[str] = ()) -> Watching:
        """Show what a block of code has others run: ``with jobdeck.watching(): …``.

        The futures of executors, asyncio's tasks, calls of joblib's ``Parallel``, and what Dask's clients,
        ipyparallel's views and Ray are given by the block are watched, with no change to the code that does it; when it
        ends, nothing more is. What the block gives has them as ``jobs()``.

        Parameters
        ----------
        name
            Puts them into one group of that name.
        tags
            Words to find them by.
        """
        return Watching(self, checked_text("name", name), checked_tags(tags))

    def retry_job(self, job_id: str) -> Job[Any]:
        """Run a job again, from the same bytes, which are not opened."""
        return self._service.retry(checked_id("a job", job_id), {})

    def _add(
        self,
        program: Any,
        how: RunOptions,
        *,
        program_id: str | None = None,
        inputs: Inputs | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
        decoder: Decoder | None = None,
        after: tuple[str, ...] = (),
        submitted: bool = True,
    ) -> Job[Any]:
        checked_callback(callback, "job_id, message")
        checked_class("result_decoder", decoder, "ResultDecoder")
        engine = self._service.engines.chosen(how.engine if how.engine is not None else self._engine, how.metadata)
        order = Order(engine, how, program, self._uploaded(program, program_id))
        values = inputs_of(inputs)
        packed = pack(
            order.program,
            values if order.uploaded is None else order.uploaded.inputs(values),
            backend=how.backend,
            args=args,
            kwargs=kwargs,
            log_level=how.log_level,
            by_reference=engine.shares_memory,
        )
        new = order.row(packed, order.name(packed.name), after, submitted=submitted)
        job = self._service.handle(self._service.add(new), backend=how.backend, decoder=decoder)
        if callback is not None:
            job._begin_stream(callback, decoder)
        return job

    def _uploaded(self, program: Any, program_id: str | None) -> Uploaded | None:
        if program_id is None:
            return self._programs.find(program)
        if program is not None:
            raise InvalidInputError("give either a program or program_id, not both")
        return self._programs.needed(program_id)

    # --- finding

    def job(self, job_id: str) -> Job[Any]:
        """Return a job from whatever kernel it came. JobNotFoundError if it is not in this home."""
        checked_id("a job", job_id)
        self._service.take_over()
        return self._service.job(job_id)

    def jobs(
        self,
        limit: int | None = None,
        skip: int = 0,
        pending: bool | None = None,
        program_id: str | None = None,
        *,
        status: str | Collection[str] | None = None,
        tags: Iterable[str] = (),
        name: str | None = None,
        created_after: datetime | float | None = None,
        descending: bool = True,
        created_before: datetime | float | None = None,
        query: str | None = None,
    ) -> JobList:
        """Return jobs, the newest first. Whatever is given has to hold.

        Parameters
        ----------
        limit, skip
            At most so many, after so many.
        pending
            True for those that have not ended, False for those that have.
        program_id
            Runs of this uploaded program.
        status
            One status or several: of `JobStatus`, or a word that another system has for that of a job here.
        tags
            All of these.
        name
            Part of the name, in upper or lower case.
        created_after, created_before
            Times: a datetime (local time if it does not say), or seconds since the epoch.
        descending
            Newest first, or oldest first.
        query
            What would be typed in the deck's search box, such as ``"tag:sweep energy<-1.1"``; docs/queries.md.

        Raises
        ------
        InvalidInputError
            There is no such status, or something else that was given is wrong.
        QueryError
            The query cannot be read.
        """
        if pending is not None and (status is not None or not isinstance(pending, bool)):
            raise InvalidInputError(f"pending is True, False or None, and only without a status, not {pending!r}")
        self._service.take_over()
        asked = JobQuery(
            limit=checked_count("limit", limit),
            skip=checked_count("skip", skip) or 0,
            status=_FINAL if pending is False else self._checked_status(status),
            without=_FINAL if pending else (),
            tags=checked_tags(tags),
            name=checked_text("name", name),
            program_id=checked_text("program_id", program_id),
            created_after=_seconds("created_after", created_after),
            created_before=_seconds("created_before", created_before),
            descending=descending,
        )
        found = self.store.jobs(asked) if query is None else _parsed(query).find(self.store, within=asked)
        return JobList(map(self._service.handle, found), self._service)

    def _checked_status(self, status: str | Collection[str] | None) -> tuple[str, ...] | None:
        """Return statuses as texts: Qiskit's, and words that other systems have for those of their jobs here."""
        if status is None:
            return None
        asked = [status] if isinstance(status, str) or not isinstance(status, Collection) else list(status)
        for one in asked:
            if not isinstance(one, str) or not (one in _STATUSES or self.store.jobs(JobQuery(limit=1, status=(one,)))):
                hint = f"; did you mean {' or '.join(close)}?" if (close := near(str(one), _STATUSES)) else ""
                raise InvalidInputError(f"a status is one of {', '.join(_STATUSES)}, not {one!r}{hint}")
        return tuple(map(str, asked))

    def delete_job(self, job_id: str) -> None:
        """Remove a job with all that it left. RuntimeInvalidStateError while it is under way: cancel it first."""
        self.store.delete_job(checked_id("a job", job_id))
        self._service.forget_results()
        self._service.look()

    def prune(
        self, older_than: timedelta | float | None = None, keep: int | None = None, *, dry_run: bool = False
    ) -> Pruned:
        """Remove jobs that have ended, with all that they left.

        Parameters
        ----------
        older_than
            Those that ended longer ago: a timedelta, or seconds.
        keep
            All but so many of the newest.
        dry_run
            Only tell what would go.

        Without `older_than` and `keep`, what the home's own limits say: by default, more than 90 days or 10,000 jobs.
        """
        if older_than is None and keep is None:
            pruned = self.store.prune_by_settings(dry_run=dry_run)
        else:
            pruned = self.store.prune(_checked_age(older_than), checked_count("keep", keep), dry_run=dry_run)
        self._service.forget_results()
        return pruned

    def dashboard(self) -> None:
        """Show the whole deck, jobs to come included."""
        self._service.take_over()
        _presenting.display(self.store, (), "deck", repr(self.jobs(limit=50)))

    # --- the deck itself

    @property
    def home(self) -> Path:
        """Folder of the store."""
        return self._service.home

    @property
    def engine(self) -> str:
        """The name of what runs jobs that do not say otherwise. EngineError where a setting names none."""
        return self._engine or self._service.engines.default()

    @property
    def settings(self) -> Settings:
        """What is set for this home, for all of its decks and agents; a mapping of names to texts."""
        return Settings(self._service)

    @property
    def store(self) -> Store:
        """The store. For jobdeck's own parts; its methods may change."""
        return self._service.store

    @property
    def follower(self) -> Follower:
        """Who tells of changes. For jobdeck's own parts; its methods may change."""
        return self._service.follower

    @property
    def max_workers(self) -> int:
        """Jobs that run at the same time on this home, whoever started them; the number of cores unless it is set."""
        return int(self.settings["max_workers"])

    @max_workers.setter
    def max_workers(self, number: int) -> None:
        self.settings["max_workers"] = number

    @property
    def is_open(self) -> bool:
        """Whether `close` has not been called."""
        return self._is_open

    def close(self) -> None:
        """Give back threads and open files. Jobs go on; a handle that needs the store opens it again."""
        if self._is_open:
            self._is_open = False
            self._service.release()

    def __enter__(self) -> Deck:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Deck at {self.home}>"

    def _ipython_display_(self) -> None:
        self.dashboard()

    def _display_(self) -> Any:
        return _presenting.element(self.store, (), "deck", repr(self))


def _parsed(query: str) -> Query:
    if not isinstance(query, str):
        raise InvalidInputError(f"a query is a text such as 'tag:sweep running', not {type(query).__name__}")
    return parse(query)


def _seconds(name: str, when: datetime | float | None) -> float | None:
    if isinstance(when, datetime):
        return when.timestamp()
    if when is not None and not is_number(when):
        raise InvalidInputError(f"{name} is a datetime, or seconds since the epoch, not {when!r}")
    return None if when is None else float(when)


def _checked_age(age: timedelta | float | None) -> float | None:
    seconds = age.total_seconds() if isinstance(age, timedelta) else age
    if seconds is not None and not (is_number(seconds) and seconds >= 0):
        raise InvalidInputError(f"older_than is a timedelta, or seconds from 0 on, not {age!r}")
    return None if seconds is None else float(seconds)

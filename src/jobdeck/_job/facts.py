"""What a job's handle can tell without waiting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from .._arguments import checked_class, checked_start
from .._codec import decode
from .._codec.decoder import Decoder
from .._errors import EngineError, JobError, JobNotFoundError, StoreError
from .._ports import Store
from .._program import OpenProgram, open_payload
from .._records import Gone, JobRecord, MessageRecord
from .._status import JobStatus, is_final
from .live import LiveState

if TYPE_CHECKING:
    from .handle import Job


class Service(Protocol):
    """What a handle needs of the service that it came from. It is pickled as its home."""

    @property
    def store(self) -> Store: ...

    def job(self, job_id: str) -> Job[Any]: ...

    def follow(self, job: Job[Any]) -> None:
        """See to it that news of this job come to the handle until it is final."""

    def look(self) -> None:
        """Look for changes now: this process has made one."""

    def is_follower(self) -> bool:
        """Tell whether this thread is the one that brings the news, and so must not wait for them."""

    def start(self, job_id: str) -> JobRecord: ...

    def fetch_results(
        self, job_ids: Collection[str], timeout: float | None
    ) -> Mapping[str, bytes | EngineError | Gone]:
        """Return results that are kept outside of the store, or why one cannot be had now, or is gone.

        TimeoutError where it takes longer than so many seconds.
        """

    def retry(self, job_id: str, changed: Mapping[str, Any]) -> Job[Any]: ...


class Kept(Protocol):
    """What this process has of a job that somebody else runs."""

    @property
    def value(self) -> tuple[Any] | None:
        """The result as its own system gave it, where it was fetched."""

    @property
    def exception(self) -> BaseException | None: ...

    def result(self) -> Any:
        """Return the result as its own system gives it; after the job was DONE."""


class JobFacts(LiveState):
    """The part of :class:`~jobdeck.Job` that reads: what never changes, and what the store says now."""

    def __init__(
        self,
        service: Service,
        record: JobRecord,
        *,
        backend: Any = None,
        decoder: Decoder | None = None,
        kept: Kept | None = None,
        work: object = None,
    ) -> None:
        super().__init__(record)
        self._service = service
        self._inputs: dict[str, Any] | None = None
        self._backend = backend
        self._decoder = decoder
        self._kept = kept
        self._work = work
        """What it runs, and its result, where these are objects of this process alone: kept as long as the handle."""

    # --- what never changes

    def job_id(self) -> str:
        """Return the job's id."""
        return self._record.job_id

    @property
    def name(self) -> str:
        """What the job is called."""
        return self._record.name

    @property
    def program_id(self) -> str | None:
        """Id of the uploaded program that it runs, None where it was given a callable or a file."""
        return self._record.program_id

    @property
    def engine(self) -> str:
        """What runs it."""
        return self._record.engine

    @property
    def is_watched(self) -> bool:
        """Whether another system runs it, and jobdeck only watches it."""
        return self._record.source is not None

    @property
    def creation_date(self) -> datetime:
        """When it was made, in local time and aware of it."""
        return datetime.fromtimestamp(self._record.created).astimezone()

    @property
    def metadata(self) -> dict[str, Any]:
        """What ``run(..., metadata=...)`` got."""
        return dict(self._record.metadata)

    @property
    def retry_of(self) -> str | None:
        """Id of the job that this one repeats."""
        return self._record.retry_of

    @property
    def inputs(self) -> dict[str, Any]:
        """The program's inputs, by name."""
        if self._inputs is None:
            self._inputs = {} if self.is_watched else self._open().inputs
        return dict(self._inputs)

    def backend(self) -> Any:
        """Return the backend that ``run`` got; in another kernel its copy, or its name where it cannot be copied."""
        if self._backend is None and self._record.backend is not None:
            if self.is_watched:
                return self._record.backend
            try:
                self._backend = self._open().backend
            except JobError:
                return self._record.backend
        return self._backend

    # --- what the store says now

    def status(self) -> JobStatus | str:
        """Return the status; the text itself where a foreign system has a word of its own."""
        return self._read().status

    def done(self) -> bool:
        """Tell whether it ended well."""
        return self.status() == JobStatus.DONE

    def running(self) -> bool:
        """Tell whether it runs."""
        return self.status() == JobStatus.RUNNING

    def cancelled(self) -> bool:
        """Tell whether it was cancelled and has stopped."""
        return self.status() == JobStatus.CANCELLED

    def errored(self) -> bool:
        """Tell whether it failed."""
        return self.status() == JobStatus.ERROR

    def in_final_state(self) -> bool:
        """Tell whether it has ended in whatever way."""
        return is_final(self.status())

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self._read().tags)

    def error_message(self) -> str | None:
        """Return why it failed: the traceback of its exception, else a sentence; None unless it is in ERROR."""
        record = self._read()
        if record.status != JobStatus.ERROR:
            return None
        return record.traceback or record.error if record.error_kind == "exception" else record.error

    def logs(self) -> str | None:
        """Return what it and its subprocesses wrote to stdout and stderr so far; None before it starts."""
        try:
            return self._service.store.log_path(self.job_id()).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None

    @property
    def facts(self) -> dict[str, str | float]:
        """What another system tells of its job beside the status, by name; empty for jobdeck's own jobs."""
        return dict(self._read().facts)

    def queue_position(self) -> int | None:
        """Return 1 for the next to start; None if it does not wait, or if its system tells no number."""
        if not self.is_watched:
            return self._service.store.queue_place(self.job_id())
        place = self.facts.get("queue_place")
        return place if isinstance(place, int) and not isinstance(place, bool) else None

    def metrics(self) -> dict[str, Any]:
        """Return times (aware, local), exit code or signal, peak memory in bytes, CPU and wall time in seconds.

        Of a watched job it has what its system tells, too, such as ``usage`` in seconds.
        """
        record = self._read()
        moments = {name: getattr(record, name) for name in ("created", "queued", "started", "ended")}
        measured = {
            **{name: when and datetime.fromtimestamp(when).astimezone() for name, when in moments.items()},
            "wall_time": record.ended - record.started if record.ended and record.started else None,
            "cpu_time": record.cpu_time,
            "peak_memory": record.peak_memory,
            "exit_code": record.exit_code,
            "exit_signal": record.exit_signal,
        }
        # What a watched job's system tells by one of these names is known from there alone.
        return {**record.facts, **{name: record.facts.get(name) if it is None else it for name, it in measured.items()}}

    def interim_results(self, decoder: Decoder | None = None, start: int = 0) -> list[Any]:
        """Return all interim messages so far, or those after number `start`."""
        checked_class("decoder", decoder, "ResultDecoder")
        found = self._service.store.messages(self.job_id(), checked_start("start", start))
        return [self._decode(message, decoder) for message in found if not message.final]

    @property
    def _label(self) -> str:
        return f"{self.name!r} ({self.job_id()})"

    def _read(self) -> JobRecord:
        return self._service.store.job(self.job_id())

    def _open(self) -> OpenProgram:
        try:
            return open_payload(self._service.store.payload(self.job_id()))
        except (StoreError, JobNotFoundError):
            raise
        except Exception as error:
            raise JobError(f"the inputs of job {self._label} cannot be opened here: {error}") from error

    def _decode(self, message: MessageRecord, decoder: Decoder | None) -> Any:
        return decode(message.body, decoder or self._decoder)

"""The handle of a job: everything that a person or a program does with one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from .. import _presenting
from .._arguments import checked_callback, checked_class, checked_pace, checked_start, checked_timeout
from .._codec.decoder import Decoder
from .._errors import (
    InvalidInputError,
    JobCancelledError,
    JobError,
    JobNotFoundError,
    JobTimeoutError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    StoreError,
)
from .._options import checked_tags, edited_tags
from .._plain import size
from .._presenting import set_presenter
from .._program import exception_of, value_of
from .._records import JobRecord, Outcome
from .._status import JobStatus, is_final
from . import qiskit
from .facts import JobFacts, Service
from .fetching import whole
from .future import JobFuture
from .live import News
from .loopside import wakener
from .stream import Stream

__all__ = ["Job", "Service", "set_presenter"]

R = TypeVar("R")

_STORE_PATIENCE = 30.0
"""Seconds for which a store that cannot be read does not end a wait."""
_SHORTEST_WAIT = 0.01
_TRAITS_LAG = 1.0
"""Seconds for which a wait that is over lets the traits come up to what the store says."""


class Job(JobFacts, Generic[R]):
    """A handle on a job. The job itself lives in the store; any number of handles, in any kernel, are equal to it.

    It has the methods of Qiskit's ``JobV1`` and ``BasePrimitiveJob`` (and is a virtual subclass of both once they are
    imported) and those of ``RuntimeJob``. Get one from :func:`jobdeck.run`, :func:`jobdeck.job` or
    :func:`jobdeck.jobs`. See :class:`LiveState` for the traits.
    """

    version = 1

    def __init__(self, service: Service, record: JobRecord, **given: Any) -> None:
        super().__init__(service, record, **given)
        self._lock = threading.RLock()
        self._stream: Stream | None = None
        self._future: JobFuture[R] | None = None
        qiskit.register(type(self))

    # --- what is done to it

    def submit(self) -> None:
        """Queue a job that was only prepared. JobError if it was submitted before."""
        self._service.start(self.job_id())
        self._service.look()

    def cancel(self) -> None:
        """Ask the job to stop, and return at once. It is CANCELLED when it has stopped.

        Raises
        ------
        RuntimeInvalidStateError
            It has ended already.
        """
        self._service.store.ask(self.job_id(), "cancel", "api")
        self._service.look()

    def retry(self, **changed_inputs: Any) -> Job[R]:
        """Run the same program again as a new job that is linked to this one, with some inputs changed or none."""
        return self._service.retry(self.job_id(), changed_inputs)

    def update_tags(
        self,
        replacement_tags: Iterable[str] | None = None,
        additional_tags: Iterable[str] | None = None,
        removal_tags: Iterable[str] | None = None,
    ) -> list[str]:
        """Replace all tags, then add some, then remove some, and return what is left."""
        if replacement_tags is None and additional_tags is None and removal_tags is None:
            raise InvalidInputError("update_tags: give replacement_tags, additional_tags or removal_tags")
        left = edited_tags(
            self.tags,
            None if replacement_tags is None else checked_tags(replacement_tags, "replacement_tags"),
            checked_tags(additional_tags or (), "additional_tags"),
            checked_tags(removal_tags or (), "removal_tags"),
        )
        self._service.store.update_tags(self.job_id(), left)
        self._service.look()
        return left

    # --- waiting

    def result(self, timeout: float | None = None, wait: float = 5, decoder: Decoder | None = None) -> R:
        """Wait for the job and return its result. Interrupting the wait leaves the job running.

        Parameters
        ----------
        timeout
            Seconds; None waits for as long as it takes.
        wait
            At most so many seconds between looks. The end of the job is noticed at once in any case.
        decoder
            A JSON decoder class for results that are JSON; this call's only.

        Raises
        ------
        RuntimeJobFailureError
            It failed. ``remote_traceback`` tells where; ``__cause__`` is the exception itself where it can be had.
        JobCancelledError
            It was cancelled.
        JobTimeoutError
            It has not ended within `timeout`; it goes on.
        """
        checked_class("decoder", decoder, "ResultDecoder")
        timeout = checked_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._result_of(self._wait(timeout, checked_pace("wait", wait)), decoder, deadline)

    def _result_of(self, record: JobRecord, decoder: Decoder | None = None, deadline: float | None = None) -> R:
        if record.status == JobStatus.CANCELLED:
            again = (
                "retry() runs it again" if record.source is None else f"{record.engine} ran it: submit it again there"
            )
            raise JobCancelledError(f"job {self._label} was cancelled; {again}")
        if record.status == JobStatus.ERROR:
            raise RuntimeJobFailureError(
                f"job {self._label} failed: {record.error}", record.traceback
            ) from self._exception()
        if self._kept is not None and self._kept.value is not None:
            return cast(R, self._kept.value[0])
        outcome = self._service.store.outcome(self.job_id())
        if outcome is not None and outcome.body is None and outcome.kept is None and outcome.preview is not None:
            if self._kept is not None:
                return cast(R, self._kept.result())
            raise JobError(
                f"the result of job {self._label} cannot be had any more: {record.facts.get('result')}. It was: "
                f"{outcome.preview}"
            )
        if outcome is not None and outcome.kept is not None:
            outcome = self._fetched(outcome, deadline)
        return cast(R, None if outcome is None else self._value_of(outcome, decoder))

    def _fetched(self, outcome: Outcome, deadline: float | None) -> Outcome:
        """Return the outcome with its body, which is kept outside of the store."""
        job_id = self.job_id()
        try:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            found = whole(self._service, {job_id: outcome}, left)
        except TimeoutError:
            raise JobTimeoutError(
                f"the result of job {self._label} ({size(outcome.kept or 0)}) could not be fetched from {self.engine} "
                "in time; ask again, with a longer timeout"
            ) from None
        if job_id in found.errors:
            raise found.errors[job_id]
        return found.outcomes[job_id]

    def _exception(self) -> BaseException | None:
        """Return what the job failed with, as far as it can be had here."""
        if self._kept is not None and self._kept.exception is not None:
            return self._kept.exception
        outcome = self._service.store.outcome(self.job_id())
        return None if outcome is None else exception_of(outcome)

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus | str, Job[R]], Any] | None = None,
    ) -> None:
        """Wait until the job has ended.

        Parameters
        ----------
        timeout
            Seconds; None waits for as long as it takes. JobTimeoutError after it.
        wait
            `callback` is called at least so often.
        callback
            Called in this thread with ``(job_id, status, job)`` when the status changes, and once with the final one.
        """
        checked_callback(callback, "job_id, status, job")
        wait = checked_pace("wait", wait)
        told: JobStatus | str | None = None
        due = 0.0
        for record in self._news(checked_timeout(timeout), wait):
            if callback is not None and (record.status != told or time.monotonic() >= due):
                told, due = record.status, time.monotonic() + wait
                callback(self.job_id(), record.status, self)

    def _wait(self, timeout: float | None, wait: float) -> JobRecord:
        record = self._record
        for record in self._news(timeout, wait):  # noqa: B007 - the last one counts
            pass
        return record

    def _news(self, timeout: float | None, wait: float) -> Iterator[JobRecord]:
        """Yield the job's row now, after each change and at least every `wait` seconds, the final one last."""
        record = self._read()
        if is_final(record.status):
            self._catch_up()
            yield record
            return
        if self._service.is_follower():
            raise JobError("an observer of a job's traits runs in the thread that brings all news: it cannot wait here")
        deadline = None if timeout is None else time.monotonic() + timeout
        wait = max(wait, _SHORTEST_WAIT)
        # A SimpleQueue, since an interrupt can never leave it locked, and putting never blocks the follower.
        news: SimpleQueue[News] = SimpleQueue()
        with self._tapped(news.put):
            self._service.follow(self)
            record = self._read()
            last_look = time.monotonic()
            while not is_final(record.status):
                yield record
                left = wait if deadline is None else deadline - time.monotonic()
                try:
                    came = news.get(timeout=max(min(wait, left), 0))
                    if came.is_gone:
                        raise JobNotFoundError(f"job {self._label} was deleted while it was waited for")
                    record = came.record
                    continue
                except Empty:
                    pass
                try:
                    record = self._read()
                    last_look = time.monotonic()
                except StoreError:
                    if time.monotonic() - last_look > _STORE_PATIENCE + wait:
                        raise
                if left <= 0 and not is_final(record.status):
                    raise JobTimeoutError(
                        f"job {self._label} is still {record.status} after {timeout:g} s; it goes on: "
                        "wait for it again, or cancel() it"
                    )
        self._catch_up()
        yield record

    def _catch_up(self) -> None:
        """Have the traits final, too: whoever has waited for a job may look at them next."""
        if is_final(self.state) or self._service.is_follower():
            return
        told = threading.Event()
        with self._tapped(lambda news: told.set() if news.is_last else None):
            self._service.follow(self)
            self._service.look()
            if not is_final(self.state):
                told.wait(_TRAITS_LAG)

    @property
    def future(self) -> JobFuture[R]:
        """A real ``concurrent.futures.Future`` of the result, with the job as ``job``; its cancel asks the job to."""
        with self._lock:
            if self._future is None:
                self._future = JobFuture(self)
                self._future.begin()
            return self._future

    def __await__(self) -> Generator[Any, None, R]:
        return self._result_in_loop().__await__()

    async def _result_in_loop(self) -> R:
        with wakener(self) as awake:
            while not self.in_final_state():
                await awake()
        self._catch_up()
        record = self._read()
        if record.source is None and "result" in record.facts:
            # It is not in the store, and takes a while.
            return await asyncio.to_thread(self._result_of, record)
        return self._result_of(record)

    def messages(self, decoder: Decoder | None = None, start: int = 0) -> AsyncIterator[Any]:
        """Yield every interim message after number `start`, each once, in order, until the job has ended."""
        checked_class("decoder", decoder, "ResultDecoder")
        return self._messages(decoder, checked_start("start", start))

    async def _messages(self, decoder: Decoder | None, start: int) -> AsyncIterator[Any]:
        with wakener(self) as awake:
            while True:
                is_over = self.in_final_state()
                batch = self._service.store.messages(self.job_id(), start, start + 100)
                for message in batch:
                    start = message.seq
                    if not message.final:
                        yield self._decode(message, decoder)
                if not batch and is_over:
                    return
                if not batch:
                    await awake()

    # --- streaming

    def stream_results(
        self, callback: Callable[[str, Any], Any], decoder: Decoder | None = None, replay: bool = True
    ) -> None:
        """Have `callback(job_id, message)` called with every interim message, each once, in order, in another thread.

        Parameters
        ----------
        callback
            An exception in it is logged once; the stream goes on.
        decoder
            A JSON decoder class.
        replay
            Whether to begin with the first message rather than with the next.

        Raises
        ------
        RuntimeInvalidStateError
            The job streams already, or has ended: ``interim_results()`` has its messages.
        """
        checked_callback(callback, "job_id, message")
        checked_class("decoder", decoder, "ResultDecoder")
        if is_final(self.status()):
            raise RuntimeInvalidStateError(f"job {self._label} has ended; interim_results() returns its messages")
        start = 0 if replay else self._service.store.last_seqs([self.job_id()]).get(self.job_id(), 0)
        self._begin_stream(callback, decoder, start)

    def _begin_stream(self, callback: Callable[[str, Any], Any], decoder: Decoder | None, start: int = 0) -> None:
        job_id = self.job_id()

        def end() -> None:
            self._taps.pop(stream, None)
            with self._lock:
                if self._stream is stream:
                    self._stream = None

        def announce(news: News) -> None:
            stream.announce(news.seq, is_complete=news.is_last)

        stream = Stream(
            lambda start, stop: self._service.store.messages(job_id, start, stop),
            lambda message: callback(job_id, self._decode(message, decoder)),
            end,
            start=start,
            label=job_id,
        )
        with self._lock:
            if self._stream is not None:
                raise RuntimeInvalidStateError(
                    f"job {self._label} streams already; cancel_result_streaming() ends that"
                )
            self._stream = stream
        stream.begin()
        self._taps[stream] = announce
        try:
            self._service.follow(self)
            is_over = self.in_final_state()
            stream.announce(self._service.store.last_seqs([job_id]).get(job_id, 0), is_complete=is_over)
        except BaseException:
            stream.cancel()
            raise

    def cancel_result_streaming(self) -> None:
        """End the stream, if there is one; it can be started again."""
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()

    # --- being an object

    @property  # type: ignore[misc]  # read by isinstance(): Qiskit may have been imported after the handle was made
    def __class__(self) -> type:
        qiskit.register(type(self))
        return type(self)

    def __eq__(self, other: object) -> bool:
        return self.job_id() == other.job_id() if isinstance(other, Job) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.job_id())

    def __reduce__(self) -> tuple[Callable[[Service, str], Job[Any]], tuple[Service, str]]:
        return _reattach, (self._service, self.job_id())

    def _value_of(self, outcome: Outcome, decoder: Decoder | None) -> Any:
        if outcome.encoding != "pickle":
            return value_of(outcome, decoder or self._decoder)
        try:
            return value_of(outcome)
        except Exception as error:  # opening a pickle runs the value's own code, and imports
            raise JobError(f"the result of job {self._label} cannot be opened here: {error!r}") from error

    def __repr__(self) -> str:
        try:
            record = self._read()
        except (StoreError, JobNotFoundError) as error:
            return f"<Job {self._label}: {type(error).__name__}>"
        words = [str(record.status)]
        if record.progress_done is not None and not is_final(record.status):
            total = "" if record.progress_total is None else f"/{record.progress_total:g}"
            words.append(f"{record.progress_done:g}{total}")
        if record.error:
            words.append(record.error.splitlines()[0][:80])
        return f"<Job {self._label}: {' · '.join(words)}>"

    def _ipython_display_(self) -> None:
        _presenting.display(self._service.store, [self.job_id()], "card", repr(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return _presenting.mimebundle(self._service.store, [self.job_id()], "card", repr(self))

    def _display_(self) -> Any:
        return _presenting.element(self._service.store, [self.job_id()], "card", repr(self))


def _reattach(service: Service, job_id: str) -> Job[Any]:
    return service.job(job_id)

"""One job, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..._messenger import UserMessenger, speaking
from ..._ports import MessageSink, Store
from ..._program import Held, held_of, open_payload, outcome_of_exception
from ..._records import Outcome, Payload
from ..._status import Exit
from ..ending import ending_of
from .interrupt import hearing, interrupt, take_back
from .streams import routed

_MOMENT: Final = 0.05
"""Seconds for which an interrupt waits for a job that is just writing to the store."""


class Work:
    """A program and its inputs, which live here for as long as somebody keeps this, and the thread that runs them.

    Parameters
    ----------
    job_id, payload
        The job. JobError where what the payload refers to is not in this process.
    """

    def __init__(self, job_id: str, payload: Payload) -> None:
        self.job_id = job_id
        self.outcome: Outcome | None = None
        self.cpu_time = 0.0
        self.has_heard = False
        self._program = open_payload(payload)
        self._held = held_of(payload)
        self._value: Any = None
        self._result: Held | None = None
        self._lock = threading.Lock()
        self._is_armed = False
        self._is_asked = False
        self._thread: threading.Thread | None = None

    def begin(self, store: Store, ended: Callable[[Work], None]) -> None:
        """Start the thread, which calls `ended` when the program has ended."""
        self._messenger = UserMessenger(_Sink(store, self._lock), self.job_id)
        name = f"jobdeck-job-{self.job_id.rpartition('-')[2]}"
        # No process waits for it at its end: a program that hears no interrupt would keep a kernel from restarting.
        self._thread = threading.Thread(
            target=self._run, args=(store.log_path(self.job_id), ended), name=name, daemon=True
        )
        self._thread.start()

    @property
    def has_kept(self) -> bool:
        """Whether its result is an object of this process, which ends with it."""
        return self._result is not None

    def exit(self, *, timed_out: bool) -> Exit:
        """Return what is known of the end: a thread has no exit code and no memory of its own."""
        return Exit(cpu_time=self.cpu_time, timed_out=timed_out)

    def interrupt(self) -> bool:
        """Ask the program to stop; False where that cannot be done at this moment.

        Its next message raises, and so does its thread when it next runs Python; one that runs an event loop gets its
        task cancelled.
        """
        if not self._lock.acquire(timeout=_MOMENT):
            return False
        try:
            self._is_asked = True
            self._messenger.interrupt()
            if self._is_armed and not self._messenger._rouse(self._hear):
                interrupt(self._identity)
        finally:
            self._lock.release()
        return True

    @property
    def _identity(self) -> int:
        assert self._thread is not None
        assert self._thread.ident is not None
        return self._thread.ident

    # --- in the thread

    def _run(self, output: Path, ended: Callable[[Work], None]) -> None:
        began = time.thread_time()
        try:
            with speaking(self._messenger), hearing(self._hear):
                try:
                    self.outcome = self._ending(output)
                finally:
                    self._disarm()
        except BaseException as late:  # noqa: BLE001 - an interrupt that came between two of its lines
            if self.outcome is None:
                self.outcome = outcome_of_exception(late)
            self._disarm()
        self.cpu_time = time.thread_time() - began
        ended(self)

    def _ending(self, output: Path) -> Outcome:
        with routed(output):
            outcome = ending_of(self._returned)
        value, self._value = self._value, None
        if outcome.exception_type != "UnpicklableError" or value is None:
            return outcome
        # It ended well, and whoever asks in this process gets the object.
        self._result = Held(value)
        well = replace(outcome, ok=True, exception_type=None, exception_text=None)
        return replace(well, encoding="pickle", body=self._result.reference)

    def _returned(self) -> Any:
        try:
            self._arm()
            value = self._program.run(self._messenger)
        finally:
            self._disarm()
        self._value = value
        return value

    def _hear(self) -> None:
        self.has_heard = True

    def _arm(self) -> None:
        with self._lock:
            if self._is_asked:
                raise KeyboardInterrupt
            self._is_armed = True

    def _disarm(self) -> None:
        """The program has ended: what it left is not to be interrupted while it is kept."""
        while self._is_armed:
            try:
                with self._lock:
                    self._is_armed = False
                    take_back(self._identity)
            except KeyboardInterrupt:
                # It came too late to stop anything.
                continue


class _Sink:
    """The store, which no interrupt reaches in the middle of a write: the messenger raises before the next one."""

    def __init__(self, store: MessageSink, lock: threading.Lock) -> None:
        self._store = store
        self._lock = lock

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        with self._lock:
            return self._store.add_message(job_id, body, final=final)

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        with self._lock:
            self._store.set_progress(job_id, done, total, message)

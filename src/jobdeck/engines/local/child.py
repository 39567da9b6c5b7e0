"""A job's own process: takes on the context of the kernel that submitted it, runs the program, keeps its outcome."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import logging
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..._errors import EngineError, JobdeckError, StoreError
from ..._messenger import UserMessenger, activate
from ..._ports import Connect, Store
from ..._program import Context, open_payload
from ..._records import Outcome, Payload
from ..ending import ending_of
from ..launch import boot_command, log_path
from ..marks import AGENT_VARIABLE, JOB_VARIABLE, process_name
from . import capture, signals
from .capture import flush
from .children import become_subreaper, die_with_parent, name_process
from .inherited import SHORT, Lines, Notice

PATIENCE = 60.0
"""Seconds for which storing an outcome is tried again."""
PATIENCE_FOR_ROOM = 7 * 86_400.0
"""The same on a full disk: what was computed for hours is not to be lost while nobody looks."""
_THREADS_END = 0.5
"""Seconds that the threads of an interrupted program have to end after it."""
_CANNOT_STORE = 74  # EX_IOERR
_BROKEN = 70  # EX_SOFTWARE
_FIRST_MAIN = sys.modules["__main__"]
"""Kept, since a job's process would have to take apart what it replaces."""


@dataclass(frozen=True)
class Assignment:
    """A job for a process of its own; without a payload, the process reads it from the store.

    Attributes
    ----------
    output : str
        The file that takes its output; empty where the store has to be asked for it.
    context : Context or None
        What is in the payload, opened.
    is_entered : bool
        Whether this process has the context's environment already.
    """

    job_id: str
    output: str = ""
    payload: Payload | None = None
    context: Context | None = None
    is_entered: bool = False


def prepare() -> None:
    """Do for this process what every job needs and a fork inherits."""
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    faulthandler.enable(2)
    # Done by `_close_logs`, where there is anything to do.
    atexit.unregister(logging.shutdown)
    capture.prepare()


def enter_environment(context: Context, home: Path) -> None:
    """Give this process the environment that a job of this context has, but for the job's id."""
    context.enter_environment()
    os.environ.pop(AGENT_VARIABLE, None)
    os.environ["JOBDECK_HOME"] = str(home)


def run_job(assignment: Assignment, home: Path, connect: Connect, lines: Lines, parent: int) -> NoReturn:
    """Run one job in this process, which was prepared, and end it.

    Parameters
    ----------
    assignment, home, connect
        The job, and how to reach its store.
    lines
        Where to say that the program has noticed an interrupt, and where to hand over what it left.
    parent : int
        The process that looks after this one; without it the job does not start.
    """
    code = _BROKEN
    try:
        die_with_parent(signal.SIGKILL)
        if os.getppid() == parent:
            code = Work(assignment, home, connect, lines).run()
    except BaseException:  # noqa: BLE001 - nothing above this line belongs to this process
        traceback.print_exc()
    finally:
        flush()
        os._exit(code)


class _Reach:
    """The store, opened when it is needed first: most of what a short job costs would be the opening of it."""

    def __init__(self, home: Path, connect: Connect) -> None:
        self._home = home
        self._connect = connect
        self._store: Store | None = None

    def __call__(self) -> Store:
        # Two threads that are here at once open it twice, and one of the two is dropped: no lock to be forked with.
        if self._store is None:
            self._store = self._connect(self._home)
        return self._store

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        return self().add_message(job_id, body, final=final)

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        self().set_progress(job_id, done, total, message)

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


class _Interrupts:
    """What SIGINT does, from the moment at which the program can be interrupted to the one at which it has ended."""

    def __init__(self, messenger: UserMessenger, notice: Notice) -> None:
        self._messenger = messenger
        self._notice = notice
        self._pid = os.getpid()
        self._armed = True

    def begin(self) -> None:
        signals.handle(signals.INT, self._handle)
        signals.unblock((signals.INT,))

    def hold(self) -> None:
        """The program has ended; what it left is not to be interrupted while it is being stored."""
        self._armed = False

    def end(self) -> None:
        """The outcome is stored: whatever still keeps the process busy may simply die."""
        signals.handle(signals.INT, signals.DEFAULT)

    def _handle(self, _number: int, _frame: object) -> None:
        if os.getpid() == self._pid:  # and not in what the program has forked
            self._notice.give(self._pid)
        self._messenger.interrupt()
        if self._armed:
            raise KeyboardInterrupt


class Work:
    """A job, as its process has it."""

    def __init__(self, assignment: Assignment, home: Path, connect: Connect, lines: Lines) -> None:
        self._pid = os.getpid()
        self._started = time.monotonic()
        self._assignment = assignment
        self._job_id = assignment.job_id
        self._home = home
        self._is_connected = True
        self._notice, self._handover = lines
        self._store = _Reach(home, connect)

    def run(self) -> int:
        """Take on the context, run the program, keep its outcome, end like an interpreter; return the exit code."""
        outcome, code = self._outcome()
        if os.getpid() != self._pid:
            # A process that the program has forked came back from it, too. How the job ends is not up to that one.
            sys.stderr.write(outcome.traceback or "")
            return code
        if not self._keep(outcome):
            return _CANNOT_STORE
        self._interrupts.end()
        if outcome.interrupted:
            # The program has cleaned up. Of the threads that it left, compiled code may be at work for hours.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, _THREADS_END)
        self._end_like_an_interpreter()
        return code

    def rehearse(self) -> None:
        """Do as `run` does, but for what needs the store, and for the end."""
        outcome, _ = self._outcome()
        self._hand_over(outcome)
        self._interrupts.end()
        _join_threads()
        _close_logs()

    def _own_session(self) -> None:
        if os.getsid(0) != os.getpid():
            os.setsid()
        become_subreaper()
        name_process(process_name(self._job_id))
        signals.handle(signals.TERM, signals.DEFAULT)
        signals.handle(signals.CHLD, signals.DEFAULT)
        signals.unblock((signals.TERM, signals.HUP))

    def _outcome(self) -> tuple[Outcome, int]:
        self._own_session()
        self._messenger = UserMessenger(self._store, self._job_id)
        activate(self._messenger)
        self._interrupts = _Interrupts(self._messenger, self._notice)
        outcome, code = ending_of(self._value, _free_memory)
        flush()
        return outcome, code

    def _value(self) -> Any:
        try:
            self._capture()
            self._interrupts.begin()
            payload = self._assignment.payload or self._store().payload(self._job_id)
            self._enter(self._assignment.context or Context.from_bytes(payload.context))
            gc.enable()
            return open_payload(payload).run(self._messenger)
        finally:
            self._interrupts.hold()

    def _capture(self) -> None:
        output = self._assignment.output or self._store().log_path(self._job_id)
        try:
            capture.capture(output)
        except OSError as error:
            words = f"not started: its output cannot be kept in {output} ({error.strerror}); see to that, then retry()"
            raise EngineError(words) from None

    def _enter(self, context: Context) -> None:
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        main.__dict__["__builtins__"] = __builtins__
        if not self._assignment.is_entered:
            enter_environment(context, self._home)
        os.environ[JOB_VARIABLE] = self._job_id
        context.enter_place()

    def _keep(self, outcome: Outcome) -> bool:
        """Hand the outcome over or store it, with patience; False if that cannot be done.

        What was computed for long is stored by this process itself, since whoever it is handed to might die with it.
        """
        if time.monotonic() - self._started < SHORT and self._hand_over(outcome):
            return True
        if self._notice.is_gone and self._keep_from_elsewhere(outcome):
            # The program has closed descriptors that it did not open, and with them the store's connection.
            return True
        began = time.monotonic()
        pause = 0.05
        said = False
        while True:
            try:
                self._store().set_outcome(self._job_id, outcome)
                return True
            except (StoreError, OSError, MemoryError) as error:
                if isinstance(error, MemoryError):
                    _free_memory()
                if not said:
                    self._say(f"the outcome of job {self._job_id} cannot be stored yet: {error}")
                    said = True
                patience = PATIENCE_FOR_ROOM if isinstance(error, StoreError) and error.lacks_room else PATIENCE
                if time.monotonic() - began > patience:
                    self._say(f"the outcome of job {self._job_id} is lost: {error}")
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 2.0)

    def _hand_over(self, outcome: Outcome) -> bool:
        return self._handover is not None and self._handover.give(self._job_id, outcome)

    def _keep_from_elsewhere(self, outcome: Outcome) -> bool:
        """Have a new process store the outcome; False if it cannot, either."""
        import subprocess

        command = boot_command(sys.executable, "keep", "--home", str(self._home), "--job", self._job_id, path=sys.path)
        try:
            kept = subprocess.run(command, input=pickle.dumps(outcome), check=False, cwd=self._home)
        except (OSError, MemoryError) as error:
            self._say(f"no process could be started to store the outcome of job {self._job_id}: {error}")
            return False
        self._is_connected = kept.returncode != 0
        return kept.returncode == 0

    def _say(self, words: str) -> None:
        """Put a line into the agent's log, where there is room for one."""
        with contextlib.suppress(OSError), open(log_path(self._home, "local"), "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}\n")

    def _end_like_an_interpreter(self) -> None:
        """Join threads and run exit handlers, as at the end of a script."""
        for step in (_join_threads, atexit._run_exitfuncs, _close_logs):
            try:
                step()
            except BaseException:  # noqa: BLE001 - as the interpreter does at its own end
                traceback.print_exc()
        if self._is_connected and self._store.is_open:
            with contextlib.suppress(JobdeckError):
                self._store.close()


def _join_threads() -> None:
    # Asked first: to find that there is nothing to do would touch much, at the end of a short job for nothing.
    if threading.active_count() > 1:
        threading._shutdown()  # type: ignore[attr-defined]


def _close_logs() -> None:
    handlers = logging._handlerList  # type: ignore[attr-defined]
    if len(handlers) != 1 or handlers[0]() is not logging.lastResort:
        logging.shutdown()


def _free_memory() -> None:
    """Make room for the words about it: a limit that the program has set on itself has done its work."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    gc.collect()

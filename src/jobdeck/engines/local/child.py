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
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ..._errors import EngineError, JobdeckError, StoreError
from ..._messenger import UserMessenger, activate
from ..._ports import Connect, Store
from ..._program import Context, plain_number, run
from ..._records import Outcome
from ..ending import outcome_of_raised, outcome_of_returned
from ..launch import boot_command, log_path
from ..marks import AGENT_VARIABLE, JOB_VARIABLE, process_name
from . import capture, signals
from .capture import flush
from .children import SET_CHILD_SUBREAPER, SET_NAME, SET_PDEATHSIG, prctl_of_libc
from .inherited import SHORT, Handover, Lines, handed_number

PATIENCE = 60.0
"""Seconds for which storing an outcome is tried again."""
PATIENCE_FOR_ROOM = 7 * 86_400.0
"""The same on a full disk: what was computed for hours is not to be lost while nobody looks."""
_THREADS_END = 0.5
"""Seconds that the threads of an interrupted program have to end after it."""
_WHILE_IT_RUNS = (signals.INT, signals.TERM, signals.HUP)
"""What may reach a job from the moment on at which its program runs."""
_CANNOT_STORE = 74  # EX_IOERR
_BROKEN = 70  # EX_SOFTWARE
_JOB_VARIABLE = JOB_VARIABLE.encode()
_environment: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
"""What `os.environ` keeps; to set a variable in it calls three functions."""
_FIRST_MAIN = sys.modules["__main__"]
"""Kept, since a job's process would have to take apart what it replaces."""


class Assignment(NamedTuple):
    """A job for a process of its own; without a context, the process reads from the store what it has to run.

    Attributes
    ----------
    output : str
        The file that takes its output; empty where the store has to be asked for it.
    program, inputs
        As they are in the payload.
    context : Context or None
        What is in the payload, opened.
    is_entered : bool
        Whether this process has the context's environment already.
    path : list or None
        The context's import path, for this process to have.
    """

    job_id: str
    output: str = ""
    program: bytes = b""
    inputs: bytes = b""
    context: Context | None = None
    is_entered: bool = False
    path: list[str] | None = None


def prepare() -> None:
    """Do for this process what every job needs and a fork inherits."""
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    faulthandler.enable(2)
    # Done by `_close_logs`, where there is anything to do.
    atexit.unregister(logging.shutdown)
    capture.prepare()
    renew_main()


def renew_main() -> None:
    """Have an empty module in the place of the program that this process was started with."""
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__


def enter_environment(context: Context, home: Path) -> None:
    """Give this process the environment that a job of this context has, but for the job's id."""
    context.enter_environment()
    os.environ.pop(AGENT_VARIABLE, None)
    os.environ["JOBDECK_HOME"] = str(home)


def run_job(work: Work, assignment: Assignment, parent: int) -> NoReturn:
    """Run one job in this process, which was prepared, and end it.

    Parameters
    ----------
    work
        What was made ready for it.
    parent : int
        The process that looks after this one; without it the job does not start.
    """
    code = _BROKEN
    try:
        code = work.run(assignment, parent)
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


class Work:
    """What a job's process does. All that does not depend on the job is made ready before the fork.

    What a short job costs are above all the pages that its process shares with its parent and has to copy as it writes.
    Each function that is called for the first time costs some three of them: hence the long methods, and the system's
    functions called by themselves.

    Parameters
    ----------
    home, connect
        How to reach the job's store.
    lines
        Where to say that the program has noticed an interrupt, and where to hand over what it left.
    """

    def __init__(self, home: Path, connect: Connect, lines: Lines) -> None:
        self._home = home
        self._notice, self._handover = lines
        self._store = _Reach(home, connect)
        self._messenger = UserMessenger(self._store)
        activate(self._messenger)
        self._prctl = prctl_of_libc()
        self._is_connected = True
        self._is_armed = False
        """Whether an interrupt is the program's: from its beginning to its end."""
        self._pid = 0
        self._job_id = ""
        self._started = 0.0

    def run(self, job: Assignment, parent: int | None, handover: Handover | None = None) -> int:
        """Take on the context, run the program, keep its outcome, end like an interpreter; return the exit code.

        Parameters
        ----------
        parent
            The process that looks after this one; without it the job does not start. None in a rehearsal.
        handover
            In a rehearsal, where to hand over what the program left.
        """
        prctl = self._prctl
        if parent is not None:
            if prctl is not None:
                prctl(SET_PDEATHSIG, signals.KILL, 0, 0, 0)
            if os.getppid() != parent:
                return _BROKEN
        pid = self._pid = os.getpid()
        job_id = self._job_id = self._messenger.job_id = job.job_id
        started = self._started = time.monotonic()
        if os.getsid(0) != pid:
            os.setsid()
        if prctl is not None:
            prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            prctl(SET_NAME, process_name(job_id).encode(), 0, 0, 0)
        signals.handle(signals.TERM, signals.DEFAULT)
        signals.handle(signals.CHLD, signals.DEFAULT)
        outcome: Outcome | None = None
        value: Any = None
        number: str | None = None
        code = 0
        try:
            value = self._value(job)
            number = plain_number(value)
            if number is None:
                outcome, value = outcome_of_returned(value), None
        except BaseException as error:  # noqa: BLE001 - whatever ends the program is its outcome
            outcome, code = outcome_of_raised(error, _free_memory)
        flush()
        if os.getpid() != pid:
            # A process that the program has forked came back from it, too. How the job ends is not up to that one.
            sys.stderr.write((outcome and outcome.traceback) or "")
            return code
        # What was computed for long is stored by this process itself, since whoever it is handed to might die with it.
        line = handover or self._handover
        is_kept = False
        if line is not None and time.monotonic() - started < SHORT:
            is_kept = line.give(job_id, outcome) if outcome else line.send(handed_number(job_id, number or ""))
        if not is_kept and not self._keep(outcome or outcome_of_returned(value)):
            return _CANNOT_STORE
        # Whatever still keeps the process busy may simply die.
        signals.handle(signals.INT, signals.DEFAULT)
        if outcome and outcome.interrupted:
            # The program has cleaned up. Of the threads that it left, compiled code may be at work for hours.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, _THREADS_END)
        # As at the end of a script. Asked first, since to find that there is nothing to do would touch much.
        if threading.active_count() > 1:
            _attempt(threading._shutdown)  # type: ignore[attr-defined]
        if atexit._ncallbacks():
            _attempt(atexit._run_exitfuncs)
        if _has_logs():
            _attempt(logging.shutdown)
        if self._is_connected and self._store.is_open:
            with contextlib.suppress(JobdeckError):
                self._store.close()
        return code

    def _value(self, job: Assignment) -> Any:
        try:
            output: str | Path = job.output
            if not output:
                signals.mask(signals.UNBLOCK, (signals.TERM, signals.HUP))
                output = self._store().log_path(job.job_id)
            try:
                capture.capture(output)
            except OSError as error:
                words = f"not started: its output cannot be kept in {output} ({error.strerror}); "
                raise EngineError(f"{words}see to that, then retry()") from None
            self._is_armed = True
            signals.handle(signals.INT, self._interrupted)
            signals.mask(signals.UNBLOCK, _WHILE_IT_RUNS)
            program, inputs, context = job.program, job.inputs, job.context
            if context is None:
                program, inputs, data = self._store().payload(job.job_id)
                context = Context.from_bytes(data)
            if not job.is_entered:
                enter_environment(context, self._home)
            name = job.job_id.encode()
            _environment[_JOB_VARIABLE] = name
            os.putenv(_JOB_VARIABLE, name)
            context.enter_place(job.path)
            gc.enable()
            return run(program, inputs, self._messenger)
        finally:
            # What the program left is not to be interrupted while it is being stored.
            self._is_armed = False

    def _interrupted(self, _number: int, _frame: object) -> None:
        if os.getpid() == self._pid:  # and not in what the program has forked
            self._notice.give(self._pid)
        self._messenger.interrupt()
        if self._is_armed:
            raise KeyboardInterrupt

    def _keep(self, outcome: Outcome) -> bool:
        """Store the outcome, with patience; False if that cannot be done."""
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


def _attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException:  # noqa: BLE001 - as the interpreter does at its own end
        traceback.print_exc()


def _has_logs() -> bool:
    handlers = logging._handlerList  # type: ignore[attr-defined]
    return len(handlers) != 1 or handlers[0]() is not logging.lastResort


def _free_memory() -> None:
    """Make room for the words about it: a limit that the program has set on itself has done its work."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    gc.collect()

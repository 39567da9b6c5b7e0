"""A job's own process: takes on the context of the kernel that submitted it, runs the program, keeps its outcome.

All that a plain call does not need is loaded where it is needed: the process that jobs are forked from is the smaller,
and its forks the cheaper, the less it has loaded.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import resource
import sys
import time

from ... import _at_work, _own_path
from ..._call import plain_number, run
from ..._own_path import OwnPath
from ..._place import enter_place
from ..marks import JOB_VARIABLE, process_name
from . import capture, signals
from .assignment import Assignment, Place
from .capture import flush
from .children import SET_CHILD_SUBREAPER, SET_NAME, SET_PDEATHSIG, prctl_of_libc
from .inherited import NEEDS, SHORT, Handover, Notice, handed_failure, handed_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, NoReturn

    from ..._messenger import UserMessenger
    from ..._ports import Store
    from ..._records import Outcome

_NEEDS = ("jobdeck.engines.ending", "jobdeck._messenger", "jobdeck._program", "cloudpickle")
"""What the process that a job is forked from has, or else the job had better been forked from another one."""
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


def prepare() -> None:
    """Do for this process what every job needs and a fork inherits."""
    _own_path.keep()
    for number in signals.OTHERS:
        signals.handle(number, signals.DEFAULT)
    faulthandler.enable(2)
    capture.prepare()
    renew_main()


def renew_main() -> None:
    """Have an empty module in the place of the program that this process was started with."""
    sys.modules["__main__"] = main = type(sys)("__main__")
    main.__dict__["__builtins__"] = __builtins__


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
    except BaseException as error:  # noqa: BLE001 - nothing above this line belongs to this process
        # The program may have left nothing to load a module with: then a retry goes to a process that has them.
        work.tell_of_needs(is_certain=True)
        work.tell_of_failure(error)
        _print_exception()
    finally:
        flush()
        os._exit(code)


class _Reach:
    """The store, opened when it is needed first: most of what a short job costs would be the opening of it.

    Whoever waits for news of this home is rung for.
    """

    def __init__(self, connect: Callable[[], Store]) -> None:
        self._connect = connect
        self._store: Store | None = None
        self._ring: Callable[[], None] | None = None

    def __call__(self) -> Store:
        # Two threads that are here at once open it twice, and one of the two is dropped: no lock to be forked with.
        if self._store is None:
            with OwnPath():
                from ..bell import NEWS, ringing

                store = self._connect()
                self._ring = ringing(store.home, NEWS)
                self._store = store
        return self._store

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        seq = self().add_message(job_id, body, final=final)
        if self._ring is not None:
            self._ring()
        return seq

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        self().set_progress(job_id, done, total, message)
        if self._ring is not None:
            self._ring()

    @property
    def is_open(self) -> bool:
        return self._store is not None

    def close(self) -> None:
        from ..._errors import JobdeckError

        try:
            self().close()
        except JobdeckError:
            return


class Work:
    """What a job's process does. All that does not depend on the job is made ready before the fork.

    What a short job costs are above all the pages that its process shares with its parent and has to copy as it writes.
    Each function that is called for the first time costs some three of them: hence the long methods, and the system's
    functions called by themselves.

    Parameters
    ----------
    home, connect
        The job's home, and what opens its store.
    notice, handover
        Where to say that the program has noticed an interrupt, and where to hand over what it left; without a handover
        the process stores it itself.
    tells_of_needs
        Whether to say of a job that it had to load some part of jobdeck, or cloudpickle.
    """

    def __init__(
        self,
        home: str,
        connect: Callable[[], Store],
        notice: Notice,
        handover: Handover | None = None,
        *,
        tells_of_needs: bool = False,
    ) -> None:
        self._home = home
        self._notice = notice
        self._handover = handover
        self._tells_of_needs = tells_of_needs
        self._store = _Reach(connect)
        self._messenger: UserMessenger | None = None
        self._prctl = prctl_of_libc()
        self._is_connected = True
        self._is_interrupted = False
        self._is_armed = False
        """Whether an interrupt is the program's: from its beginning to its end."""
        self._is_kept = False
        """Whether there is an outcome, whatever goes wrong from then on."""
        self._raised: BaseException | None = None
        """What the program has raised, until that is its outcome."""
        self._pid = 0
        self._job_id = ""
        _at_work.messenger = self.messenger

    def messenger(self) -> UserMessenger:
        """Return the job's messenger, which is made when it is needed first."""
        if self._messenger is None:
            with OwnPath():
                from ..._messenger import UserMessenger, activate
            made = UserMessenger(self._store, self._job_id)
            if self._is_interrupted:
                made.interrupt()
            self._messenger = made
            activate(made)
        return self._messenger

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
        job_id = self._job_id = job.job_id
        self._is_kept = False  # the parent has rehearsed
        loaded = len(sys.modules)
        started = time.monotonic()
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
        has_returned = False
        try:
            value = self._value(job)
            has_returned = True
            number = plain_number(value)
            if number is None:
                outcome, value = _outcome_of(value), None
        except BaseException as error:  # noqa: BLE001 - whatever ends the program is its outcome
            self._raised = None if has_returned else error
            if isinstance(error, MemoryError):
                _free_memory()
            with OwnPath():
                from ..ending import outcome_of_raised
            outcome, code = outcome_of_raised(error)
            # With it go all frames that it came through, and what they hold.
            self._raised = None
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
        if not is_kept and not self._keep(outcome or _outcome_of(value)):
            return _CANNOT_STORE
        self._is_kept = True
        # Whatever still keeps the process busy may simply die.
        signals.handle(signals.INT, signals.DEFAULT)
        if outcome and outcome.interrupted:
            # The program has cleaned up. Of the threads that it left, compiled code may be at work for hours.
            _die_soon()
        if loaded != len(sys.modules):
            self.tell_of_needs()
        # As at the end of a script. Asked first, since to find that there is nothing to do would touch much.
        threading = sys.modules.get("threading")
        if threading is not None and threading.active_count() > 1:
            _attempt(threading._shutdown)
        if atexit._ncallbacks():
            _attempt(atexit._run_exitfuncs)
        logging = sys.modules.get("logging")
        if logging is not None and _has_logs(logging):
            _attempt(logging.shutdown)
        if self._is_connected and self._store.is_open:
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
                raise _no_output(output, error) from None
            self._is_armed = True
            signals.handle(signals.INT, self._interrupted)
            signals.mask(signals.UNBLOCK, _WHILE_IT_RUNS)
            payload, place = job.payload, job.place
            if payload is None or place is None:
                payload, place = self._looked_up(job.job_id)
            if not job.is_entered:
                place.enter_environment(self._home)
            name = job.job_id.encode()
            _environment[_JOB_VARIABLE] = name
            os.putenv(_JOB_VARIABLE, name)
            enter_place(place.cwd, place.path, place.sources)
            gc.enable()
            return run(payload[0], payload[1], self.messenger)
        finally:
            # What the program left is not to be interrupted while it is being stored.
            self._is_armed = False

    def _looked_up(self, job_id: str) -> tuple[tuple[bytes, bytes], Place]:
        with OwnPath():
            from ..._program import Context
        program, inputs, context = self._store().payload(job_id)
        opened = Context.from_bytes(context)
        return (program, inputs), Place(opened.cwd, list(opened.sys_path), opened.env, opened.sources)

    def _interrupted(self, _number: int, _frame: object) -> None:
        if os.getpid() == self._pid:  # and not in what the program has forked
            self._notice.give(self._pid)
        self._is_interrupted = True
        if self._messenger is not None:
            self._messenger.interrupt()
        if self._is_armed:
            raise KeyboardInterrupt

    def tell_of_needs(self, *, is_certain: bool = False) -> None:
        """Say so where the job had to load what another process would have had."""
        if not self._tells_of_needs or self._handover is None:
            return
        if is_certain or any(name in sys.modules for name in _NEEDS):
            self._handover.send(NEEDS + self._job_id.encode())

    def tell_of_failure(self, error: BaseException) -> None:
        """Hand over why there is no outcome, by what this process has: `error` may be that it can load nothing."""
        # A process that the program has forked may have come here, too.
        if self._handover is None or self._is_kept or os.getpid() != self._pid:
            return
        failed = self._raised or error
        name = type(failed).__name__
        words = f"{name}: {failed}"
        if self._raised is None:
            words += "; so what the program left could not be kept. retry() runs it where nothing has to be loaded"
        self._handover.send(handed_failure(self._job_id, name, words))

    def _keep(self, outcome: Outcome) -> bool:
        """Store the outcome, with patience; False if that cannot be done."""
        with OwnPath():
            from .keeping import Keeper
        keeper = Keeper(self._home, self._job_id, self._store, _free_memory)
        if self._notice.is_gone and keeper.keep_from_elsewhere(outcome):
            # The program has closed descriptors that it did not open, and with them the store's connection.
            self._is_connected = False
            return True
        return keeper.keep(outcome)


def _attempt(step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException:  # noqa: BLE001 - as the interpreter does at its own end
        _print_exception()


def _print_exception() -> None:
    with OwnPath():
        import traceback
    traceback.print_exc()


def _has_logs(logging: Any) -> bool:
    handlers = logging._handlerList
    return len(handlers) != 1 or handlers[0]() is not logging.lastResort


def _no_output(output: object, error: OSError) -> Exception:
    with OwnPath():
        from ..._errors import EngineError
    return EngineError(
        f"not started: its output cannot be kept in {output} ({error.strerror}); see to that, then retry()"
    )


def _outcome_of(value: Any) -> Outcome:
    with OwnPath():
        from ..ending import outcome_of_returned
    return outcome_of_returned(value)


def _die_soon() -> None:
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, _THREADS_END)


def _free_memory() -> None:
    """Make room for the words about it: a limit that the program has set on itself has done its work."""
    try:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError):
        pass  # it stays as it is
    gc.collect()

"""Going a job's way before there is a job, in the process that jobs are forked from.

Most of what a short job costs are the pages that its process shares with its parent and has to copy as it writes. Much
of what Python writes is what it learns: where a type's method is, what kind of values some code works with. What the
parent has learned, no child writes again.
"""

from __future__ import annotations

import gc
import os
import sys
from _pickle import dumps
from types import FunctionType

from ..marks import JOB_VARIABLE
from . import signals
from .assignment import Assignment, Place
from .child import Work, renew_main
from .children import SET_NAME, prctl_of_libc
from .inherited import Handover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

NAME: Final = "jobdeck-zygote"
ENOUGH: Final = 20
"""Python specialises code only after its first eight or so calls."""
_JOB_ID: Final = "aaaaaa-aaaaaaaaaaaa"
_CALL: Final = dumps(((), {}, None, True, None))


def rehearse(work: Work) -> None:
    """Do once what each job does, but for its end. This process must have a single thread and no children."""
    place = Place(os.getcwd(), list(sys.path), {}, {})
    programs = [dumps(("callable", _number, None, None))]
    if "jobdeck.engines.ending" in sys.modules:
        # Jobs of this process leave more than numbers.
        programs.append(dumps(("callable", _mapping, None, None)))
    cloudpickle = sys.modules.get("cloudpickle")
    if cloudpickle is not None:
        programs.append(cloudpickle.dumps(("callable", _of_a_notebook(), None, None)))
    for program in programs:
        _go(work, Assignment(_JOB_ID, os.devnull, (program, _CALL), place, is_entered=True))


def _go(work: Work, assignment: Assignment) -> None:
    """Rehearse one job, and put everything back at the end."""
    path = sys.path
    handlers = [(number, signals.handler(number)) for number in (signals.TERM, signals.CHLD, signals.INT)]
    kept = [(os.dup(fd), fd) for fd in (1, 2)]
    folder, nowhere = os.open(".", os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    try:
        # As all functions of the C library it is looked up at its first call, through tables on ten pages.
        os.getppid()
        work.run(assignment, None, Handover(nowhere))
    finally:
        signals.mask(signals.BLOCK, (signals.INT, signals.HUP))
        for number, handler in handlers:
            signals.handle(number, handler)
        for copy, fd in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.environ.pop(JOB_VARIABLE, None)
        os.fchdir(folder)
        os.close(folder)
        os.close(nowhere)
        sys.path = path
        renew_main()
        prctl = prctl_of_libc()
        if prctl is not None:
            prctl(SET_NAME, NAME.encode(), 0, 0, 0)
        gc.disable()


def _number() -> float:
    """A program like any other, which travels as its name."""
    return 1.5


def _mapping() -> dict[str, float]:
    return {"value": 1.5}


def _of_a_notebook() -> Any:
    """The same as if it were of a notebook: it travels as its code."""
    return FunctionType(_mapping.__code__, {"__name__": "__main__", "__builtins__": __builtins__})

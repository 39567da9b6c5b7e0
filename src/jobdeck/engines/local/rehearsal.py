"""Going a job's way before there is a job, in the process that jobs are forked from.

Most of what a short job costs are the pages that its process shares with its parent and has to copy as it writes. Much
of what Python writes is what it learns: where a type's method is, what kind of values some code works with. What the
parent has learned, no child writes again.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator
from types import FunctionType
from typing import Final

from ..._program import Context, pack
from ..marks import JOB_VARIABLE
from . import signals
from .child import Assignment, Work, renew_main
from .children import name_process
from .inherited import Handover

NAME = "jobdeck-zygote"
ENOUGH = 20
"""Python specialises code only after its first eight or so calls."""
_JOB_ID = "aaaaaa-aaaaaaaaaaaa"


def rehearse(work: Work) -> None:
    """Do once what each job does, but for its end. This process must have a single thread and no children."""
    for program in (_imported, _of_a_notebook):
        packed = pack(program)
        context = Context.from_bytes(packed.context)
        path = list(context.sys_path)
        assignment = Assignment(_JOB_ID, os.devnull, packed.program, packed.inputs, context, True, path)
        with _all_as_before() as nowhere:
            # What os.fork() calls first of all in the new process, where it was not put off.
            threading._after_fork()  # type: ignore[attr-defined]
            # As all functions of the C library it is looked up at its first call, through tables on ten pages.
            os.getppid()
            work.run(assignment, None, Handover(nowhere))


@contextlib.contextmanager
def _all_as_before() -> Iterator[int]:
    """Put everything back at the end; gives a descriptor on which things can be handed over to nobody."""
    path = sys.path
    handlers = [(number, signals.handler(number)) for number in (signals.TERM, signals.CHLD, signals.INT)]
    kept = [(os.dup(fd), fd) for fd in (1, 2)]
    folder, nowhere = os.open(".", os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    try:
        yield nowhere
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
        name_process(NAME)
        gc.disable()


def _imported() -> dict[str, float]:
    """A program like any other, which travels as its name."""
    return {"value": 1.5}


_of_a_notebook: Final = FunctionType(_imported.__code__, {"__name__": "__main__", "__builtins__": builtins})
"""The same as if it were of a notebook: it travels as its code."""

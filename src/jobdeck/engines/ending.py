"""How a program ends, as far as Python tells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._messenger import active
from .._program import outcome_of_exception, outcome_of_value
from .._records import Outcome


def ending_of(program: Callable[[], Any], make_room: Callable[[], None] = lambda: None) -> tuple[Outcome, int]:
    """Call a program; return its outcome and the exit code that goes with it.

    Parameters
    ----------
    program
        Called without arguments.
    make_room
        Called where memory has run out, before words are made of it.
    """
    try:
        return _outcome_of(program()), 0
    except SystemExit as end:
        return _outcome_of_exit(end)
    except MemoryError as error:
        make_room()
        return outcome_of_exception(error), 1
    except BaseException as error:  # noqa: BLE001 - whatever ends the program is its outcome
        return outcome_of_exception(error), 1


def _outcome_of(value: Any) -> Outcome:
    """Return the outcome of a program that returned; after a final message, None stands for that."""
    left = outcome_of_value(value)
    messenger = active() if value is None else None
    return left if messenger is None else replace(left, chart=messenger.final_chart)


def _outcome_of_exit(end: SystemExit) -> tuple[Outcome, int]:
    """What ``sys.exit`` means at the end of a script."""
    if end.code is None or end.code == 0:
        return _outcome_of(None), 0
    if isinstance(end.code, int):
        return outcome_of_exception(end), end.code & 0xFF
    print(end.code, file=sys.stderr)
    return outcome_of_exception(end), 1

"""How a program ends, as far as Python tells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._messenger import active
from .._program import outcome_of_exception, outcome_of_value
from .._records import Outcome


def ending_of(program: Callable[[], Any]) -> Outcome:
    """Call a program without arguments; return its outcome."""
    try:
        return outcome_of_returned(program())
    except BaseException as error:  # noqa: BLE001 - whatever ends the program is its outcome
        return outcome_of_raised(error)[0]


def outcome_of_returned(value: Any) -> Outcome:
    """Return the outcome of a program that returned; after a final message, None stands for that."""
    left = outcome_of_value(value)
    messenger = active() if value is None else None
    return left if messenger is None else replace(left, chart=messenger.final_chart)


def outcome_of_raised(error: BaseException) -> tuple[Outcome, int]:
    """Return the outcome of a program that raised, and the exit code that goes with it.

    ``SystemExit`` means what it does at the end of a script.
    """
    if isinstance(error, SystemExit):
        if error.code is None or error.code == 0:
            return outcome_of_returned(None), 0
        if isinstance(error.code, int):
            return outcome_of_exception(error), error.code & 0xFF
        print(error.code, file=sys.stderr)
    return outcome_of_exception(error), 1

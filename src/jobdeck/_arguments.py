"""What public functions were given, checked: what is wrong is told by the argument's name, before anything is done."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable
from math import isfinite, isnan
from numbers import Real
from typing import Any, Final, TypeVar

from ._errors import InvalidInputError
from ._plain import a_kind, plain

T = TypeVar("T")

_LONGEST: Final = 60


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number, numpy's included; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def checked_timeout(timeout: float | None) -> float | None:
    """Return how many seconds to wait. What is below 0 is over already; None and infinity never are."""
    if timeout is None:
        return None
    if not isinstance(timeout, Real) or isinstance(timeout, bool) or isnan(timeout):
        raise InvalidInputError(
            f"timeout is a number of seconds, or None to wait for as long as it takes, not {shown(timeout)}"
        )
    return float(timeout)


def checked_pace(name: str, seconds: float) -> float:
    """Return how many seconds there are at most between two looks."""
    if not isinstance(seconds, Real) or isinstance(seconds, bool) or isnan(seconds):
        raise InvalidInputError(f"{name} is a number of seconds, not {shown(seconds)}")
    return float(seconds)


def checked_start(name: str, number: int) -> int:
    """Return a whole number from 0 on, numpy's included."""
    try:
        found = -1 if isinstance(number, bool) else operator.index(number)
    except TypeError:
        found = -1
    if found < 0:
        raise InvalidInputError(f"{name} is a whole number of at least 0, not {shown(number)}")
    return found


def checked_count(name: str, number: int | None) -> int | None:
    """Return a whole number from 0 on, or None."""
    return None if number is None else checked_start(name, number)


def checked_id(what: str, given: str) -> str:
    """Return an id; `what` says whose: ``a job``."""
    if not isinstance(given, str):
        raise InvalidInputError(f"{what} id is a text, not {type(given).__name__}")
    return given


def checked_text(name: str, text: str | None) -> str | None:
    """Return a text, or None."""
    if text is not None and not isinstance(text, str):
        raise InvalidInputError(f"{name} is a text or None, not {shown(text)}")
    return text


def checked_several(name: str, values: Iterable[T], what: str) -> Iterable[T]:
    """Return what can be gone through; `what` says of what it is: ``texts``."""
    try:
        iter(values)
    except TypeError:
        raise InvalidInputError(f"{name} is a list of {what}, not {shown(values)}") from None
    return values


def checked_callback(callback: Callable[..., Any] | None, arguments: str) -> None:
    """Raise where a callback cannot be called; `arguments` says with what it is to be."""
    if callback is not None and not callable(callback):
        raise InvalidInputError(f"callback is called with ({arguments}); {a_kind(callback)} is no callable")


def checked_class(name: str, given: object, such_as: str) -> None:
    """Raise where what is to be a decoder or an encoder is no class."""
    if given is not None and not isinstance(given, type):
        raise InvalidInputError(f"{name} is a class such as {such_as}, not {shown(given)}")


def checked_home(home: str | os.PathLike[str] | None) -> str | None:
    """Return the path of a home as a text, None for the default one."""
    if home is None:
        return None
    path = os.fspath(home) if isinstance(home, (str, os.PathLike)) else None
    if not isinstance(path, str):
        raise InvalidInputError(f"home is the path of a folder, or None for the default one, not {shown(home)}")
    return path


def shown(given: object) -> str:
    """Return what was given as a message names it: a short value as it is, anything else by its kind."""
    if given is None or isinstance(given, (str, int, float)):
        return plain(repr(given), _LONGEST)
    return a_kind(given)

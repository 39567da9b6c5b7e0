"""Functions that travel whole to where jobdeck need not be installed."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable
from typing import Any


def by_value(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a copy of a function that a pickle holds whole, rather than as a name.

    Dask's scheduler opens what it is given to pass on, and need not have jobdeck for it; and a worker without jobdeck
    gets to say so. Neither opens a name in ``__main__``, so that cloudpickle takes the function itself.
    """
    copy = types.FunctionType(
        function.__code__, {"__builtins__": builtins, "__name__": "__main__"}, function.__name__, function.__defaults__
    )
    copy.__module__ = "__main__"
    copy.__qualname__ = copy.__name__
    return copy

"""How Dask is to run a job: what it takes of ``Client.submit``, as a job's metadata have it under ``"dask"``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..._errors import InvalidInputError

RESULT_LIMIT: Final = 1 << 20
"""Bytes up to which a result goes into the store; a larger one is kept in the cluster."""
OFF: Final = "off"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_workers(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _is_resources(value: object) -> bool:
    # Dask takes an amount below zero, and no worker ever has room for it.
    return isinstance(value, dict) and all(_is_number(amount) and amount >= 0 for amount in value.values())


_OPTIONS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "allow_other_workers": (lambda value: isinstance(value, bool), "True or False"),
    "priority": (_is_number, "a number"),
    "result_limit": (
        lambda value: value is None or _is_count(value),
        "a number of bytes, or None for no limit",
    ),
    "resources": (_is_resources, "a dict of numbers of at least 0, such as {'GPU': 1}"),
    "retries": (_is_count, "a whole number of at least 0"),
    "workers": (_is_workers, "an address or a name, or a list of them"),
}


def checked_options(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job's metadata say about how Dask is to run it.

    Raises
    ------
    InvalidInputError
        There is an option that is none, a value that does not fit one, or one that says nothing without another.
    """
    given = metadata.get("dask", {})
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"options['dask'] is a dict, not {given!r}")
    for name, value in given.items():
        if name not in _OPTIONS:
            raise InvalidInputError(f"there is no option {name!r} for Dask; there are: {', '.join(_OPTIONS)}")
        fits, words = _OPTIONS[name]
        if not fits(value):
            raise InvalidInputError(f"the option {name!r} for Dask is {words}, not {value!r}")
    if given.get("allow_other_workers") and not given.get("workers"):
        raise InvalidInputError("the option 'allow_other_workers' for Dask goes with 'workers': say on which first")
    return dict(given)


def result_limit(setting: str | None) -> int | None:
    """Return what the setting ``dask_result_limit`` says: bytes, or None for no limit."""
    if setting == OFF:
        return None
    return int(setting) if setting is not None and setting.isdecimal() else RESULT_LIMIT


def total_limit(setting: str | None) -> int | None:
    """Return what the setting ``dask_results_total`` says: bytes, or None for no limit."""
    return int(setting) if setting is not None and setting.isdecimal() else None

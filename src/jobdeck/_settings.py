"""Settings of a home: what holds for all of its decks, kernels and agents."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from ._errors import InvalidInputError
from ._query.quantities import size_of
from ._service import JobService

OFF: Final = "off"


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes
    ----------
    words
        What it says, for people.
    default
        Its value as long as it is not set.
    kept
        Makes the text that is kept of what somebody gives; InvalidInputError says what it has to be. None for an
        engine, which the home's service knows.
    """

    words: str
    default: Callable[[], str]
    kept: Callable[[Any], str] | None


def _count(given: Any) -> str:
    number = int(given) if isinstance(given, str) and given.isdecimal() else given
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidInputError(f"a whole number above 0, not {given!r}")
    return str(number)


def _limit(given: Any) -> str:
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = -1.0
    if given != OFF and not 0 <= number < float("inf"):
        raise InvalidInputError(f"a number from 0 on, or {OFF!r}, not {given!r}")
    return str(given)


def _whole_limit(given: Any) -> str:
    kept = _limit(given)
    return kept if kept == OFF else str(int(float(kept)))


def _bytes(given: Any) -> str:
    number = OFF if given == OFF else size_of(str(given))
    if number is None:
        raise InvalidInputError(f"a number of bytes, such as 5000000 or 5MB, or {OFF!r}, not {given!r}")
    return OFF if isinstance(number, str) else str(int(number))


SETTINGS: Final[Mapping[str, Setting]] = {
    "engine": Setting("what runs jobs that name no engine; JOBDECK_ENGINE wins over it", lambda: "local", None),
    "max_workers": Setting("local jobs that run at once", lambda: str(os.cpu_count() or 1), _count),
    "keep_days": Setting("what ended so many days ago is removed", lambda: "90", _limit),
    "keep_jobs": Setting("so many jobs that ended are kept, the newest", lambda: "10000", _whole_limit),
    "dask_results_total": Setting(
        "bytes of results that stay in a Dask cluster; of more, it forgets the oldest", lambda: OFF, _bytes
    ),
    "dask_result_limit": Setting(
        "bytes up to which a result of a Dask job goes into the store; a larger one stays in the cluster",
        lambda: "1048576",
        _bytes,
    ),
}


class Settings(MutableMapping[str, str]):
    """The settings of one home, each with the value that holds; deleting one sets it back.

    Parameters
    ----------
    service
        Of the home.
    """

    def __init__(self, service: JobService) -> None:
        self._service = service

    def __getitem__(self, name: str) -> str:
        found = self._service.store.setting(name) if name in SETTINGS else None
        return SETTINGS[name].default() if found is None else found

    def __setitem__(self, name: str, value: Any) -> None:
        setting = _named(name)
        try:
            text = self._service.engines.name_of(value) if setting.kept is None else setting.kept(value)
        except InvalidInputError as error:
            raise InvalidInputError(f"{name} is {error}") from None
        self._service.store.set_setting(name, text)

    def __delitem__(self, name: str) -> None:
        _named(name)
        self._service.store.set_setting(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(SETTINGS)

    def __len__(self) -> int:
        return len(SETTINGS)

    def __repr__(self) -> str:
        return f"Settings({dict(self)})"


def _named(name: str) -> Setting:
    if name not in SETTINGS:
        raise InvalidInputError(f"there is no setting {name!r}; there are: {', '.join(SETTINGS)}")
    return SETTINGS[name]

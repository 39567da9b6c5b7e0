"""What ``run`` can be told about a job, checked."""

from __future__ import annotations

import functools
import json
import logging
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any, Final

from ._arguments import checked_several
from ._backends import backend_name, backend_named
from ._errors import InvalidInputError

_OPTIONS: Final = {
    "backend_name": "backend",
    "backend": "backend",
    "job_tags": "tags",
    "max_execution_time": "timeout",
    "log_level": "log_level",
}
"""Names that runtime services have in ``options``, and what they are called here."""
_KEPT: Final = ("image", "instance")
"""Those that say where a service runs a job: nothing follows from them here, and they are kept with the job."""
_ENGINE: Final = "dask"
"""What is for the engine alone. It is kept with the job, so that a retry is run the same way."""
_MAX_NAME: Final = 200
_IMAGE: Final = re.compile(r"[a-zA-Z0-9]+([/.\-_][a-zA-Z0-9]+)*:[a-zA-Z0-9]+([.\-_][a-zA-Z0-9]+)*")


@dataclass
class RuntimeOptions:
    """What ``run(options=…)`` takes; a dict with these names does as well.

    Parameters
    ----------
    backend_name
        Name of a simulator that is installed, such as ``"aer_simulator"``; see `Deck.backends`.
    image, instance
        Where a service would run it. Kept with the job: here it runs in the environment of the kernel that it is from.
    log_level
        The level of the job's root logger: ``"DEBUG"``, ``"INFO"``, ``"WARNING"``, ``"ERROR"`` or ``"CRITICAL"``.
    job_tags
        Words to find the job by.
    max_execution_time
        Seconds after which it is stopped.
    """

    backend_name: str | None = None
    image: str | None = None
    log_level: str | None = None
    instance: str | None = None
    job_tags: Iterable[str] | None = None
    max_execution_time: float | None = None

    def validate(self) -> None:
        """Check what is given, as `run` does. InvalidInputError names what is wrong."""
        RunOptions()._with(self)


@dataclass(frozen=True)
class RunOptions:
    """How a job is to be run. See `Deck.run`."""

    backend: Any = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    engine: Any = None
    timeout: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    log_level: str | None = None

    @classmethod
    def checked(
        cls,
        *,
        backend: Any,
        name: str | None,
        tags: Iterable[str],
        engine: Any,
        timeout: float | None,
        metadata: Mapping[str, Any] | None,
        options: Any,
    ) -> RunOptions:
        """Check what was given, and take over what is in `options`. InvalidInputError names what is wrong."""
        given = cls(
            backend,
            _checked_name(name),
            checked_tags(tags),
            engine,
            None if timeout is None else checked_seconds("timeout", timeout),
            _checked_metadata(metadata),
        )
        return given if options is None else given._with(options)

    def _with(self, options: Any) -> RunOptions:
        changes: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        for key, value in _as_mapping(options).items():
            name = _OPTIONS.get(key)
            if key in _KEPT:
                kept[key] = _checked_place(key, value)
                continue
            if key == _ENGINE:
                kept |= _checked_metadata({key: value}, "options")
                continue
            if name is None:
                raise InvalidInputError(
                    f"there is no option {key!r}; there are: {', '.join((*_OPTIONS, *_KEPT, _ENGINE))}"
                )
            if name == "backend" and self.backend is not None:
                continue  # an object is more than a name: it wins
            if getattr(self, name) or name in changes:
                raise InvalidInputError(f"give either options[{key!r}] or {name}=, not both")
            changes[name] = _READ[name](value)
        return replace(self, **changes, metadata={**self.metadata, **kept})

    @property
    def backend_name(self) -> str | None:
        """The backend's name for people; None without a backend."""
        return None if self.backend is None else backend_name(self.backend)


def checked_tags(tags: Iterable[str], name: str = "tags") -> tuple[str, ...]:
    """Return tags as a tuple without repetitions. InvalidInputError where they are no texts."""
    found = (tags,) if isinstance(tags, str) else tuple(checked_several(name, tags, "texts"))
    for tag in found:
        if not isinstance(tag, str) or not tag.strip():
            raise InvalidInputError(f"a tag is a text that is not empty, not {tag!r}")
    return tuple(dict.fromkeys(map(_storable, found)))


def edited_tags(
    tags: Iterable[str], replacement: Iterable[str] | None, additional: Iterable[str], removed: Iterable[str]
) -> list[str]:
    """Return tags after all were replaced, then some added, then some removed."""
    gone = frozenset(removed)
    left = dict.fromkeys([*(tags if replacement is None else replacement), *additional])
    return [tag for tag in left if tag not in gone]


def _checked_name(name: str | None) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str) or not name.strip():
        raise InvalidInputError(f"a job's name is a text that is not empty, not {name!r}")
    if len(name) > _MAX_NAME:
        raise InvalidInputError(f"a job's name has at most {_MAX_NAME} characters, not {len(name)}")
    return _storable(name)


def checked_seconds(name: str, seconds: Any) -> float:
    """Return a length of time. InvalidInputError, with its name, where it is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not (0 < seconds < math.inf):
        raise InvalidInputError(f"{name} is a number of seconds above 0, not {seconds!r}")
    return float(seconds)


def _as_mapping(options: Any) -> Mapping[str, Any]:
    """Return options as a mapping; of an object, those that are not None."""
    if isinstance(options, Mapping):
        return options
    if is_dataclass(options) and not isinstance(options, type):
        found = asdict(options)
    elif isinstance(getattr(options, "__dict__", None), dict) and not isinstance(options, type):
        found = vars(options)
    else:
        raise InvalidInputError(f"options are a dict or RuntimeOptions, not {type(options).__name__}")
    return {name: value for name, value in found.items() if value is not None and not name.startswith("_")}


def _checked_backend(backend: Any) -> Any:
    return backend_named(backend) if isinstance(backend, str) else backend


def _checked_level(level: Any) -> str:
    if not isinstance(level, str) or not isinstance(logging.getLevelName(level.upper()), int):
        raise InvalidInputError(f"log_level is one of DEBUG, INFO, WARNING, ERROR and CRITICAL, not {level!r}")
    return level.upper()


def _checked_place(key: str, value: Any) -> Any:
    if key == "image" and not (isinstance(value, str) and _IMAGE.fullmatch(value)):
        raise InvalidInputError(f"options: an image is written as name:tag, not as {value!r}")
    return _checked_metadata({key: value}, "options")[key]


def _checked_metadata(metadata: Mapping[str, Any] | None, argument: str = "metadata") -> Mapping[str, Any]:
    if metadata is None:
        return {}
    try:
        if not isinstance(metadata, Mapping):
            raise TypeError(f"it is of type {type(metadata).__name__}")
        kept: dict[str, Any] = json.loads(json.dumps(dict(metadata), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{argument} is a dict of what JSON can hold: {error}") from error
    return kept


def _storable(text: str) -> str:
    """Replace lone surrogates, which no database and no browser takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


_READ: Final[dict[str, Any]] = {
    "backend": _checked_backend,
    "tags": functools.partial(checked_tags, name="job_tags"),
    "timeout": functools.partial(checked_seconds, "max_execution_time"),
    "log_level": _checked_level,
}

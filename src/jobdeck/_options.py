"""What ``run`` can be told about a job, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ._errors import InvalidInputError

_OPTIONS: Final = {"backend_name": "backend", "job_tags": "tags", "max_execution_time": "timeout"}
"""Names that RuntimeJob's services have in ``options``, and what they are called here."""
_MAX_NAME: Final = 200


@dataclass(frozen=True)
class RunOptions:
    """How a job is to be run. See `Deck.run`."""

    backend: Any = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    engine: str | None = None
    timeout: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def checked(
        cls,
        *,
        backend: Any,
        name: str | None,
        tags: Iterable[str],
        engine: str | None,
        timeout: float | None,
        metadata: Mapping[str, Any] | None,
        options: Mapping[str, Any] | None,
    ) -> RunOptions:
        """Check what was given, and take over what is in `options`. InvalidInputError names what is wrong."""
        given = cls(
            backend,
            _checked_name(name),
            checked_tags(tags),
            engine,
            _checked_timeout(timeout),
            _checked_metadata(metadata),
        )
        return given if options is None else given._with(options)

    def _with(self, options: Mapping[str, Any]) -> RunOptions:
        if not isinstance(options, Mapping):
            raise InvalidInputError(f"options are a dict, not {type(options).__name__}")
        changes: dict[str, Any] = {}
        for key, value in options.items():
            name = _OPTIONS.get(key)
            if name is None:
                raise InvalidInputError(f"there is no option {key!r}; there are: {', '.join(sorted(_OPTIONS))}")
            if getattr(self, name):
                raise InvalidInputError(f"give either options[{key!r}] or {name}=, not both")
            changes[name] = value
        if "tags" in changes:
            changes["tags"] = checked_tags(changes["tags"])
        if "timeout" in changes:
            changes["timeout"] = _checked_timeout(changes["timeout"])
        return replace(self, **changes)

    @property
    def backend_name(self) -> str | None:
        """The backend's name for people; None without a backend."""
        if self.backend is None or isinstance(self.backend, str):
            return self.backend
        name = getattr(self.backend, "name", None)
        name = name() if callable(name) else name
        return name if isinstance(name, str) and name else type(self.backend).__name__


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as a tuple without repetitions. InvalidInputError where they are no texts."""
    found = (tags,) if isinstance(tags, str) else tuple(tags)
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


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not (0 < timeout < math.inf):
        raise InvalidInputError(f"timeout is a number of seconds above 0, not {timeout!r}")
    return float(timeout)


def _checked_metadata(metadata: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if metadata is None:
        return {}
    try:
        if not isinstance(metadata, Mapping):
            raise TypeError(f"it is of type {type(metadata).__name__}")
        kept: dict[str, Any] = json.loads(json.dumps(dict(metadata), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"metadata is a dict of what JSON can hold: {error}") from error
    return kept


def _storable(text: str) -> str:
    """Replace lone surrogates, which no database and no browser takes."""
    return text.encode("utf-8", "replace").decode("utf-8")

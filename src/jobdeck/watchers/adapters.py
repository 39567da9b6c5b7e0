"""Which adapter knows what: jobdeck's own first, then those of other packages, then whatever has a job's methods."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from .._errors import InvalidInputError, JobdeckError
from .._plain import a_kind
from .ports import Adapter, Gathered, Watched
from .seams import Seam

_log = logging.getLogger(__name__)

GROUP: Final = "jobdeck.watchers"
"""The entry points by which other packages bring adapters."""


@dataclass(frozen=True)
class BuiltIn:
    """An adapter of jobdeck's own: a module with ``adapt`` and perhaps ``reattach``, loaded when it may be needed.

    Attributes
    ----------
    module : str
        Its name in this package.
    kinds : str
        What it knows, in words.
    needs : str
        A module without which there can be no object of that kind.
    systems : tuple of str
        Whose jobs it can reach again.
    gathers : bool
        It has ``gather``, too, for what holds several jobs.
    has_seams : bool
        It has ``seams``, too, by which a block notes what it creates.
    """

    module: str
    kinds: str
    needs: str
    systems: tuple[str, ...] = ()
    gathers: bool = False
    has_seams: bool = False


BUILT_IN: Final = (
    # Before futures: it is one, but is not stopped like one.
    BuiltIn("parallel", "ipyparallel's AsyncResult", needs="ipyparallel", has_seams=True),
    BuiltIn("futures", "concurrent.futures.Future", needs="concurrent.futures", has_seams=True),
    BuiltIn("tasks", "asyncio.Task and asyncio.Future", needs="asyncio", has_seams=True),
    BuiltIn("processes", "subprocess.Popen", needs="subprocess"),
    BuiltIn("clusters", "distributed.Future and persisted Dask collections", needs="distributed", has_seams=True),
    BuiltIn("parallel_calls", "joblib.Parallel, for its next call", needs="joblib", has_seams=True),
    BuiltIn("ray_tasks", "Ray's ObjectRef", needs="ray", has_seams=True),
    # Before Qiskit's other jobs: those of the service are primitives' jobs, too.
    BuiltIn(
        "qiskit.service",
        "jobs, sessions and batches of IBM's service",
        needs="qiskit_ibm_runtime",
        systems=("ibm-runtime",),
        gathers=True,
    ),
    BuiltIn("qiskit.jobs", "jobs of Qiskit's backends and primitives", needs="qiskit"),
)


def adapt(obj: Any) -> Watched:
    """Return a job of another system, ready to be watched.

    Parameters
    ----------
    obj
        Anything.

    Raises
    ------
    InvalidInputError
        Nobody here knows what it is.
    """
    found = find(obj)
    if found is not None:
        return found
    raise InvalidInputError(
        f"{a_kind(obj)} is nothing that can be watched. What can: {'; '.join(each.kinds for each in BUILT_IN)}; any "
        f"object with job_id(), status() and result(), and cancel() where it has one; and what an adapter makes a "
        f"jobdeck.Watched of (entry points {GROUP!r}, see docs/watching.md)"
    )


def find(obj: Any) -> Watched | None:
    """Return a job of another system, ready to be watched; None if nobody here knows what it is."""
    if isinstance(obj, Watched):
        return obj
    for adapter in _adapters():
        try:
            found = adapter(obj)
        except JobdeckError:
            raise
        except Exception:  # noqa: BLE001 - another package's fault must not keep the rest from being asked
            _log.warning("an adapter failed at a %s", _kind(obj), exc_info=True)
            continue
        if found is not None:
            if found.origin is None:
                found.origin = obj
            return found
    return None


def gather(obj: Any) -> Gathered | None:
    """Return what another system holds together, such as a session, to watch its jobs; None for anything else."""
    for built_in in BUILT_IN:
        if built_in.gathers and built_in.needs in sys.modules:
            found: Gathered | None = _module(built_in).gather(obj)
            if found is not None:
                return found
    return None


def reattach(source: Mapping[str, Any]) -> Watched | None:
    """Return a job that survived its kernel, None if no adapter here reaches it. It may take long, or raise."""
    system = source.get("system")
    for built_in in BUILT_IN:
        if system in built_in.systems:
            return _module(built_in).reattach(source)  # type: ignore[no-any-return]
    for adapter in _entry_points():
        again: Callable[[Mapping[str, Any]], Watched | None] | None = getattr(adapter, "reattach", None)
        if again is not None and (found := again(source)) is not None:
            return found
    return None


def seams() -> Iterator[Seam]:
    """Return where the systems that are loaded create what can be watched."""
    for built_in in BUILT_IN:
        if built_in.has_seams and built_in.needs in sys.modules:
            try:
                found = tuple(_module(built_in).seams())
            except (AttributeError, KeyError):  # a version without it, or another module of that name
                _log.warning("what %s creates is not shown by itself", built_in.needs, exc_info=True)
            else:
                yield from found


def _adapters() -> Iterator[Adapter]:
    for built_in in BUILT_IN:
        if built_in.needs in sys.modules:
            yield _module(built_in).adapt
    yield from _entry_points()
    yield import_module(".duck", __package__).adapt


def _module(built_in: BuiltIn) -> Any:
    return import_module(f".{built_in.module}", __package__)


@functools.cache
def _entry_points() -> tuple[Adapter, ...]:
    from importlib.metadata import entry_points

    found: list[Adapter] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            adapter = point.load()
        except Exception:  # noqa: BLE001 - another package's fault must not keep the rest from being watched
            _log.exception("the adapter %r (%s) cannot be loaded", point.name, point.value)
            continue
        if callable(adapter):
            found.append(adapter)
        else:
            _log.error("the adapter %r (%s) is no callable", point.name, point.value)
    return tuple(found)


def _kind(obj: Any) -> str:
    kind = type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"

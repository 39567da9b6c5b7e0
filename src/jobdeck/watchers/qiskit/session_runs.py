"""What is run in a session or a batch from now on, of the service and of those that only simulate one here."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..ports import Gathered
from .service_session import KIND

_log = logging.getLogger(__name__)

_keys: Final[WeakKeyDictionary[Any, str]] = WeakKeyDictionary()
"""By what sessions are told apart that have no id: those that only simulate one."""


def gather_local(obj: Any) -> Gathered | None:
    """Return a session or batch of the client library's local mode; None for anything else."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(obj).__mro__}
    if ("qiskit_ibm_runtime", "Session") not in kinds or not callable(getattr(obj, "_run", None)):
        return None
    word = "batch" if ("qiskit_ibm_runtime", "Batch") in kinds else "session"
    backend = getattr(getattr(obj, "_backend", None), "name", None) or "a simulator"
    key = _keys.setdefault(obj, f"local-{uuid.uuid4().hex}")
    # What it has run before, it does not know itself.
    return Gathered((KIND, key, f"local {word} on {backend}"), lambda: [], functools.partial(follow_runs, obj))


def follow_runs(session: Any, tell: Callable[[Any], object]) -> None:
    """Have `tell` called with every job that is run in this very session from now on.

    A primitive in a session runs by the session's `_run`; there is no public way to hear of it.
    """
    run = session._run
    if hasattr(run, "jobdeck_follows"):
        return

    @functools.wraps(run)
    def noting(*args: Any, **kwargs: Any) -> Any:
        job = run(*args, **kwargs)
        try:
            tell(job)
        except Exception:  # noqa: BLE001 - whatever is wrong here is nothing to whoever runs a job
            _log.warning("a job of a watched session cannot be shown", exc_info=True)
        return job

    noting.jobdeck_follows = True  # type: ignore[attr-defined]
    session._run = noting

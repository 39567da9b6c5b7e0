"""Sessions and batches of IBM's service: groups of jobs."""

from __future__ import annotations

import sys
from typing import Any, Final

KIND: Final = "session"
"""Of their groups, batches too: which of both it is, a job that is watched alone does not tell."""


def is_session(obj: Any) -> bool:
    """Tell whether this is a session or a batch of the service, and none that only simulates one here."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(obj).__mro__}
    return ("qiskit_ibm_runtime", "Session") in kinds and isinstance(getattr(obj, "session_id", None), str)


def group_of(session_id: str | None, backend: str | None, session: Any = None) -> tuple[str, str, str] | None:
    """Return kind, key and name of the group that a job of a session belongs to.

    Parameters
    ----------
    session
        The session or batch, where it is at hand; otherwise the one is looked at that is open now.
    """
    if session_id is None:
        return None
    if session is None:
        session = _open_session(session_id)
    is_batch = any(kind.__name__ == "Batch" for kind in type(session).__mro__)
    return KIND, session_id, f"{'batch' if is_batch else 'session'} on {backend or 'a device'}"


def jobs_of(session: Any) -> list[Any]:
    """Return the jobs of a session or batch, the first one first, those that were made elsewhere included.

    It asks the service, a page for each twenty jobs.

    Raises
    ------
    OSError
        The service cannot be asked now.
    """
    from .service_client import lost_connection

    try:
        return list(session.service.jobs(session_id=session.session_id, limit=None, descending=False))
    except Exception as error:
        raise lost_connection(error) or error from error


def _open_session(session_id: str) -> Any:
    module = sys.modules.get("qiskit_ibm_runtime.utils.default_session")
    session = None if module is None else module.get_cm_session()
    return session if getattr(session, "session_id", None) == session_id else None

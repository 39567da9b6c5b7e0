"""The kernel's side of a Dask engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..._errors import EngineError
from ..._records import Gone
from ..launch import ensure_agent
from ..lock import AgentLock
from .address import checked, file_name, kept_security, scheduler_address
from .options import checked_options
from .shelf import fetch


class DaskEngine:
    """Runs jobs on the workers of a Dask cluster.

    Parameters
    ----------
    home : Path
        The store's home.
    name : str
        ``dask://HOST:PORT``, or ``dask+tls://HOST:PORT``.

    Raises
    ------
    EngineError
        Dask is not installed, or the name is none.
    """

    shares_memory = False

    def __init__(self, home: Path, name: str) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise EngineError(f"the engine {name!r} needs Dask: pip install 'jobdeck[dask]'")
        self.name = checked(name)
        self._home = Path(home)
        self._lock = AgentLock(self._home, file_name(self.name))

    def check(self, metadata: Mapping[str, Any]) -> None:
        """See :func:`checked_options`."""
        checked_options(metadata)

    def fetch_results(
        self, job_ids: Collection[str], timeout: float | None
    ) -> Mapping[str, bytes | EngineError | Gone]:
        """See :func:`.shelf.fetch`."""
        return fetch(scheduler_address(self.name), kept_security(self._home, self.name), job_ids, timeout)

    def ensure_agent(self) -> None:
        """Make sure that an agent is alive and looks at the queue. It may not have reached the scheduler yet."""
        ensure_agent(self._home, file_name(self.name), ("--engine", self.name), role="dask")

    def live_agent(self) -> str | None:
        """The id of the living agent, None if there is none."""
        holder = self._lock.holder()
        return None if holder is None else holder.agent or f"{self.name}@starting"

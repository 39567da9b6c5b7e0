"""The kernel's side of the local engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..launch import ensure_agent
from ..lock import AgentLock


class LocalEngine:
    """Runs jobs on this machine.

    Parameters
    ----------
    home : Path
        The store's home.

    Raises
    ------
    EngineError
        On a system without POSIX processes.
    """

    name = "local"
    shares_memory = False

    def __init__(self, home: Path) -> None:
        self._home = Path(home)
        self._lock = AgentLock(self._home, self.name)

    def check(self, metadata: Mapping[str, Any]) -> None:
        """Do nothing: metadata say nothing to this engine."""

    def ensure_agent(self) -> None:
        """Make sure that an agent is alive and looks at the queue; see :func:`jobdeck.engines.launch.ensure_agent`."""
        ensure_agent(self._home, self.name)

    def live_agent(self) -> str | None:
        """The id of the living agent, None if there is none."""
        holder = self._lock.holder()
        # One that has the lock but has not yet written its name is alive, too.
        return None if holder is None else holder.agent or f"{self.name}@starting"

"""Storing the outcome of a job in its own process, whatever state the program has left that in."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..._errors import StoreError
from ..._records import Outcome
from ..launch import boot_command, log_path

if TYPE_CHECKING:
    from ..._ports import Store

PATIENCE = 60.0
"""Seconds for which storing an outcome is tried again."""
PATIENCE_FOR_ROOM = 7 * 86_400.0
"""The same on a full disk: what was computed for hours is not to be lost while nobody looks."""


class Keeper:
    """Stores one job's outcome.

    Parameters
    ----------
    home, job_id
        The store's home, and the job.
    store
        Returns the job's store.
    make_room
        Called where memory has run out.
    """

    def __init__(self, home: str, job_id: str, store: Callable[[], Store], make_room: Callable[[], None]) -> None:
        self._home = home
        self._job_id = job_id
        self._store = store
        self._make_room = make_room

    def keep(self, outcome: Outcome) -> bool:
        """Store the outcome, with patience; False if that cannot be done."""
        began = time.monotonic()
        pause = 0.05
        said = False
        while True:
            try:
                self._store().set_outcome(self._job_id, outcome)
                return True
            except (StoreError, OSError, MemoryError) as error:
                if isinstance(error, MemoryError):
                    self._make_room()
                if not said:
                    self._say(f"the outcome of job {self._job_id} cannot be stored yet: {error}")
                    said = True
                patience = PATIENCE_FOR_ROOM if isinstance(error, StoreError) and error.lacks_room else PATIENCE
                if time.monotonic() - began > patience:
                    self._say(f"the outcome of job {self._job_id} is lost: {error}")
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 2.0)

    def keep_from_elsewhere(self, outcome: Outcome) -> bool:
        """Have a new process store the outcome; False if it cannot, either."""
        command = boot_command(sys.executable, "keep", "--home", self._home, "--job", self._job_id, path=sys.path)
        try:
            kept = subprocess.run(command, input=pickle.dumps(outcome), check=False, cwd=self._home)
        except (OSError, MemoryError) as error:
            self._say(f"no process could be started to store the outcome of job {self._job_id}: {error}")
            return False
        return kept.returncode == 0

    def _say(self, words: str) -> None:
        """Put a line into the agent's log, where there is room for one."""
        with suppress(OSError), open(log_path(Path(self._home), "local"), "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}\n")

"""What a job's process is given: the job, and the place where its program is at home."""

from __future__ import annotations

import os

from ..._place import enter_environment
from ..marks import AGENT_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Place:
    """What of a program's context its process takes on; see ``_program.Context``.

    Parameters
    ----------
    path
        The import path, as a list for a process to have.
    """

    def __init__(self, cwd: str, path: list[str], env: Mapping[str, str], sources: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.path = path
        self.env = env
        self.sources = sources

    def enter_environment(self, home: str) -> None:
        """Give this process the environment that a job has, but for the job's id."""
        enter_environment(self.env)
        os.environ.pop(AGENT_VARIABLE, None)
        os.environ["JOBDECK_HOME"] = home


class Assignment:
    """A job for a process of its own; without a payload and a place, it reads from the store what it has to run.

    Parameters
    ----------
    output : str
        The file that takes its output; empty where the store has to be asked for it.
    payload : tuple of bytes, optional
        Program and inputs.
    is_entered
        Whether this process has the place's environment already.
    """

    def __init__(
        self,
        job_id: str,
        output: str = "",
        payload: tuple[bytes, bytes] | None = None,
        place: Place | None = None,
        *,
        is_entered: bool = False,
    ) -> None:
        self.job_id = job_id
        self.output = output
        self.payload = payload
        self.place = place
        self.is_entered = is_entered

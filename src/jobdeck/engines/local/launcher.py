"""How the agent starts jobs: a port with two implementations, `forking` and `spawning`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..marks import AGENT_VARIABLE, JOB_VARIABLE
from .events import Ended, Handed, Noticed, Started

_STARTUP_PREFIXES = ("PYTHON", "LD_", "DYLD_", "LC_", "MALLOC_", "GLIBC_")
_STARTUP_NAMES = ("LANG", "LANGUAGE")
_LIBRARY_PREFIXES = (
    "OMP_",
    "GOMP_",
    "KMP_",
    "OPENBLAS_",
    "BLIS_",
    "MKL_",
    "RAYON_",
    "QISKIT_",
    "NPY_",
    "SCIPY_",
    "CUDA_",
)
"""What libraries read when they are imported."""


@dataclass(frozen=True)
class Lost:
    """What had started these jobs is gone, and with it what could be known of their ends."""

    job_ids: tuple[str, ...]
    words: str


Event = Started | Noticed | Handed | Ended | Lost


@dataclass(frozen=True)
class Parcel:
    """A job and what its process needs.

    Attributes
    ----------
    output : str
        The file that takes its output.
    keys, bodies
        Program, inputs and context: what they are known by, and themselves. Without keys they are in the store alone.
    """

    job_id: str
    output: str
    keys: tuple[str, str, str] | None = None
    bodies: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Startup:
    """What of a kernel's context must be there before its interpreter starts.

    Attributes
    ----------
    libraries, path
        What is worth being imported once for many jobs, and the import path for that; both empty where nothing is.
    """

    interpreter: str
    environment: tuple[tuple[str, str], ...]
    libraries: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        interpreter: str,
        environment: Mapping[str, str],
        libraries: tuple[str, ...] = (),
        path: tuple[str, ...] = (),
    ) -> Startup:
        prefixes = _STARTUP_PREFIXES + (_LIBRARY_PREFIXES if libraries else ())
        relevant = {
            name: value for name, value in environment.items() if name.startswith(prefixes) or name in _STARTUP_NAMES
        }
        return cls(interpreter, tuple(sorted(relevant.items())), libraries, path if libraries else ())

    @classmethod
    def own(cls) -> Startup:
        """Return that of this very process."""
        return cls.of(sys.executable, os.environ)

    def full_environment(self, agent: str) -> dict[str, str]:
        """Return the environment to start the interpreter in: the agent's, but for what the kernel has otherwise."""
        ours = dict(Startup.own().environment)
        rest = {name: value for name, value in os.environ.items() if name not in ours and name != JOB_VARIABLE}
        return {**rest, **dict(self.environment), AGENT_VARIABLE: agent}


class Launcher(Protocol):
    """Starts jobs, signals them, and tells what becomes of them."""

    def filenos(self) -> list[int]:
        """Descriptors that are readable when :meth:`events` has something to tell."""

    @property
    def restless(self) -> bool:
        """Whether :meth:`events` should be asked again soon, readable or not."""

    def start(self, parcel: Parcel, startup: Startup, path: Sequence[str]) -> None:
        """Start a job.

        Parameters
        ----------
        parcel, startup
            The job, and what its interpreter is to be started with.
        path
            The kernel's ``sys.path``, for an interpreter that does not find what jobdeck needs by itself.

        Raises
        ------
        OSError
            If the interpreter cannot be started.
        """

    def signal(self, job_id: str, number: int) -> None:
        """Signal a job's processes; harmless if it is gone."""

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""

    def close(self) -> None:
        """Kill all jobs and end."""

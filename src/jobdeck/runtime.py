"""The names of Qiskit's runtime services, for programs and host code that were written for them.

``from qiskit.providers.ibmq.runtime import …`` becomes ``from jobdeck.runtime import …``, and a provider whose
``runtime`` runs programs is ``import jobdeck as provider``. docs/migration.md has each old name with its new one.
"""

from __future__ import annotations

from typing import Any, Protocol

from ._codec import ResultDecoder, RuntimeEncoder
from ._deck import Deck as IBMRuntimeService
from ._errors import InvalidInputError as IBMInputValueError
from ._errors import JobdeckError as QiskitRuntimeError
from ._errors import JobNotFoundError as RuntimeJobNotFound
from ._errors import JobNotFoundError as RuntimeProgramNotFound
from ._errors import JobTimeoutError, RuntimeInvalidStateError, RuntimeJobFailureError
from ._job import Job as RuntimeJob
from ._messenger import UserMessenger
from ._options import RuntimeOptions
from ._programs import ParameterNamespace
from ._programs import Program as RuntimeProgram
from ._toplevel import (
    backend,
    backends,
    delete_job,
    delete_program,
    job,
    jobs,
    pprint_programs,
    program,
    programs,
    run,
    set_program_visibility,
    update_program,
    upload_program,
)

RuntimeDecoder = ResultDecoder
"""The JSON decoder class; here one class is both."""


class ProgramBackend(Protocol):
    """What a program gets as ``backend``, for its type hints: whatever `run` was given."""

    def run(self, circuits: Any, timeout: int | None = None, **run_config: Any) -> Any:
        """Run circuits and return their job."""


__all__ = [
    "IBMInputValueError",
    "IBMRuntimeService",
    "JobTimeoutError",
    "ParameterNamespace",
    "ProgramBackend",
    "QiskitRuntimeError",
    "ResultDecoder",
    "RuntimeDecoder",
    "RuntimeEncoder",
    "RuntimeInvalidStateError",
    "RuntimeJob",
    "RuntimeJobFailureError",
    "RuntimeJobNotFound",
    "RuntimeOptions",
    "RuntimeProgram",
    "RuntimeProgramNotFound",
    "UserMessenger",
    "backend",
    "backends",
    "delete_job",
    "delete_program",
    "job",
    "jobs",
    "pprint_programs",
    "program",
    "programs",
    "run",
    "set_program_visibility",
    "update_program",
    "upload_program",
]

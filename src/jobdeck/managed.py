"""The names of Qiskit's managed jobs, for code that was written for them.

``from qiskit.providers.ibmq.managed import …`` becomes ``from jobdeck.managed import …``. docs/migration.md has each
old name with its new one.
"""

from __future__ import annotations

from ._errors import InvalidInputError as IBMQJobManagerInvalidStateError
from ._errors import JobError as IBMQJobManagerError
from ._errors import JobError as IBMQManagedResultDataNotAvailable
from ._errors import JobNotFoundError as IBMQJobManagerJobNotFound
from ._errors import JobNotFoundError as IBMQJobManagerUnknownJobSet
from ._errors import JobTimeoutError as IBMQJobManagerTimeoutError
from ._managed import JobManager, ManagedJob, ManagedJobSet, ManagedResults
from ._managed import JobManager as IBMQJobManager

__all__ = [
    "IBMQJobManager",
    "IBMQJobManagerError",
    "IBMQJobManagerInvalidStateError",
    "IBMQJobManagerJobNotFound",
    "IBMQJobManagerTimeoutError",
    "IBMQJobManagerUnknownJobSet",
    "IBMQManagedResultDataNotAvailable",
    "JobManager",
    "ManagedJob",
    "ManagedJobSet",
    "ManagedResults",
]

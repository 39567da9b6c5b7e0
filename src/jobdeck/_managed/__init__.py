"""Sets: many experiments, split into jobs and seen as one."""

from __future__ import annotations

from .job import ManagedJob
from .jobset import ManagedJobSet
from .manager import JobManager
from .results import ManagedResults

__all__ = ["JobManager", "ManagedJob", "ManagedJobSet", "ManagedResults"]

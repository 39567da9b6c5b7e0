"""The handle of a job: live traits that one thread writes, facts read from the store, and ways to wait for both."""

from .facts import Service
from .fetching import whole
from .handle import Job
from .joblist import JobList
from .live import Progress
from .registry import Handles

__all__ = ["Handles", "Job", "JobList", "Progress", "Service", "whole"]

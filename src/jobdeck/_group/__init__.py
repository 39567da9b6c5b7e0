"""Jobs that belong together: waited for, read, stopped and run again as one."""

from .group import GroupService, JobGroup

__all__ = ["GroupService", "JobGroup"]

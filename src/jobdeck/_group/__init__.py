"""Jobs that belong together: waited for, read, stopped and run again as one."""

from .before import Before, ids_before
from .group import GroupService, JobGroup

__all__ = ["Before", "GroupService", "JobGroup", "ids_before"]

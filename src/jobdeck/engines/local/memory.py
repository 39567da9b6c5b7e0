"""The system's own count of processes that it killed because memory ran out."""

from __future__ import annotations

from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")


class OutOfMemoryCount:
    """Reads the counter nearest to this process: its control group's (v2, then v1), else the whole system's.

    Parameters
    ----------
    mount, membership, vmstat
        Where Linux shows them; other systems have none of these, and the count stays 0.
    """

    def __init__(
        self,
        mount: Path = _MOUNT,
        membership: Path = Path("/proc/self/cgroup"),
        vmstat: Path = Path("/proc/vmstat"),
    ) -> None:
        self._source = next((f for f in (*_group_files(mount, membership), vmstat) if _count(f) is not None), None)

    def read(self) -> int:
        """Kills so far; 0 where the system does not count them."""
        return (self._source and _count(self._source)) or 0


def _group_files(mount: Path, membership: Path) -> list[Path]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    files = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            files += [mount / group.lstrip("/") / "memory.events", mount / "memory.events"]
        elif "memory" in controllers.split(","):
            files += [
                mount / "memory" / group.lstrip("/") / "memory.oom_control",
                mount / "memory" / "memory.oom_control",
            ]
    return files


def _count(file: Path) -> int | None:
    try:
        for line in file.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    except (OSError, ValueError):
        return None
    return None

"""How the store's file is journalled: WAL wherever that works, as readers and writers then never wait for each other.

WAL needs memory shared by all processes that use the file, which a network file system does not give. There, and
wherever SQLite refuses WAL, the store uses a rollback journal and says so.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

FileSystem = Callable[[Path], "str | None"]
"""Tells the type of the file system that holds a path, as the operating system calls it."""

_SHARED: Final = re.compile(
    r"nfs\d?|cifs|smb.*|9p|fuse\.(sshfs|s3fs|rclone|gcsfuse|glusterfs|ceph.*|vmhgfs.*)|lustre|gpfs|beegfs|afs|afpfs|"
    r"ceph|glusterfs|ncpfs|webdav|davfs\d?|vboxsf|prl_fs|virtiofs|orangefs|pvfs2|panfs"
)


class StoreWarning(UserWarning):
    """The store works, but not as it should: it uses a slower journal, or a damaged file was set aside."""


def is_network(file_system: str | None) -> bool:
    """Tell whether several machines may share a file system of this type."""
    return file_system is not None and _SHARED.fullmatch(file_system.lower()) is not None


def file_system_type(path: Path) -> str | None:
    """Return the type of the file system that holds `path`, None if the system does not tell."""
    real = os.path.realpath(path)
    within = [(point, kind) for point, kind in _mounts() if os.path.commonpath([point, real]) == point]
    # Of several mounts on one point the last one is seen.
    return max(reversed(within), key=lambda mount: len(mount[0]))[1] if within else None


def _mounts() -> Iterable[tuple[str, str]]:
    if sys.platform == "linux":
        # Read here, since a job's process opens the store and importing psutil would take ten times as long.
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
            return [(_unescaped(fields[1]), fields[2]) for fields in map(str.split, mounts)]
    import psutil

    return [(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]


def _unescaped(point: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)

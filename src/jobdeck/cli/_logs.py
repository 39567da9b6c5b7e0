"""A job's captured output on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from queue import SimpleQueue

from .._errors import JobNotFoundError, StoreError
from .._follow import Update
from .._records import JobRecord
from .._service import JobService
from .._status import is_final

_BLOCK = 1 << 16


def print_log(service: JobService, record: JobRecord, *, follow: bool) -> None:
    """Copy the output to stdout as it is; with `follow`, until the job has ended.

    Raises
    ------
    JobNotFoundError
        The job was deleted meanwhile.
    """
    path = service.store.log_path(record.job_id)
    position = _copy(path, 0)
    if not follow or is_final(record.status):
        return
    updates: SimpleQueue[Update] = SimpleQueue()
    subscription = service.follower.subscribe(updates.put, job_ids=[record.job_id])
    try:
        while True:
            update = updates.get()
            if update.trouble is not None:
                raise StoreError(update.trouble)
            position = _copy(path, position)
            if update.deleted:
                raise JobNotFoundError(f"job {record.job_id} was deleted")
            if any(is_final(row.status) for row in update.jobs):
                return
    finally:
        subscription.close()


def _copy(path: Path, position: int) -> int:
    try:
        with open(path, "rb") as log:
            log.seek(position)
            while block := log.read(_BLOCK):
                sys.stdout.buffer.write(block)
                position += len(block)
    except FileNotFoundError:
        return position
    sys.stdout.buffer.flush()
    return position

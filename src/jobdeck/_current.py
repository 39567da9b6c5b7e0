"""The messenger of wherever the code runs: in a job, in a subprocess of one, or outside."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ._messenger import Messenger, PrintingMessenger, UserMessenger, active
from .store import open_store

_opened: dict[tuple[int, str], UserMessenger] = {}
_lock = threading.Lock()


def current_messenger() -> Messenger:
    """Return the messenger of the job that this code is part of.

    In the job's own process that is the one which the program gets as ``user_messenger``. In a process that the job has
    started it is another one for the same job. Outside a job it is one that prints each message as a line of JSON.

    Raises
    ------
    StoreError
        In a subprocess of a job, if the job's store cannot be opened.
    """
    messenger = active()
    if messenger is not None:
        return messenger
    job_id = os.environ.get("JOBDECK_JOB_ID")
    home = os.environ.get("JOBDECK_HOME")
    if not job_id or not home:
        return PrintingMessenger()
    with _lock:
        key = (os.getpid(), job_id)
        if key not in _opened:
            _opened[key] = UserMessenger(open_store(Path(home)), job_id)
        return _opened[key]


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a thread that is not in this process may have held it
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)

"""Importing what takes long once, in the process that jobs are forked from.

What is imported there must not be what a person is just working on, must leave no thread behind, and must not give all
jobs the same random numbers.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Final

_INSTALLED: Final = ("site-packages", "dist-packages")
_ALONG: Final = {
    "qiskit": ("qiskit.primitives", "jobdeck._codec.arrays", "jobdeck._codec.qiskit"),
    "qiskit_aer": ("qiskit_aer.primitives",),
}
"""What jobs with a library import beside it, themselves or to have their results encoded."""
_PATIENCE: Final = 1.0
"""Seconds that threads have to be gone after they were ended."""


def preload(libraries: Sequence[str], path: Sequence[str]) -> bool:
    """Import libraries with this import path; False where jobs must not be forked from this process after that.

    Only installed ones: the source of others may change from one job to the next. One that cannot be imported is left
    to the jobs.
    """
    sys.path[:] = path
    for name in libraries:
        try:
            if _is_installed(name):
                for module in (name, *_ALONG.get(name, ())):
                    importlib.import_module(module)
        except Exception:  # noqa: BLE001 - a library may fail in any way; the job that needs it will say so
            traceback.print_exc()
    return _is_alone()


def renew() -> None:
    """In a process that was just forked: have random numbers of its own.

    Python's own generator sees to that itself; numpy's global one would go on as in all other jobs.
    """
    sys.modules["numpy.random"].seed()


def _is_installed(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None and any(part in spec.origin for part in _INSTALLED)


def _is_alone() -> bool:
    """Whether this process has a single thread, once those are gone that their libraries end before a fork.

    OpenBLAS begins threads when it is loaded, ends them when its process forks, and begins new ones when it needs them.
    """
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + _PATIENCE
    while _threads() > 1:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()

"""Begins Dask's processes in a moment: each is forked from one that has imported what all of them need.

Run as a program, this is that process: it reads one request a line, and answers each with the new process's id.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil


class Nursery:
    """A process to fork others from; it and they end with `close`, or with the process that made it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()  # it has imported everything

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> psutil.Process:
        """Run a module as ``python -m`` does, its output appended to `log`."""
        request = {"module": module, "arguments": [*arguments], "environment": {**environment}, "log": str(log)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return psutil.Process(int(self._answer()))

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            assert self._process.wait(30) == 0

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, "the process that Dask's are forked from has ended; pytest shows above what it said"
        return answer


def serve() -> None:
    """Fork a process for each request."""
    import distributed.cli.dask_scheduler
    import distributed.cli.dask_worker  # noqa: F401

    assert threading.active_count() == 1, "what is forked beside a thread may hang"
    # Nobody waits for those that end, so that none of them stays as a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            become(**request)
        print(pid, flush=True)


def become(module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be what ``python -m module`` with these arguments would be; this does not return."""
    import dask

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for old, new in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(old, new)
    os.closerange(3, max(nothing, output) + 1)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    os.environ.clear()
    os.environ.update(environment)
    dask.config.refresh()
    sys.argv[1:] = arguments
    # Imported already, but not run: as a program it is a module of its own.
    sys.modules.pop(module)
    status: Any = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    serve()

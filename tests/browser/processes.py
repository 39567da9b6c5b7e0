"""Ending what a test has started, and what that has started in turn."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil

from .waiting import until


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def end_all_of(home: Path) -> None:
    """Kill whatever runs for a home of jobdeck's: kernels, and the agents and jobs that outlive them by design."""
    # Dead agents have their jobs killed by whoever looks; nobody looks any more. So look until all are gone.
    until(lambda: not _kill(home), f"the processes of {home} to be gone")


def _kill(home: Path) -> list[psutil.Process]:
    left = [process for process in psutil.process_iter() if _has(process, home)]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=20)
    return left


def _has(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get("JOBDECK_HOME") == str(home)
    except psutil.Error:
        return False

"""Run the benchmarks and print one table; see docs/benchmarks.md for the method and what came of it."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import click
from rich.console import Console

import jobdeck

from .table import Row, save, show

TOPICS = (
    "jobs",
    "groups",
    "executor",
    "messages",
    "footprint",
    "browser",
    "dashboard",
    "wrapped",
    "foreign",
    "service",
    "qiskit",
    "dask",
)


@click.command()
@click.option("--quick", is_flag=True, help="Fewer rounds and jobs: about ten minutes instead of half an hour.")
@click.option("--only", type=click.Choice(TOPICS), multiple=True, help="Measure these topics alone.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Keep every round in this file, too.")
def main(quick: bool, only: tuple[str, ...], path: Path | None) -> None:
    """Measure jobdeck beside its peers; the exit status is 1 if a budget was missed."""
    console = Console()
    about = _about(quick)
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()))
    # As on a user's machine, modules are compiled once and not by every process anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    rows: list[Row] = []
    try:
        for topic in only or TOPICS:
            with console.status(f"measuring {topic} …"):
                rows += importlib.import_module(f".{topic}", __package__).measure(quick=quick)
    finally:
        show(rows, console)
        if path is not None:
            save(rows, about, path)
    sys.exit(any(row.verdict == "missed" for row in rows))


def _about(quick: bool) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "jobdeck": jobdeck.__version__,
        "commit": commit.stdout.strip() or "unknown",
        "Python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "date": datetime.now(timezone.utc).date().isoformat(),
        "quick": quick,
    }


if __name__ == "__main__":
    main()

"""Runs one notebook as JupyterLab would, in a copy and with a home of its own, and prints what came of it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LIMIT = 300


def main(path: Path) -> int:
    """Run the notebook and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="jobdeck-") as folder:
        os.environ["JOBDECK_HOME"] = str(Path(folder) / "home")
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, timeout=LIMIT, resources={"metadata": {"path": folder}})
        failure = None
        try:
            client.execute()
        except CellExecutionError as error:
            failure = str(error)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                show(cell)
        statuses = jobs()
        stop_agents()
    counts = ", ".join(f"{count} {status}" for status, count in sorted(Counter(s for _, s in statuses).items()))
    cells = sum(cell.cell_type == "code" and cell.get("execution_count") is not None for cell in notebook.cells)
    print(f"\n{path.name}: {cells} cells ran; {len(statuses)} jobs: {counts or 'none'}")
    if failure is not None:
        print(f"{path.name} failed:\n{failure}", file=sys.stderr)
        return 1
    if not statuses:
        print(f"{path.name} ran no job", file=sys.stderr)
        return 1
    return 0


def show(cell: Any) -> None:
    """Print a cell's first line and what it put out, as text."""
    lines = [line for line in cell.source.splitlines() if line.strip()]
    print(f"\n[{cell.get('execution_count') or ' '}] {lines[0] if lines else ''}{' …' if len(lines) > 1 else ''}")
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", []))
        for line in text.rstrip("\n").splitlines():
            print(f"    {line}")


def jobs() -> list[tuple[str, str]]:
    """Return name and status of every job in the notebook's home, oldest first."""
    import jobdeck

    found = [(job.name, str(job.status())) for job in jobdeck.jobs(limit=None, descending=False)]
    if found:
        print("\njobs")
        for name, status in found:
            print(f"    {status:<12} {name}")
    return found


def stop_agents() -> None:
    """End the agent of the home that is about to be removed."""
    import psutil

    from jobdeck.engines.lock import AgentLock

    holder = AgentLock(Path(os.environ["JOBDECK_HOME"]), "local").holder()
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

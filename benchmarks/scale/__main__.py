"""``python -m benchmarks.scale``: fill stores of growing size, and show what each look and each write costs there."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from jobdeck.store import open_store

from .filling import fill
from .store import Cost, cost_of_opening, costs_of_looking, costs_of_writing, log_growth, prune, size_of


@click.command()
@click.option("--jobs", type=int, multiple=True, default=(10_000, 100_000), show_default=True, help="Sizes of stores.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="For the stores; kept if it is given.")
def main(jobs: Sequence[int], rounds: int, folder: Path | None) -> None:
    """Measure stores of these sizes. A million jobs take about ten minutes and 3 GB."""
    console = Console(width=140)
    console.print(f"load before {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    root = Path(tempfile.mkdtemp(prefix="jobdeck-scale-")) if folder is None else folder
    try:
        show(console, {count: measure(root / f"jobs-{count}", count, rounds, console) for count in jobs})
    finally:
        if folder is None:
            shutil.rmtree(root)


def measure(home: Path, count: int, rounds: int, console: Console) -> list[Cost]:
    """Fill one store and return what was measured there."""
    store = open_store(home)
    cpu, clock = time.process_time(), time.perf_counter()
    filled = fill(store, count)
    per_job = 1000 / count
    costs = [Cost("to fill it, a job", (time.process_time() - cpu) * per_job, (time.perf_counter() - clock) * per_job)]
    store.close()
    costs.append(cost_of_opening(home, rounds))
    store = open_store(home)
    try:
        sizes = size_of(store, count)
        console.print(f"{count:,} jobs: {sizes['store']:,.0f} bytes a job in the store, {sizes['row']:,.0f} in a row")
        costs += costs_of_looking(store, filled, rounds)
        costs += costs_of_writing(store, filled, rounds)
        held, free = log_growth(store, filled, 2_000)
        console.print(f"{count:,} jobs: log of {held:,.0f} bytes a message behind a reader, {free:,.0f} after it")
        gone, cpu_each, clock_each = prune(store, min(count // 10, 10_000))
        console.print(f"{count:,} jobs: {gone:,} pruned")
        costs.append(Cost("prune, a job", cpu_each, clock_each))
    finally:
        store.close()
    return costs


def show(console: Console, measured: dict[int, list[Cost]]) -> None:
    """Print what was measured, one column for each size."""
    table = Table(box=box.SIMPLE_HEAD, title="milliseconds a call: processor time (time on the clock), medians")
    table.add_column("")
    for count in measured:
        table.add_column(f"{count:,} jobs", justify="right")
    for costs in zip(*measured.values(), strict=True):
        table.add_row(costs[0].what, *(f"{cost.cpu:,.3f} ({cost.clock:,.3f})" for cost in costs))
    console.print(table)


if __name__ == "__main__":
    main()

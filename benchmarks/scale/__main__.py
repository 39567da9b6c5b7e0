"""``python -m benchmarks.scale``: full stores of growing size, and an agent with more and more to hear."""

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

from .cluster import Course, Load, simulate
from .filling import fill
from .store import Cost, cost_of_opening, costs_of_looking, costs_of_writing, log_growth, prune, size_of

LOADS = (
    Load(100, 10.0, 1.0),
    Load(1_000, 60.0, 0.1),
    Load(10_000, 600.0, 0.0),
    Load(10_000, 600.0, 0.1),
    Load(10_000, 600.0, 1.0),
    Load(10_000, 600.0, 3.0),
    Load(10_000, 60.0, 0.0),
    Load(10_000, 10.0, 0.0),
    Load(10_000, 3.0, 0.0),
)


@click.command()
@click.option("--jobs", type=int, multiple=True, default=(10_000, 100_000), show_default=True, help="Sizes of stores.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="For how long each load lasts; 0 leaves them out.")
def main(jobs: Sequence[int], rounds: int, seconds: float) -> None:
    """Measure stores of these sizes, then an agent under growing loads. A million jobs take ten minutes and 3 GB."""
    console = Console(width=140)
    console.print(f"load before {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="jobdeck-scale-") as folder:
        root = Path(folder)
        measured = {}
        for count in jobs:
            measured[count] = measure(root / "store", count, rounds, console)
            shutil.rmtree(root / "store")
        show(console, measured)
        courses = {}
        for load in LOADS if seconds else ():
            courses[load] = simulate(root / "home", load, seconds)
            shutil.rmtree(root / "home")
        show_courses(console, courses)


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


def show_courses(console: Console, courses: dict[Load, Course]) -> None:
    """Print what came of each load."""
    table = Table(box=box.SIMPLE_HEAD, title="one agent, once all workers are busy; times are the agent's own")
    for heading in (
        "workers", "a job takes", "messages/s each", "events/s sent", "taken", "more wait each s", "agent works",
        "heard after: median", "99 %", "cancel passed on", "all begun after", "the topic holds",
    ):  # fmt: skip
        table.add_column(heading, justify="right", overflow="fold")
    for load, course in courses.items():
        half, most = course.delays
        table.add_row(
            f"{load.workers:,}",
            f"{load.seconds:g} s",
            f"{load.rate:g}",
            f"{load.events:,.0f}",
            f"{course.taken:,.0f}",
            f"{max(course.grown, 0):,.0f}",
            f"{course.busy:.0%}",
            f"{half * 1000:,.1f} ms",
            f"{most * 1000:,.1f} ms",
            "never" if course.cancel is None else f"{course.cancel * 1000:,.1f} ms",
            f"{course.start:.1f} s",
            f"{course.memory:.2f} s",
        )
    console.print(table)


if __name__ == "__main__":
    main()

"""Streaming rows: from publish in a job to the text in the page, and what a running job costs on the wire.

The sender's clock is `time.time`, the page's `Date.now` (whole milliseconds); both read the system's.
The peers run in the kernel's main thread, which they keep busy; jobdeck's jobs run in processes of their own.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .decks import cancel_all, open_deck, wait_until_running
from .lab import chromium, lab_server, marks_seen, notebook_page, run_cell
from .table import Budget, Measured, Row, quantile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from jobdeck import Deck

RATE = 10
"""Messages a second from each job."""
SHOWN = {1: "jobs[0]", 100: "jobdeck.jobs(limit=100)"}
"""Numbers of jobs, and the expression whose output shows them."""
_JOBDECK = """
import jobdeck
from benchmarks.programs import marks
jobs = [jobdeck.run(marks, inputs=dict(seconds={seconds}, rate={rate}), name=f"job {{n}}") for n in range({jobs})]
{shown}
"""
_PEERS = {
    "ipywidgets.Output": """
import ipywidgets
from benchmarks.programs import mark, steps
outputs = [ipywidgets.Output() for _ in range({jobs})]
display(ipywidgets.VBox(outputs))
for _ in steps({seconds}, {rate}):
    for output in outputs:
        with output:
            print(mark())
""",
    "tqdm.notebook": """
from tqdm.notebook import tqdm
from benchmarks.programs import mark, steps
bars = [tqdm(total={seconds} * {rate}, mininterval=0) for _ in range({jobs})]
for _ in steps({seconds}, {rate}):
    for bar in bars:
        bar.set_description(mark(), refresh=False)
        bar.update()
""",
    "print": """
from benchmarks.programs import mark, steps
for _ in steps({seconds}, {rate}):
    for _ in range({jobs}):
        print(mark(), flush=True)
""",
}


@dataclass(frozen=True)
class Watched:
    """One run: delays in ms of the marks that came, the share of them in percent, and bytes a second of each job."""

    delays: Sequence[float]
    share: float
    wire: float


@dataclass(frozen=True)
class Stage:
    """Where runs happen: a browser, the server that it looks at with its folder, and the deck behind both."""

    browser: Browser
    address: str
    root: Path
    deck: Deck


def measure(*, quick: bool) -> list[Row]:
    """All rows that need a browser."""
    rounds, seconds = (1, 4) if quick else (3, 10)
    runs: dict[tuple[int, str], list[Watched]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder:
        root = Path(folder)
        with (
            open_deck(max_workers=max(SHOWN)) as deck,
            lab_server(root, deck.home) as address,
            chromium() as browser,
        ):
            stage = Stage(browser, address, root, deck)
            for turn in range(rounds):
                for jobs in SHOWN:
                    for who in ("jobdeck", *_PEERS):
                        name = f"{who.split('.')[0]}-{jobs}-{turn}"
                        runs[jobs, who].append(_watch(stage, name, who, jobs, seconds))
    return [row for jobs in SHOWN for row in _rows(jobs, runs)]


def _watch(stage: Stage, name: str, who: str, jobs: int, seconds: int) -> Watched:
    """Run the cell; once all of it is under way, watch for some seconds."""
    # The programs outlast the measurement; jobs are cancelled after it, peers end with their kernel.
    values = {"jobs": jobs, "seconds": seconds + 60, "rate": RATE, "shown": SHOWN[jobs]}
    cell = (_JOBDECK if who == "jobdeck" else _PEERS[who]).format(**values)
    with notebook_page(stage.browser, stage.address, stage.root, name, [cell]) as (page, traffic):
        try:
            run_cell(page)
            if who == "jobdeck":
                wait_until_running(stage.deck, jobs)
            page.wait_for_function("window.marksSeen.length > 0", timeout=60_000)
            page.wait_for_timeout(1500)
            marks_seen(page)
            # A long list has those lines on the page that can be seen; the changes of all jobs reach the page.
            writers = min(jobs, page.locator("[data-job-id]").count()) if who == "jobdeck" else jobs
            before, began = traffic.total(), time.time()
            page.wait_for_timeout(1000 * seconds)
            ended, received = time.time(), traffic.total() - before
            page.wait_for_timeout(1000)
            seen = [(sent, delay) for sent, delay in marks_seen(page) if began <= sent <= ended]
        finally:
            if who == "jobdeck":
                cancel_all(stage.deck)
    span = ended - began
    share = 100 * len(seen) / (writers * RATE * span)
    return Watched([1000 * delay for _, delay in seen], share, received / span / jobs)


def _rows(jobs: int, runs: dict[tuple[int, str], list[Watched]]) -> list[Row]:
    def measured(who: str, unit: str, value: Callable[[Watched], float]) -> Measured:
        return Measured(who, unit, tuple(value(run) for run in runs[jobs, who]))

    def row(what: str, unit: str, value: Callable[[Watched], float], budget: Budget | None) -> Row:
        peers = tuple(measured(who, unit, value) for who in _PEERS)
        return Row("browser", f"{crowd}: {what}", measured("jobdeck", unit, value), budget, peers)

    crowd = f"{jobs} running job{'s' if jobs > 1 else ''}, {RATE} messages/s each"
    return [
        row("publish → visible, p50", "ms", lambda run: quantile(run.delays, 0.5), Budget(50)),
        row("publish → visible, p99", "ms", lambda run: quantile(run.delays, 0.99), Budget(200)),
        row("messages of the jobs on the screen that became visible", "%", lambda run: run.share, None),
        row("WebSocket bytes of each job", "bytes/s", lambda run: run.wire, Budget(2048)),
    ]

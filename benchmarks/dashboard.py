"""The dashboard of 10,000 jobs in a real Chromium: what reaches the page, when it is painted, how smooth it stays.

Times of the page are those between animation frames, which is what a person sees. Beside it the same jobs as rows of
stock ipywidgets, at the sizes that a page survives.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .crowd import fill
from .decks import cancel_all, open_deck, wait_until_running
from .lab import chromium, lab_server, notebook_page, run_cell
from .table import Budget, Measured, Row, quantile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from jobdeck import Deck

JOBS = 10_000
STOCK = (100, 500)
"""Jobs as rows of five stock widgets each; of 1,000 not all reach the page, for the server drops messages."""
_GRID = ".jobdeck-grid"

# Notes what reaches the page over its sockets, and lets a test replay a frame.
_SOCKETS = """
window.arrivals = [];
window.feeds = [];
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...args) {
    super(...args);
    if (String(args[0]).includes('/jobdeck/')) window.feeds.push(this);
    this.addEventListener('message', ({data}) => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      const opens = (text.match(/"msg_type": ?"comm_open"/g) || []).length;
      const isOurs = text.includes('jobdeck') || text.includes('"rows"');
      window.arrivals.push([performance.now(), text.length, opens, isOurs]);
    });
  }
};
"""

_PAINTED = """async ([selector, count]) => {
  window.arrivals = [];
  const painted = new Promise((resolve) => {
    const look = () => {
      if (document.querySelectorAll(selector).length >= count) requestAnimationFrame(() => resolve(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  });
  window.jupyterapp.commands.execute('notebook:run-cell');
  const at = await painted;
  const before = window.arrivals.filter(([time]) => time <= at);
  const first = before.find(([, , , ours]) => ours);
  return {
    bytes: before.reduce((sum, [, size]) => sum + size, 0),
    comms: before.reduce((sum, [, , opens]) => sum + opens, 0),
    wait: first ? at - first[0] : NaN,
  };
}"""

_FRAMES = """() => {
  window.frames_ = [];
  window.longTasks = [];
  window.watcher = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
  });
  window.watcher.observe({type: 'longtask'});
  let last = performance.now();
  window.watching = true;
  const step = (now) => {
    window.frames_.push(now - last);
    last = now;
    if (window.watching) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""

_FRAMES_END = """() => {
  window.watching = false;
  window.watcher.disconnect();
  return {frames: window.frames_.slice(1), tasks: window.longTasks};
}"""

# From the key's event to the first frame in which the table has other rows than before.
_TYPING = """(box) => {
  const grid = document.querySelector('.jobdeck-grid');
  window.typed = [];
  box.addEventListener('input', () => {
    const began = performance.now();
    const before = grid.dataset.rows;
    const look = () => {
      if (grid.dataset.rows !== before) requestAnimationFrame(() => window.typed.push(performance.now() - began));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
}"""

_LISTEN = """() => {
  const socket = window.feeds.at(-1);
  window.lastRows = null;
  const take = socket.onmessage;
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    if (frame.type === 'rows' && frame.version !== 'benchmark') {
      window.lastRows = {...frame, rows: null, changes: null};
    }
    take(event);
  };
}"""

# An hour of frames, ten a second about a hundred jobs, as fast as the page takes them.
_REPLAY = """async ([ids, frames, from]) => {
  const socket = window.feeds.at(-1);
  for (let n = 0; n < frames; n += 1) {
    const changes = Object.fromEntries(ids.map((id, at) => [id, {
      latest: `energy ${(-1 - n / 1e6).toFixed(6)} ${at}`,
      values: {energy: -1 - n / 1e6, iteration: n},
      interim_count: n,
    }]));
    const frame = {type: 'rows', protocol: 1, version: 'benchmark', seq: from.seq + 1 + n, store_id: from.store_id,
      now: from.now + n / 10, change: from.change, reset: false, more: false, total: from.total,
      counts: from.counts, changes};
    socket.onmessage({data: JSON.stringify(frame)});
    if (n % 10 === 9) await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}"""

_STOCK = """
import ipywidgets
rows = []
for number in range({count}):
    rows.append(ipywidgets.HBox([
        ipywidgets.HTML("<b>Done</b>"), ipywidgets.Label(f"scan-{{number:05d}}"),
        ipywidgets.FloatProgress(value=1, max=1), ipywidgets.Label(f"energy {{-1 - number / 1e4:.6f}}"),
        ipywidgets.Button(description="Cancel"),
    ]))
display(ipywidgets.VBox(rows))
"""

_CROWDED = """
import jobdeck
from benchmarks.programs import marks
jobs = [jobdeck.run(marks, inputs=dict(seconds={seconds}, rate={rate}), name=f"live-{{n:03d}}") for n in range({jobs})]
jobdeck.dashboard()
"""


@dataclass(frozen=True)
class Stage:
    """Where a run happens."""

    browser: Browser
    address: str
    root: Path
    deck: Deck

    @contextmanager
    def page(self, name: str, cell: str) -> Iterator[Page]:
        with notebook_page(self.browser, self.address, self.root, name, [cell], script=_SOCKETS) as (page, _):
            yield page


def measure(*, quick: bool) -> list[Row]:
    """All rows about the dashboard."""
    rounds = 1 if quick else 3
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder:
        root = Path(folder)
        with open_deck(max_workers=200) as deck:
            # The store is made by its first use.
            deck.jobs(limit=1)
            fill(deck.home, JOBS)
            with lab_server(root, deck.home) as address, chromium() as browser:
                stage = Stage(browser, address, root, deck)
                opened = [_open(stage, turn) for turn in range(rounds)]
                stock = {count: [_stock(stage, count, turn) for turn in range(rounds)] for count in STOCK}
                rows = _opening(opened, stock)
                rows += _smoothness([_use(stage, turn) for turn in range(rounds)])
                rows += _live([_watch(stage, turn, quick) for turn in range(rounds)])
                rows += _flooded(_flood(stage))
    return rows


def _open(stage: Stage, turn: int) -> dict[str, float]:
    with stage.page(f"open-{turn}", "import jobdeck\njobdeck.dashboard()") as page:
        # What the page itself follows for its status bar is not the dashboard's.
        page.wait_for_function("performance.now() - (window.arrivals.at(-1)?.[0] ?? 0) > 2000", timeout=60_000)
        seen: dict[str, float] = page.evaluate(_PAINTED, [f"{_GRID}-row", 10])
        return seen


def _stock(stage: Stage, count: int, turn: int) -> dict[str, float]:
    with stage.page(f"stock-{count}-{turn}", _STOCK.format(count=count)) as page:
        page.set_default_timeout(180_000)
        began = time.monotonic()
        seen: dict[str, float] = page.evaluate(_PAINTED, [".jupyter-button", count])
        # Of stock widgets every row has to have come before the last is painted.
        return {**seen, "wait": 1000 * (time.monotonic() - began)}


def _opening(opened: list[dict[str, float]], stock: dict[int, list[dict[str, float]]]) -> list[Row]:
    def measured(who: str, unit: str, key: str, runs: list[dict[str, float]], scale: float = 1) -> Measured:
        return Measured(who, unit, tuple(run[key] * scale for run in runs))

    def row(what: str, unit: str, key: str, budget: Budget, scale: float = 1) -> Row:
        peers = tuple(measured(f"{n:,} rows of stock widgets", unit, key, runs, scale) for n, runs in stock.items())
        ours = measured("jobdeck", unit, key, opened, scale)
        return Row("dashboard", f"{JOBS:,} jobs: {what}", ours, budget, peers)

    return [
        row("comms opened", "", "comms", Budget(1)),
        row("received before the first paint, all of the page's sockets", "KB", "bytes", Budget(300), 1e-3),
        row("from the data's arrival to the first paint (stock: from running the cell)", "ms", "wait", Budget(500)),
    ]


def _use(stage: Stage, turn: int) -> dict[str, Any]:
    """Scroll and type in a dashboard that has all rows."""
    with stage.page(f"use-{turn}", "import jobdeck\njobdeck.dashboard()") as page:
        _ready(page)
        page.locator(_GRID).hover()
        page.evaluate(_FRAMES)
        for step in range(120):
            page.mouse.wheel(0, 400 if step < 80 else -900)
            page.wait_for_timeout(16)
        scrolled = page.evaluate(_FRAMES_END)
        box = page.get_by_role("combobox", name="Find jobs")
        box.evaluate(_TYPING)
        box.focus()
        # Each of these keys changes what is found.
        for key in (*"987", *["Backspace"] * 3, *"402", *["Backspace"] * 3):
            page.keyboard.press(key)
            page.wait_for_timeout(250)
        return {"scroll": scrolled, "typed": page.evaluate("window.typed")}


def _smoothness(runs: list[dict[str, Any]]) -> list[Row]:
    frames = [run["scroll"]["frames"] for run in runs]
    return [
        Row(
            "dashboard",
            f"{JOBS:,} jobs: longest frame while scrolling",
            Measured("jobdeck", "ms", tuple(max(f) for f in frames)),
            Budget(50),
        ),
        Row(
            "dashboard",
            f"{JOBS:,} jobs: frames a second while scrolling",
            Measured("jobdeck", "/s", tuple(1000 * len(f) / sum(f) for f in frames)),
            Budget(58, at_least=True),
        ),
        Row(
            "dashboard",
            f"{JOBS:,} jobs: from a key in the filter to the new rows, the slowest",
            Measured("jobdeck", "ms", tuple(max(run["typed"]) for run in runs)),
            Budget(50),
        ),
    ]


def _watch(stage: Stage, turn: int, quick: bool) -> dict[str, Any]:
    """A hundred jobs publish ten times a second; then an hour's frames are replayed."""
    cell = _CROWDED.format(jobs=100, seconds=600, rate=10)
    with stage.page(f"live-{turn}", cell) as page:
        try:
            run_cell(page)
            wait_until_running(stage.deck, 100)
            _ready(page)
            page.wait_for_timeout(2000)
            page.evaluate("window.marksSeen = []")
            page.evaluate(_FRAMES)
            page.wait_for_timeout(5_000 if quick else 15_000)
            seen = page.evaluate(_FRAMES_END)
            delays = [1000 * (shown - sent) for sent, shown in page.evaluate("window.marksSeen")]
        finally:
            cancel_all(stage.deck)
        page.wait_for_timeout(2000)
        heap = _replay(page, stage.deck, 3_600 if quick else 36_000)
    return {"tasks": seen["tasks"], "frames": seen["frames"], "delays": delays, "heap": heap}


def _replay(page: Page, deck: Deck, frames: int) -> float:
    """The growth of the page's heap over so many frames, in MB, after a tenth as many that warm everything up."""
    page.evaluate(_LISTEN)
    jobs = deck.jobs(limit=100)
    # What changes by itself brings a frame, from whose number the replay goes on.
    jobs[0].update_tags(additional_tags=["seen"])
    page.wait_for_function("window.lastRows !== null", timeout=30_000)
    last = page.evaluate("window.lastRows")
    ids = [job.job_id() for job in jobs]
    warm = frames // 10
    page.evaluate(_REPLAY, [ids, warm, last])
    before = _heap(page)
    page.evaluate(_REPLAY, [ids, frames, {**last, "seq": last["seq"] + warm}])
    return _heap(page) - before


def _heap(page: Page) -> float:
    """The page's heap in MB, without what nobody holds."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    size: float = page.evaluate("performance.memory.usedJSHeapSize")
    return size / 1e6


def _live(runs: list[dict[str, Any]]) -> list[Row]:
    crowd = "100 jobs, 10 messages/s each"
    delays = [run["delays"] for run in runs]
    return [
        Row(
            "dashboard",
            f"{crowd}: publish → pixel, p50",
            Measured("jobdeck", "ms", tuple(quantile(d, 0.5) for d in delays)),
            Budget(50),
        ),
        Row(
            "dashboard",
            f"{crowd}: publish → pixel, p99",
            Measured("jobdeck", "ms", tuple(quantile(d, 0.99) for d in delays)),
            Budget(200),
        ),
        Row(
            "dashboard",
            f"{crowd}: longest task of the page (0: none over 50 ms)",
            Measured("jobdeck", "ms", tuple(max(run["tasks"], default=0) for run in runs)),
            Budget(50),
        ),
        Row(
            "dashboard",
            "growth of the page's heap over an hour's frames, replayed",
            Measured("jobdeck", "MB", tuple(run["heap"] for run in runs)),
            Budget(5),
        ),
    ]


def _flood(stage: Stage) -> dict[str, float]:
    """200 jobs publish 100 times a second each: one of them is cancelled meanwhile, then all end."""
    seconds = 40
    cell = _CROWDED.format(jobs=200, seconds=seconds, rate=100)
    with stage.page("flood", cell) as page:
        try:
            run_cell(page)
            wait_until_running(stage.deck, 150)
            page.get_by_role("combobox", name="Find jobs").fill("live-")
            page.evaluate(_FRAMES)
            page.wait_for_timeout(5_000)
            job = stage.deck.jobs(limit=1, status="RUNNING")[0]
            page.get_by_role("combobox", name="Find jobs").fill(f"id:{job.job_id()}")
            page.locator(f"[data-id='{job.job_id()}']").click()
            cancel = page.locator(f"[data-job-id='{job.job_id()}']").get_by_role("button", name="Cancel").first
            cancel.wait_for()
            began = time.monotonic()
            cancel.click()
            page.locator(f".jobdeck-grid-row[data-id='{job.job_id()}'][data-status='CANCELLED']").wait_for()
            answered = 1000 * (time.monotonic() - began)
            seen = page.evaluate(_FRAMES_END)
            for one in stage.deck.jobs(limit=200):
                one.wait_for_final_state(timeout=300)
            page.get_by_role("combobox", name="Find jobs").fill("live- status:done")
            page.wait_for_timeout(1500)
            shown = _last_shown(page, stage.deck)
        finally:
            cancel_all(stage.deck)
    return {"answered": answered, "frame": quantile(seen["frames"], 0.99), "shown": shown}


def _last_shown(page: Page, deck: Deck) -> float:
    """The share of ended jobs whose row shows their last message, in percent, as one scrolls through them all."""
    last = {job.job_id(): job.interim_results()[-1]["mark"] for job in deck.jobs(limit=200) if job.done()}
    shown: dict[str, str] = {}
    grid = page.locator(_GRID)
    for top in range(0, 30 * len(last), 200):
        grid.evaluate("(grid, top) => { grid.scrollTop = top; }", top)
        page.wait_for_timeout(60)
        shown |= page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.jobdeck-grid-row')]
            .map((row) => [row.dataset.id, row.textContent]))""")
    return 100 * sum(mark in shown.get(job_id, "") for job_id, mark in last.items()) / len(last)


def _flooded(seen: dict[str, float]) -> list[Row]:
    crowd = "200 jobs, 100 messages/s each"
    return [
        Row(
            "dashboard",
            f"{crowd}: Cancel → CANCELLED in its row",
            Measured("jobdeck", "ms", (seen["answered"],)),
            Budget(1000),
        ),
        Row("dashboard", f"{crowd}: frames of the page, p99", Measured("jobdeck", "ms", (seen["frame"],))),
        Row(
            "dashboard",
            f"{crowd}: jobs whose last message is shown",
            Measured("jobdeck", "%", (seen["shown"],)),
            Budget(100, at_least=True),
        ),
    ]


def _ready(page: Page) -> None:
    """Run the cell unless it has run, and wait until the dashboard has every row."""
    if page.locator(_GRID).count() == 0:
        run_cell(page)
    page.wait_for_selector(f"{_GRID}-row", timeout=60_000)
    page.wait_for_function(f"Number(document.querySelector('{_GRID}').dataset.rows) >= {JOBS}", timeout=60_000)

"""Footprint rows: what jobdeck costs while nothing happens, what importing it costs, the size of the cell bundle."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

import jobdeck

from .decks import open_deck
from .table import Budget, Measured, Row

_KERNELS = {
    "ipywidgets alone": "import ipywidgets",
    "imported, magics loaded": "import ipywidgets, jobdeck\n%load_ext jobdeck",
    "a finished card and the list shown": """
import ipywidgets, jobdeck
job = jobdeck.run(print, inputs={})
job.wait_for_final_state(timeout=60)
display(job, jobdeck.jobs())
""",
}
_IMPORTS = {
    "import jobdeck": "import jobdeck",
    "import jobdeck and every public name": "import jobdeck\nfor name in jobdeck.__all__: getattr(jobdeck, name)",
}
_TIMED = """
import ipywidgets, time
began = time.perf_counter()
{statement}
print(1000 * (time.perf_counter() - began))
"""


def measure(*, quick: bool) -> list[Row]:
    """All footprint rows."""
    return [*_idle_rows(quick), *_import_rows(quick), _bundle_row("card", 80), _bundle_row("deck", 110)]


def _idle_rows(quick: bool) -> list[Row]:
    """All kernels idle side by side over the same seconds, so that what else the machine does hits them alike."""
    rounds, seconds = (2, 5) if quick else (4, 20)
    shares: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        deck = stack.enter_context(open_deck(max_workers=1))
        processes = {who: stack.enter_context(_kernel(code, deck.home)) for who, code in _KERNELS.items()}
        time.sleep(3)  # what the kernels do once, after their cells, is not idling
        for _ in range(rounds):
            before = {who: _cpu_seconds(process) for who, process in processes.items()}
            began = time.monotonic()
            time.sleep(seconds)
            for who, process in processes.items():
                shares[who].append(100 * (_cpu_seconds(process) - before[who]) / (time.monotonic() - began))
    bare, *loaded = _KERNELS
    return [
        Row(
            "footprint",
            f"idle kernel, {who}: share of a core beyond ipywidgets",
            Measured("jobdeck", "%", tuple(a - b for a, b in zip(shares[who], shares[bare], strict=True))),
            Budget(0.3),
            (Measured(bare, "%", tuple(shares[bare])),),
        )
        for who in loaded
    ]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def _kernel(code: str, home: Path) -> Iterator[psutil.Process]:
    environment = os.environ | {"JOBDECK_HOME": str(home)}
    manager, client = start_new_kernel(kernel_name="python3", env=environment, stderr=subprocess.DEVNULL)
    try:
        _execute(client, code)
        yield psutil.Process(manager.provisioner.pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _execute(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(code, timeout=120, output_hook=lambda _message: None)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))


def _import_rows(quick: bool) -> list[Row]:
    rounds = 5 if quick else 15
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for what, statement in _IMPORTS.items():
            times[what].append(_import_time(statement))
        times["peer"].append(_import_time("import tqdm.notebook"))
    peer = Measured("import tqdm.notebook", "ms", tuple(times["peer"]))
    return [
        Row(
            "footprint",
            f"{what}, beyond ipywidgets",
            Measured("jobdeck", "ms", tuple(times[what])),
            Budget(150),
            (peer,),
        )
        for what in _IMPORTS
    ]


def _import_time(statement: str) -> float:
    """Milliseconds that a statement takes in a fresh interpreter that has ipywidgets already."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(statement=statement)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def _bundle_row(name: str, limit: float) -> Row:
    """What a cell loads: `card`, or `deck` where it shows the whole deck."""
    static = Path(jobdeck.__file__).parent / "widgets" / "static"
    size = sum(len(gzip.compress((static / f"{name}{suffix}").read_bytes())) for suffix in (".js", ".css"))
    return Row(
        "footprint", f"cell bundle of a {name}, gzipped", Measured("jobdeck", "KB", (size / 1024,)), Budget(limit)
    )

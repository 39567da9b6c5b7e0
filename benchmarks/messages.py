"""Message rows: how fast a job publishes into the store, what arrives, how soon, what following costs the kernel."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .decks import open_deck
from .pools import dask_client
from .programs import flood, steady, steps
from .table import Budget, Measured, Row, quantile

if TYPE_CHECKING:
    from distributed import Client

    from jobdeck import Deck

_TICK = 0.001


def measure(*, quick: bool) -> list[Row]:
    """All rows about interim messages that need no browser."""
    rounds, count, seconds = (2, 5_000, 2) if quick else (5, 20_000, 5)
    found: dict[str, list[float]] = defaultdict(list)
    with open_deck(max_workers=2) as deck, dask_client() as client:
        for _ in range(rounds):
            _measure_flood(deck, count, found)
            found["dask rate"].append(client.submit(_dask_flood, count // 10, pure=False).result())
            found["file rate"].append(_file_flood(count))
            for key, delays in (("", _listen(deck, seconds)), ("dask ", _dask_listen(client, seconds))):
                found[f"{key}p50"].append(1000 * quantile(delays, 0.5))
                found[f"{key}p99"].append(1000 * quantile(delays, 0.99))

    def measured(key: str, unit: str, who: str = "jobdeck") -> Measured:
        return Measured(who, unit, tuple(found[key]))

    return [
        Row(
            "messages",
            f"from one job into the store, durable, while a kernel follows ({count:,} at once)",
            measured("rate", "messages/s"),
            Budget(20_000, at_least=True),
            (
                measured("dask rate", "messages/s", "Dask log_event"),
                measured("file rate", "messages/s", "print into a file, flushed"),
            ),
        ),
        Row("messages", "lost, doubled or out of order in the callback", measured("wrong", "messages"), Budget(0)),
        Row(
            "messages",
            "longest stall of the kernel's main thread meanwhile",
            measured("stall", "ms"),
            None,
            (measured("idle stall", "ms", "nothing followed"),),
        ),
        Row(
            "messages",
            "publish → callback, 100 messages/s, p50",
            measured("p50", "ms"),
            None,
            (measured("dask p50", "ms", "Dask log_event"),),
        ),
        Row(
            "messages",
            "publish → callback, 100 messages/s, p99",
            measured("p99", "ms"),
            None,
            (measured("dask p99", "ms", "Dask log_event"),),
        ),
    ]


def _measure_flood(deck: Deck, count: int, found: dict[str, list[float]]) -> None:
    """A job publishes `count` messages while a callback takes them and the main thread ticks."""
    found["idle stall"].append(_longest_stall(until=time.monotonic() + 0.5))
    received: list[int] = []
    complete = threading.Event()

    def take(_job_id: str, message: dict[str, Any]) -> None:
        received.append(message["number"])
        if len(received) >= count:
            complete.set()

    job = deck.run(flood, inputs={"count": count})
    job.stream_results(take)
    found["stall"].append(_longest_stall(until=time.monotonic() + 60, event=complete))
    found["rate"].append(count / job.result(timeout=60))
    wrong = sum(a != b for a, b in zip(received, range(count), strict=False)) + abs(len(received) - count)
    stored = [message["number"] for message in job.interim_results()]
    found["wrong"].append(wrong + (stored != list(range(count))))


def _longest_stall(until: float, event: threading.Event | None = None) -> float:
    """Milliseconds by which the worst of many short sleeps of this thread ran over."""
    worst = 0.0
    while time.monotonic() < until and not (event is not None and event.is_set()):
        before = time.perf_counter()
        time.sleep(_TICK)
        worst = max(worst, time.perf_counter() - before - _TICK)
    return 1000 * worst


def _listen(deck: Deck, seconds: float) -> list[float]:
    """Seconds from publish to the callback, of each message."""
    delays: list[float] = []
    job = deck.run(steady, inputs={"seconds": seconds, "rate": 100})
    job.stream_results(lambda _job_id, message: delays.append(time.time() - message["sent"]))
    job.wait_for_final_state(timeout=seconds + 60)
    if len(delays) != seconds * 100:
        raise RuntimeError(f"{len(delays)} of {seconds * 100} messages came")
    return delays


def _file_flood(count: int) -> float:
    """Messages a second printed into a file: neither durable nor numbered, the least that any stream costs."""
    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder, (Path(folder) / "log").open("w") as file:
        began = time.perf_counter()
        for number in range(count):
            print(json.dumps({"number": number, "energy": -1.137}), file=file, flush=True)
        return count / (time.perf_counter() - began)


def _dask_flood(count: int) -> float:
    from distributed import get_worker

    worker = get_worker()
    began = time.perf_counter()
    for number in range(count):
        worker.log_event("flood", {"number": number, "energy": -1.137})
    return count / (time.perf_counter() - began)


def _dask_steady(seconds: float, rate: float) -> None:
    from distributed import get_worker

    for number in steps(seconds, rate):
        get_worker().log_event("steady", {"number": number, "sent": time.time()})


def _dask_listen(client: Client, seconds: float) -> list[float]:
    delays: list[float] = []
    client.subscribe_topic("steady", lambda event: delays.append(time.time() - event[1]["sent"]))
    client.submit(_dask_steady, seconds, 100, pure=False).result()
    deadline = time.monotonic() + 10
    while len(delays) < seconds * 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    client.unsubscribe_topic("steady")
    return delays

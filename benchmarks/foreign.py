"""Rows of jobs that others run: what watching one costs, what looks at five hundred cost, how soon an end is known."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Future
from typing import Any

from jobdeck import Deck, Reading, Watched

from .decks import open_deck
from .table import Measured, Row, quantile

_JOBS = 500
_OFTEN = (0.02, 0.02)
"""As often as the bridge can be asked to look at five hundred jobs and more."""


class Ticking(Watched):
    """A job that runs for as long as it is told to, and counts the looks at it."""

    system = "ticking"
    looks = 0
    is_over = False

    def __init__(self, pace: tuple[float, float]) -> None:
        self.pace = pace

    def read(self) -> Reading:
        Ticking.looks += 1
        return Reading("DONE" if Ticking.is_over else "RUNNING")

    def result(self) -> int:
        return 1

    @classmethod
    def read_many(cls, watched: Collection[Watched]) -> dict[Watched, Any]:
        return {each: each.read() for each in watched}


def measure(*, quick: bool) -> list[Row]:
    """All rows of watched jobs."""
    rounds = 2 if quick else 5
    with open_deck(max_workers=2) as deck:
        deck.watch(_ended()).result()
        watching = tuple(_watch_many(deck, 200) for _ in range(rounds))
        singly = tuple(_look(deck, None, 3.0) for _ in range(rounds))
        together = tuple(_look(deck, "all", 3.0) for _ in range(rounds))
        ends = [_end(deck) for _ in range(50 * rounds)]
    per_look = tuple(cost for _, cost in singly)
    return [
        Row("foreign", "watch(future) returns", Measured("jobdeck", "ms", watching)),
        Row("foreign", f"{_JOBS} jobs: looks a second, one by one", _rates(singly)),
        Row("foreign", f"{_JOBS} jobs: processor time of a look, one by one", Measured("jobdeck", "µs", per_look)),
        Row("foreign", f"{_JOBS} jobs: looks a second, in bulk", _rates(together)),
        Row("foreign", "future.set_result() → job.result(), p50", Measured("jobdeck", "ms", (quantile(ends, 0.5),))),
        Row("foreign", "future.set_result() → job.result(), p99", Measured("jobdeck", "ms", (quantile(ends, 0.99),))),
    ]


def _rates(looks: tuple[tuple[float, float], ...]) -> Measured:
    return Measured("jobdeck", "looks/s", tuple(rate for rate, _ in looks))


def _ended() -> Future[int]:
    future: Future[int] = Future()
    future.set_result(1)
    return future


def _watch_many(deck: Deck, number: int) -> float:
    """Milliseconds that one call takes."""
    futures = [_ended() for _ in range(number)]
    began = time.perf_counter()
    for future in futures:
        deck.watch(future)
    return 1000 * (time.perf_counter() - began) / number


def _look(deck: Deck, bulk_key: str | None, seconds: float) -> tuple[float, float]:
    """Looks in a second at many jobs that run, and microseconds of processor time that each costs."""
    Ticking.is_over = False
    watched = [Ticking(_OFTEN) for _ in range(_JOBS)]
    for each in watched:
        each.bulk_key = bulk_key
    jobs = [deck.watch(each) for each in watched]
    while any(job.status() != "RUNNING" for job in jobs):
        time.sleep(0.05)
    looks, spent, began = Ticking.looks, time.process_time(), time.perf_counter()
    time.sleep(seconds)
    looks, spent = Ticking.looks - looks, time.process_time() - spent
    rate = looks / (time.perf_counter() - began)
    Ticking.is_over = True
    for job in jobs:
        job.result(timeout=60)
    return rate, 1e6 * spent / looks


def _end(deck: Deck) -> float:
    """Milliseconds from the end of a future to its result in the hands of who waits for the job."""
    future: Future[int] = Future()
    job = deck.watch(future)
    while job.status() != "QUEUED":
        time.sleep(0.002)
    began = time.perf_counter()
    future.set_result(1)
    job.result(timeout=30)
    return 1000 * (time.perf_counter() - began)

"""A clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Seconds that only grow; `pause` lets so many pass."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.paused = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.paused += seconds


class CallsAtOnce:
    """Makes the bridge's calls where it stands, so that a test's clock is all the time there is."""

    def run(self, system: str, task: Callable[[], None]) -> None:
        task()

    def relieve(self) -> None:
        """Nothing waits."""

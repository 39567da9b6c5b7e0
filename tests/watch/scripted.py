"""Jobs that do what a test says, calls that are made when it says, and a clock that it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jobdeck import Reading, Watched


class Clock:
    """Seconds that pass when the test lets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CallsAtOnce:
    """Makes calls at once, in the thread of the turn; those of a system that hangs are kept."""

    def __init__(self) -> None:
        self.hanging: set[str] = set()
        self.held: list[Callable[[], None]] = []

    def run(self, system: str, task: Callable[[], None]) -> None:
        if system in self.hanging:
            self.held.append(task)
        else:
            task()

    def relieve(self) -> None:
        """There is nobody to relieve."""


class ScriptedJob(Watched):
    """Tells one line of its script at each look, the last one again and again. An exception in it is raised."""

    system = "scripted"

    def __init__(self, *script: Any, result: Any = None, cancels: Any = NotImplementedError, **said: Any) -> None:
        self.script = list(script)
        self.outcome = result
        self.cancels = cancels
        self.looks = 0
        self.asked = 0
        self.fetched = 0
        self.closed = 0
        self.wake: Callable[[], None] = lambda: None
        for name, value in said.items():
            setattr(self, name, value)

    def read(self) -> Reading:
        self.looks += 1
        line = _next(self.script)
        return line if isinstance(line, Reading) else Reading(line)

    def result(self) -> Any:
        self.fetched += 1
        return _next(self.outcome) if isinstance(self.outcome, list) else _next([self.outcome])

    def cancel(self) -> Any:
        self.asked += 1
        return _next([self.cancels])

    def on_change(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def close(self) -> None:
        self.closed += 1


class BulkJob(ScriptedJob):
    """One of many that are read together."""

    system = "bulk"
    bulk_key = "all"
    calls: list[int] = []  # noqa: RUF012 - the class counts

    @classmethod
    def read_many(cls, watched: Iterable[Watched]) -> dict[Watched, Any]:
        several = list(watched)
        cls.calls.append(len(several))
        return dict(super().read_many(several))


def _next(lines: list[Any]) -> Any:
    line = lines.pop(0) if len(lines) > 1 else lines[0]
    if isinstance(line, BaseException) or (isinstance(line, type) and issubclass(line, BaseException)):
        raise line
    return line

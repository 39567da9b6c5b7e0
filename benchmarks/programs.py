"""What the measured jobs run. It imports next to nothing, so that no engine pays for the benchmark's own imports."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

nothing = int
"""The smallest job: a builtin, so that it travels as its name and nothing is imported for it."""


def clock() -> float:
    """When the program began to run."""
    return time.time()


def nap(number: int, seconds: float) -> int:
    """Do nothing for a while, and return the number."""
    time.sleep(seconds)
    return number


def flood(user_messenger, count: int) -> float:
    """Publish `count` messages as fast as it goes; return how long that took, in seconds."""
    began = time.perf_counter()
    for number in range(count):
        user_messenger.publish({"number": number, "energy": -1.137})
    return time.perf_counter() - began


def steady(user_messenger, seconds: float, rate: float) -> None:
    """Publish messages, `rate` a second, each with the time at which it was handed over."""
    for number in steps(seconds, rate):
        user_messenger.publish({"number": number, "sent": time.time()})


def mark() -> str:
    """The time as a text that the page's observer finds whatever stands around it."""
    return f"@{time.time():.6f}@"


def steps(seconds: float, rate: float) -> Iterator[int]:
    """Count `rate` times a second; a step that comes late is not made up for by a shorter one."""
    began = time.monotonic()
    for number in range(round(seconds * rate)):
        yield number
        time.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))


def marks(user_messenger, seconds: float, rate: float) -> None:
    """Publish marks, `rate` a second."""
    for number in steps(seconds, rate):
        user_messenger.publish({"step": number, "mark": mark()})

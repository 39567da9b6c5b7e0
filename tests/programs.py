"""Programs for jobs in tests. Jobs import this module, so it imports nothing that takes time."""

from __future__ import annotations

import operator
import os
import time
from pathlib import Path


class Gate:
    """Lets a job go on when the test says so, and tells when it has come so far."""

    def __init__(self, folder: Path) -> None:
        self.here = str(folder / "here")
        self.open_file = str(folder / "open")

    def wait(self) -> None:
        """In the job: say that it is here, and wait."""
        Path(self.here).touch()
        while not os.path.exists(self.open_file):
            time.sleep(0.005)

    def reached(self) -> None:
        """In the test: wait until the job is here."""
        deadline = time.monotonic() + 15
        while not os.path.exists(self.here):
            assert time.monotonic() < deadline, "the job has not come so far"
            time.sleep(0.005)

    def open(self) -> None:
        """In the test: let it go on."""
        Path(self.open_file).touch()


def count_to(number, user_messenger, gate=None, first=0):
    """Publish the numbers below `number`; the gate stands before the one called `first`."""
    for i in range(first):
        user_messenger.publish(i)
    if gate is not None:
        gate.wait()
    for i in range(first, number):
        user_messenger.publish(i)
    return number


def area(width, height=2, user_messenger=None):
    print("computing", flush=True)
    user_messenger.progress(1, 2, "half")
    user_messenger.publish(width)
    return width * height


def fail(reason, gate=None):
    if gate is not None:
        gate.wait()
    raise ValueError(reason)


def opens(gate):
    gate.wait()
    return "open"


def double(x):
    return 2 * x


def half(number, here=None):
    """Fail for odd numbers, until the file `here` is there."""
    if number % 2 and not (here and os.path.exists(here)):
        raise ValueError(f"{number} is odd")
    return number // 2


def behind(gate, number=0):
    """Return the number; 0 waits behind the gate."""
    if number == 0:
        gate.wait()
    return number


def echo(status, result):
    return [status, result]


class Unopenable:
    """Something whose pickle cannot be opened."""

    def __reduce__(self):
        return operator.truediv, (1, 0)


def make_unopenable(_):
    return Unopenable()


def name_of(backend, number):
    return f"{backend.name} {number}"


class Backend:
    """Something that a program runs on."""

    name = "my simulator"


def nothing():
    return None

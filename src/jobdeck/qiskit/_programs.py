"""What the jobs of wrapped parts run, in their own processes. It is found there by name, so it imports little."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from .._errors import JobCancelledError
from .._messenger import active
from .._observables import name_values


def sample(sampler: Any, pubs: Any, shots: int | None = None, **options: Any) -> Any:
    """Run a sampler on pubs and return its PrimitiveResult."""
    with _ended_by_an_interrupt():
        return sampler.run(list(pubs), shots=shots, **options).result()


def estimate(estimator: Any, pubs: Any, precision: float | None = None, **options: Any) -> Any:
    """Run an estimator on pubs and return its PrimitiveResult."""
    with _ended_by_an_interrupt():
        result = estimator.run(list(pubs), precision=precision, **options).result()
        name_values(result, pubs)
        return result


def simulate(backend: Any, circuits: Any, **options: Any) -> Any:
    """Run circuits on a backend and return its Result."""
    with _ended_by_an_interrupt():
        return backend.run(circuits.as_given(), **options).result()


@contextlib.contextmanager
def _ended_by_an_interrupt() -> Iterator[None]:
    """Let an interrupt end the process rather than raise KeyboardInterrupt.

    There is nothing to clean up. A simulator works in a thread that hears no interrupt, and the end of an interpreter
    would wait for that thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        messenger = active()
        if messenger is not None and messenger.interrupted:
            # Compiled code that makes circuits of a pickle may let an interrupt fall on the floor.
            raise JobCancelledError(f"job {messenger.job_id} was asked to stop")
        yield
    finally:
        signal.signal(signal.SIGINT, before)

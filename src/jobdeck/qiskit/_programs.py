"""What the jobs of wrapped parts run, in their own processes. It is found there by name, so it imports nothing."""

from __future__ import annotations

from typing import Any


def sample(sampler: Any, pubs: Any, shots: int | None = None, **options: Any) -> Any:
    """Run a sampler on pubs and return its PrimitiveResult."""
    return sampler.run(list(pubs), shots=shots, **options).result()


def estimate(estimator: Any, pubs: Any, precision: float | None = None, **options: Any) -> Any:
    """Run an estimator on pubs and return its PrimitiveResult."""
    return estimator.run(list(pubs), precision=precision, **options).result()


def simulate(backend: Any, circuits: Any, **options: Any) -> Any:
    """Run circuits on a backend and return its Result."""
    return backend.run(circuits.as_given(), **options).result()

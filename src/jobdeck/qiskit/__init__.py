"""Qiskit's simulators as jobs: primitives and backends whose every ``run`` goes in a process of its own.

It can be stopped, is seen in the deck, and outlives the kernel. Names are resolved on first use, so that a job's own
process loads no more than it needs.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

_found = find_spec("qiskit")
if _found is None or _found.origin is None:  # a mere folder of that name has no origin
    raise ImportError("jobdeck.qiskit needs Qiskit, which is not installed here: pip install 'jobdeck[qiskit]'")

if TYPE_CHECKING:
    from ._backend import backend
    from ._iterations import iterations
    from ._primitives import Estimator, Sampler

__all__ = ["Estimator", "Sampler", "backend", "iterations"]

_WHERE = {"Estimator": "_primitives", "Sampler": "_primitives", "backend": "_backend", "iterations": "_iterations"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

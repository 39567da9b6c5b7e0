"""Which libraries a job will import, of those that take long: its process can be forked from one that has them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

_SLOW: Final = ("qiskit", "qiskit_aer", "qiskit_algorithms", "qiskit_ibm_runtime")
"""Libraries whose import takes several times as long as all else that a short job does."""


def libraries_of(bodies: Iterable[bytes]) -> tuple[str, ...]:
    """Return the slow libraries that this process has imported and that are named in these pickles."""
    imported = [name for name in _SLOW if name in sys.modules]
    if not imported:
        return ()
    kept = tuple(bodies)
    return tuple(name for name in imported if any(name.encode() in body for body in kept))

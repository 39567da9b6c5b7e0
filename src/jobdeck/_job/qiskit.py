"""`Job` as a virtual subclass of Qiskit's job classes, without Qiskit ever being imported."""

from __future__ import annotations

import sys
from abc import ABCMeta
from typing import Final

_BASES: Final = (("qiskit.providers.job", "JobV1"), ("qiskit.primitives.base.base_primitive_job", "BasePrimitiveJob"))


def register(handle: type) -> None:
    """Register `handle` with those of Qiskit's job classes that the process has imported so far."""
    for module_name, name in _BASES:
        module = sys.modules.get(module_name)
        base = None if module is None else getattr(module, name, None)
        if isinstance(base, ABCMeta) and not issubclass(handle, base):
            base.register(handle)

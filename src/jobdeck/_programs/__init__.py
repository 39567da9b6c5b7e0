"""Programs that were uploaded under an id: what they are, and what they take."""

from __future__ import annotations

from .parameters import ParameterNamespace
from .program import Program
from .uploads import Programs, Uploaded, inputs_of

__all__ = ["ParameterNamespace", "Program", "Programs", "Uploaded", "inputs_of"]

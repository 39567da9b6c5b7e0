"""One program with many inputs: packed, and opened again, without doing for each job what is the same for all."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._records import Payload
from .payload import inputs_by_name
from .source import Source, open_source


class InputsReader:
    """Opens the inputs of many jobs. It unpickles: only for a process that asks for the inputs."""

    def __init__(self) -> None:
        self._opened: dict[bytes, tuple[Source, inspect.Signature | None]] = {}

    def read(self, payload: Payload) -> Mapping[str, Any]:
        """Return a job's inputs by name; a program that several jobs share is opened once."""
        if payload.program not in self._opened:
            source = open_source(payload.program)
            self._opened[payload.program] = source, source.signature()
        return inputs_by_name(*self._opened[payload.program], payload.inputs)

"""What goes into a job's process and what comes out of it."""

from __future__ import annotations

from .context import Context
from .edits import edit
from .held import Held
from .outcome import exception_of, outcome_of_exception, outcome_of_value, value_of
from .payload import (
    OpenProgram,
    Packed,
    Packer,
    awaited,
    held_of,
    is_plain_call,
    open_payload,
    pack,
    pack_program,
    repack_program,
    replace_inputs,
    source_text,
)
from .preview import preview
from .series import InputsReader

__all__ = [
    "Context",
    "Held",
    "InputsReader",
    "OpenProgram",
    "Packed",
    "Packer",
    "awaited",
    "edit",
    "exception_of",
    "held_of",
    "is_plain_call",
    "open_payload",
    "outcome_of_exception",
    "outcome_of_value",
    "pack",
    "pack_program",
    "preview",
    "repack_program",
    "replace_inputs",
    "source_text",
    "value_of",
]

"""What goes into a job's process and what comes out of it."""

from __future__ import annotations

from .context import Context
from .edits import EDITED, edit
from .held import Held
from .outcome import exception_of, outcome_of_exception, outcome_of_value, plain_number, value_of
from .payload import (
    OpenProgram,
    Packed,
    Packer,
    held_of,
    open_payload,
    pack,
    pack_program,
    repack_program,
    replace_inputs,
    run,
    source_text,
)
from .preview import preview
from .series import InputsReader

__all__ = [
    "EDITED",
    "Context",
    "Held",
    "InputsReader",
    "OpenProgram",
    "Packed",
    "Packer",
    "edit",
    "exception_of",
    "held_of",
    "open_payload",
    "outcome_of_exception",
    "outcome_of_value",
    "pack",
    "pack_program",
    "plain_number",
    "preview",
    "repack_program",
    "replace_inputs",
    "run",
    "source_text",
    "value_of",
]

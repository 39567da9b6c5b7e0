"""Programs that were uploaded under an id."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ._errors import InvalidInputError, JobNotFoundError
from ._ports import Store
from ._program import pack_program
from ._records import ProgramRecord


@dataclass(frozen=True)
class Program:
    """What is known of an uploaded program.

    Attributes
    ----------
    program_id : str
    name : str
    description : str
    metadata : mapping
        All that it was uploaded with.
    creation_date, update_date : datetime
        In local time, and aware of it.
    """

    program_id: str
    name: str
    description: str
    metadata: Mapping[str, Any]
    creation_date: datetime
    update_date: datetime


class Programs:
    """The uploaded programs of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, program: Any) -> ProgramRecord | None:
        """Return the uploaded program if this is the id of one, None if it is a program in any other form."""
        if not isinstance(program, str) or os.sep in program:
            return None
        try:
            return self._store.program(program)
        except JobNotFoundError:
            return None

    def get(self, program_id: str) -> Program:
        """Return one. JobNotFoundError if there is none."""
        return _shown(self._store.program(program_id))

    def all(self) -> list[Program]:
        """Return all."""
        return [_shown(record) for record in self._store.programs()]

    def upload(self, data: Any, metadata: Mapping[str, Any] | None) -> str:
        """Keep a program and return its new id."""
        name, pickled = pack_program(data)
        return self._store.put_program(pickled, {"name": name, **_checked(metadata)})

    def update(self, program_id: str, data: Any, metadata: Mapping[str, Any] | None) -> None:
        """Replace code, or parts of the metadata, of one that exists."""
        if data is None and metadata is None:
            raise InvalidInputError("update_program: give data, metadata or both")
        old = self._store.program(program_id)
        pickled = old.data if data is None else pack_program(data)[1]
        self._store.put_program(pickled, {**old.metadata, **_checked(metadata)}, program_id)


def _checked(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    given = dict(metadata or {})
    for key in ("name", "description"):
        if key in given and (not isinstance(given[key], str) or not given[key].strip()):
            raise InvalidInputError(f"a program's {key} is a text that is not empty, not {given[key]!r}")
    return given


def _shown(record: ProgramRecord) -> Program:
    return Program(
        program_id=record.program_id,
        name=str(record.metadata["name"]),
        description=str(record.metadata.get("description", "")),
        metadata=record.metadata,
        creation_date=datetime.fromtimestamp(record.created).astimezone(),
        update_date=datetime.fromtimestamp(record.updated).astimezone(),
    )

"""The uploaded programs of a store, and what they make of a run's inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import InvalidInputError, JobNotFoundError
from .._ports import Store
from .._program import pack_program, repack_program
from .._records import ProgramRecord
from .._schema import Schema, defaults_of, misfits, told
from .metadata import Metadata, read_metadata, spec_of
from .parameters import ParameterNamespace, input_name
from .program import Program, program_of


@dataclass(frozen=True)
class Uploaded:
    """An uploaded program that is to be run."""

    record: ProgramRecord

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.record.metadata["name"])

    def timeout(self, wanted: float | None) -> float | None:
        """Return the shorter of the program's limit and what a run asks for."""
        limit = self.record.metadata.get("max_execution_time")
        given = [float(seconds) for seconds in (limit, wanted) if seconds]
        return min(given, default=None)

    @property
    def takes_names(self) -> bool:
        """Whether it says what its inputs are called."""
        return bool(self._parameters.get("properties"))

    def first_open(self, given: Mapping[str, Any]) -> str:
        """Return the name of the first input that is not given. InvalidInputError if all are."""
        for name in self._parameters.get("properties", ()):
            if name not in given:
                return str(name)
        raise InvalidInputError(f"program {self.name!r}: its inputs are all given")

    def inputs(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return a run's inputs with the defaults filled in, checked against what the program says that it takes.

        Raises
        ------
        InvalidInputError
            One is missing, or does not fit; the text names it and says what is wanted.
        """
        if given is not None and not isinstance(given, Mapping):
            raise InvalidInputError(
                f"inputs of {self.name!r} must be a mapping of names to values, not {type(given).__name__}"
            )
        schema = self._parameters
        inputs = {**defaults_of(schema), **(given or {})}
        wrong = misfits(schema, inputs, input_name) if schema else []
        if wrong:
            raise InvalidInputError(f"program {self.name!r} ({self.record.program_id}): {told(wrong)}")
        return inputs

    @property
    def _parameters(self) -> Schema:
        return spec_of(self.record.metadata, "parameters")


def inputs_of(inputs: Mapping[str, Any] | ParameterNamespace | None) -> Mapping[str, Any] | None:
    """Return inputs as a mapping."""
    return inputs.to_dict() if isinstance(inputs, ParameterNamespace) else inputs


class Programs:
    """The uploaded programs of a store. Each is known by its id, and by its name where no other one has it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, program: Any) -> Uploaded | None:
        """Return the uploaded program if this is the id or the name of one, None if it is a program in any other form.

        Raises
        ------
        InvalidInputError
            Several programs have that name.
        """
        if not isinstance(program, str) or os.sep in program or "\n" in program:
            return None
        try:
            return Uploaded(self._record(program))
        except JobNotFoundError:
            return None

    def needed(self, program_id: str) -> Uploaded:
        """Return the uploaded program of that id or name. JobNotFoundError if there is none."""
        if not isinstance(program_id, str):
            raise InvalidInputError(f"a program id is a text, not {type(program_id).__name__}")
        return Uploaded(self._record(program_id))

    def get(self, program_id: str) -> Program:
        """Return one. JobNotFoundError if there is none."""
        return program_of(self.needed(program_id).record)

    def all(self) -> list[Program]:
        """Return all."""
        return [program_of(record) for record in self._store.programs()]

    def upload(self, data: Any, metadata: Metadata | None, **fields: Any) -> str:
        """Keep a program and return its new id."""
        kept = read_metadata(metadata, **fields)
        name, pickled = pack_program(data, name=kept.get("name"), returns=spec_of(kept, "return_values"))
        return self._store.put_program(pickled, {"name": name, **kept})

    def update(self, program_id: str, data: Any, metadata: Metadata | None, **fields: Any) -> None:
        """Replace code, or parts of the metadata, of one that exists."""
        if data is None and metadata is None and all(value is None for value in fields.values()):
            raise InvalidInputError(f"update_program: give data, metadata, {', '.join(fields)}, or several of them")
        old = self.needed(program_id).record
        kept = {**old.metadata, **read_metadata(metadata, **fields)}
        returns = spec_of(kept, "return_values")
        if data is None:
            pickled = repack_program(old.data, returns)
        else:
            pickled = pack_program(data, name=str(kept["name"]), returns=returns)[1]
        self._store.put_program(pickled, kept, old.program_id)

    def delete(self, program_id: str) -> None:
        """Forget one. JobNotFoundError if there is none."""
        self._store.delete_program(self.needed(program_id).record.program_id)

    def _record(self, known_as: str) -> ProgramRecord:
        try:
            return self._store.program(known_as)
        except JobNotFoundError:
            named = [record for record in self._store.programs() if record.metadata.get("name") == known_as]
            if not named:
                raise
        if len(named) > 1:
            ids = ", ".join(record.program_id for record in named)
            raise InvalidInputError(f"{len(named)} programs are called {known_as!r}; give the id of one: {ids}")
        return named[0]

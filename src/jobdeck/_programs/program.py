"""What a person sees of an uploaded program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._plain import plain, span
from .._program import source_text
from .._records import ProgramRecord
from .metadata import spec_of
from .parameters import ParameterNamespace, type_words

_LINE = 200


@dataclass(frozen=True)
class Program:
    """What is known of an uploaded program. Printed, it tells how it is used.

    Attributes
    ----------
    program_id : str
    name : str
    description : str
    metadata : mapping
        All that it was uploaded with, what it takes and gives under ``spec``.
    creation_date, update_date : datetime
        In local time, and aware of it.
    """

    program_id: str
    name: str
    description: str
    metadata: Mapping[str, Any]
    creation_date: datetime
    update_date: datetime
    _pickled: bytes = field(default=b"", repr=False, compare=False)

    def parameters(self) -> ParameterNamespace:
        """Return its inputs, to be filled in by attribute; a new namespace at each call."""
        return ParameterNamespace(spec_of(self.metadata, "parameters"))

    @property
    def return_values(self) -> dict[str, Any]:
        """The JSON schema of what it returns; empty where it does not say."""
        return dict(spec_of(self.metadata, "return_values"))

    @property
    def interim_results(self) -> dict[str, Any]:
        """The JSON schema of what it publishes on the way."""
        return dict(spec_of(self.metadata, "interim_results"))

    @property
    def backend_requirements(self) -> dict[str, Any]:
        """What it asks of a backend."""
        return dict(spec_of(self.metadata, "backend_requirements"))

    @property
    def max_execution_time(self) -> float | None:
        """Seconds after which a job of it is stopped; None without a limit."""
        return self.metadata.get("max_execution_time") or None

    @property
    def is_public(self) -> bool:
        """What was said of its visibility. A home belongs to one person, so that nothing follows from it."""
        return bool(self.metadata.get("is_public", False))

    @property
    def data(self) -> str | None:
        """Its source text; None where a callable was uploaded."""
        return source_text(self._pickled)

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of it as a dict."""
        return {
            "program_id": self.program_id,
            "name": self.name,
            "description": self.description,
            "max_execution_time": self.max_execution_time,
            "backend_requirements": self.backend_requirements,
            "parameters": self.parameters(),
            "return_values": self.return_values,
            "interim_results": self.interim_results,
            "is_public": self.is_public,
        }

    def __str__(self) -> str:
        limit = self.max_execution_time
        lines = [
            f"{self.program_id}:",
            f"  Name: {plain(self.name, _LINE)}",
            f"  Description: {plain(self.description, 5 * _LINE)}",
            f"  Creation date: {self.creation_date:%Y-%m-%d %H:%M:%S}",
            f"  Update date: {self.update_date:%Y-%m-%d %H:%M:%S}",
            f"  Max execution time: {'none' if limit is None else span(limit)}",
        ]
        for title, part in (
            ("Input parameters", "parameters"),
            ("Interim results", "interim_results"),
            ("Returns", "return_values"),
        ):
            lines += [f"  {title}:", *(f"    {line}" for line in _schema_lines(spec_of(self.metadata, part)))]
        return "\n".join(lines)


def program_of(record: ProgramRecord) -> Program:
    """Return what a row of the store tells."""
    return Program(
        program_id=record.program_id,
        name=str(record.metadata["name"]),
        description=str(record.metadata.get("description", "")),
        metadata=record.metadata,
        creation_date=datetime.fromtimestamp(record.created).astimezone(),
        update_date=datetime.fromtimestamp(record.updated).astimezone(),
        _pickled=record.data,
    )


def _schema_lines(schema: Mapping[str, Any]) -> Iterator[str]:
    if not schema:
        yield "none"
        return
    if "description" in schema:
        yield f"Description: {plain(str(schema['description']), _LINE)}"
    if "type" in schema:
        yield f"Type: {plain(type_words(schema), _LINE)}"
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return
    yield "Properties:"
    for name, told in properties.items():
        yield f"    - {plain(str(name), _LINE)}:"
        for key, value in told.items() if isinstance(told, Mapping) else ():
            shown = type_words(told) if key == "type" else str(value)
            yield f"        {_sentence(str(key))}: {plain(shown, _LINE)}"
        yield f"        Required: {name in schema.get('required', ())}"


def _sentence(name: str) -> str:
    """Return ``multipleOf`` as ``Multiple of``."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in plain(name, _LINE)).strip()
    return words[:1].upper() + words[1:]

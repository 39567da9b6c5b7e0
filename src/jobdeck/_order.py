"""What is to be run, where and how: the rows of the jobs that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._options import RunOptions
from ._ports import Engine
from ._program import Packed
from ._programs import Uploaded
from ._records import NewJob


@dataclass(frozen=True)
class Order:
    """One program as somebody wants it run, once or many times.

    Attributes
    ----------
    engine, how
        Where, and with which options.
    given
        The program, as `run` or `map` was given it.
    uploaded
        Its upload, where it is the name or the id of one.
    """

    engine: Engine
    how: RunOptions
    given: Any
    uploaded: Uploaded | None

    @property
    def program(self) -> Any:
        """What is to be packed."""
        return self.given if self.uploaded is None else self.uploaded.record.data

    def name(self, packed: str) -> str:
        """Return what it is called; `packed` is what its code is called."""
        return self.how.name or (packed if self.uploaded is None else self.uploaded.name)

    def row(
        self, packed: Packed, name: str, after: tuple[str, ...], *, place: int | None = None, submitted: bool = True
    ) -> NewJob:
        """Return the row of one job."""
        how, uploaded = self.how, self.uploaded
        return NewJob(
            name=name,
            engine=self.engine.name,
            program=packed.program,
            inputs=packed.inputs,
            context=packed.context,
            program_id=None if uploaded is None else uploaded.record.program_id,
            backend=how.backend_name,
            tags=how.tags,
            metadata=how.metadata,
            inputs_preview=packed.inputs_preview,
            timeout=how.timeout if uploaded is None else uploaded.timeout(how.timeout),
            place=place,
            after=after,
            submitted=submitted,
            held=packed.held,
        )

"""The part of a deck that keeps programs under names, and names backends."""

from __future__ import annotations

from typing import Any

from ._arguments import checked_count, checked_text
from ._backends import backend_named, backends_named
from ._errors import InvalidInputError
from ._plain import plain
from ._programs import Program, Programs
from ._programs.metadata import Metadata
from ._service import JobService


class ProgramLibrary:
    """Uploaded programs, and the simulators that they can be run on."""

    _service: JobService

    @property
    def _programs(self) -> Programs:
        return Programs(self._service.store)

    def upload_program(
        self,
        data: Any,
        metadata: Metadata | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        max_execution_time: float | None = None,
        spec: dict[str, Any] | None = None,
        is_public: bool | None = None,
    ) -> str:
        """Keep a program and return the id that `run` takes.

        Parameters
        ----------
        data
            A callable; the path of a file that has ``main(backend, user_messenger, **inputs)``; or the text of one.
        metadata
            A dict, or the path of a JSON file that holds one, with any of: ``name``, ``description``,
            ``max_execution_time`` (seconds), and ``spec``: a dict of ``backend_requirements`` and, each a JSON schema,
            ``parameters``, ``return_values`` and ``interim_results``. Whatever else is in it is kept as well,
            unless its name is but a slip away from one of these.
        name, description, max_execution_time, spec, is_public
            The same one by one; what is given here replaces what `metadata` has.

        Raises
        ------
        InvalidInputError, UnpicklableError
            It is no program, or the metadata are not what they have to be; nothing was kept.
        """
        return self._programs.upload(
            data,
            metadata,
            name=name,
            description=description,
            max_execution_time=max_execution_time,
            spec=spec,
            is_public=is_public,
        )

    def program(self, program_id: str, refresh: bool = False) -> Program:
        """Return what is known of an uploaded program, by its id, or by its name where one alone has it.

        JobNotFoundError if there is none. `refresh` is there for code that was written for a service: this reads the
        store at each call.
        """
        del refresh
        return self._programs.get(program_id)

    def programs(self, refresh: bool = False, limit: int | None = None, skip: int = 0) -> list[Program]:
        """Return uploaded programs, the oldest first: at most `limit`, after `skip`."""
        del refresh
        first, most = checked_count("skip", skip) or 0, checked_count("limit", limit)
        return self._programs.all()[first : None if most is None else first + most]

    def pprint_programs(
        self, refresh: bool = False, detailed: bool = False, limit: int | None = 20, skip: int = 0
    ) -> None:
        """Print uploaded programs: id, name and description, or all that is known of them."""
        for program in self.programs(refresh, limit, skip):
            print("=" * 50)
            if detailed:
                print(program)
            else:
                print(f"{program.program_id}:")
                print(f"  Name: {plain(program.name)}")
                print(f"  Description: {plain(program.description)}")

    def update_program(  # noqa: PLR0917 - the order that services have
        self,
        program_id: str,
        data: Any = None,
        metadata: Metadata | None = None,
        name: str | None = None,
        description: str | None = None,
        max_execution_time: float | None = None,
        spec: dict[str, Any] | None = None,
    ) -> None:
        """Replace an uploaded program's code, or parts of its metadata. Jobs that were started keep what they had.

        See `upload_program` for what can be given.
        """
        self._programs.update(
            program_id,
            data,
            metadata,
            name=name,
            description=description,
            max_execution_time=max_execution_time,
            spec=spec,
        )

    def delete_program(self, program_id: str) -> None:
        """Forget an uploaded program. Its jobs stay."""
        self._programs.delete(program_id)

    def set_program_visibility(self, program_id: str, public: bool) -> None:
        """Keep with a program whether it is public. A home belongs to one person: nobody else sees it either way."""
        self._programs.update(program_id, None, None, is_public=public)

    # --- backends

    def backend(self, name: str) -> Any:
        """Return an installed simulator by name, such as ``"aer_simulator"``, ``"basic_simulator"``, ``"fake_manila"``.

        InvalidInputError, with the names that there are, if none is called so.
        """
        if not isinstance(name, str):
            raise InvalidInputError(f"a backend's name is a text, not {type(name).__name__}")
        return backend_named(name)

    def backends(self, name: str | None = None) -> list[Any]:
        """Return the simulators that are installed: Qiskit's, Aer's, and the fake devices of qiskit-ibm-runtime.

        With `name`, those that have it in their names.
        """
        return backends_named(checked_text("name", name))

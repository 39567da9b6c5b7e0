"""Variables that come back from jobs. They are set between two cells, never while one runs."""

from __future__ import annotations

from typing import Any

from .._cell import collecting, open_output
from .._errors import JobdeckError
from .._job import Job
from .._plain import plain


class Arrivals:
    """Looks before each cell which jobs have ended, and sets the notebook's variables that they bring back."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._scope = scope
        self._expected: list[tuple[Job[Any], tuple[str, ...]]] = []

    def begin(self, shell: Any) -> None:
        """Look before every cell of this shell."""
        shell.events.register("pre_run_cell", self._before_cell)

    def end(self, shell: Any) -> None:
        """Look no more."""
        shell.events.unregister("pre_run_cell", self._before_cell)

    def expect(self, job: Job[Any], names: tuple[str, ...]) -> None:
        """Set these variables once the job has ended well."""
        self._expected.append((job, names))

    def _before_cell(self, *_: Any) -> None:
        for expected in list(self._expected):
            job, names = expected
            try:
                if not job.in_final_state():
                    continue
                with collecting() as outputs:
                    job.result()
                told = "; ".join(self._set(name, outputs.get(name)) for name in names)
                print(f"job {job.name!r} is done: {told}")
            except JobdeckError as error:
                print(f"{', '.join(names)} not set: {plain(str(error).splitlines()[0])}")
            self._expected.remove(expected)

    def _set(self, name: str, packed: bytes | str | None) -> str:
        if packed is None:
            return f"it did not set {name}"
        if isinstance(packed, str):
            return plain(packed)
        try:
            self._scope[name] = open_output(packed)
        except Exception as error:  # noqa: BLE001 - opening a pickle runs the value's own code
            return plain(f"{name} cannot be opened here: {type(error).__name__}: {error}")
        return f"{name} is set"

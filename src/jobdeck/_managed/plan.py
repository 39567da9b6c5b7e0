"""What a set is to be, before anything of it is queued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .._backends import backend_name
from .._errors import InvalidInputError
from .._experiments import Experiments, experiment_name
from .._options import RunOptions
from .._program import Packer
from .._programs import Uploaded
from .._records import NewGroup
from .jobset import KIND


@dataclass(frozen=True)
class Plan:
    """The experiments of a set in parts, each of which is to be a job, and how they are run.

    Attributes
    ----------
    backend
        A backend, or a program, uploaded or in any other form.
    parts
        The experiments of each job.
    how
        The set's name, and what its jobs have in common.
    run_config
        What the backend gets beside the circuits; inputs that all runs of a program have.
    """

    backend: Any
    parts: Sequence[Experiments]
    how: RunOptions
    run_config: Mapping[str, Any]

    @classmethod
    def of(
        cls, experiments: Any, backend: Any, most: int | None, how: RunOptions, run_config: Mapping[str, Any]
    ) -> Plan:
        """Split experiments into parts of at most `most`, or of as many as the backend allows."""
        some = _listed(experiments)
        size = _most(backend, most) or len(some)
        parts = [Experiments(some[start : start + size]) for start in range(0, len(some), size)]
        return cls(backend, parts, how, run_config)

    @property
    def is_of_circuits(self) -> bool:
        """Whether `backend` is one, rather than a program."""
        return hasattr(self.backend, "run")

    @property
    def backend_name(self) -> str:
        """What the backend, or the program, is called."""
        if isinstance(self.backend, Uploaded):
            return self.backend.name
        return backend_name(self.backend) if self.is_of_circuits else Packer(self.backend).name

    @property
    def starts(self) -> list[int]:
        """The place of each part's first experiment."""
        return [0, *accumulate(map(len, self.parts))][:-1]

    def job_name(self, place: int) -> str:
        """Return what the job of a part is called."""
        return f"{self.how.name}[{place}]"

    @property
    def group(self) -> NewGroup:
        """The set as a group of jobs. What experiments are called is kept with it, to find them from any kernel."""
        names = [experiment_name(experiment) for part in self.parts for experiment in part]
        metadata = {
            "backend": self.backend_name,
            "counts": list(map(len, self.parts)),
            "names": names if any(name is not None for name in names) else None,
        }
        return NewGroup(KIND, str(self.how.name), self.how.tags, metadata, len(self.parts))


def _listed(experiments: Any) -> list[Any]:
    is_one = hasattr(experiments, "num_qubits") or isinstance(experiments, (str, bytes, Mapping))
    some = [experiments] if is_one or not isinstance(experiments, Iterable) else list(experiments)
    if not some:
        raise InvalidInputError("there are no experiments to run")
    return some


def _most(backend: Any, wanted: int | None) -> int | None:
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1):
        raise InvalidInputError(f"max_experiments_per_job is a whole number above 0, not {wanted!r}")
    limit = getattr(backend, "max_circuits", None)
    if limit is None and callable(getattr(backend, "configuration", None)):
        limit = getattr(backend.configuration(), "max_experiments", None)
    given = [number for number in (wanted, limit) if isinstance(number, int) and number > 0]
    return min(given, default=None)

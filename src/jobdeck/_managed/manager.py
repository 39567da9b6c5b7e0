"""The job manager: splits experiments into jobs, and finds the sets that they make."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from .._backends import backend_name, backend_named
from .._errors import InvalidInputError, UnpicklableError
from .._experiments import Experiments, ProgramBytes, check_inputs, experiment_name, run_circuits, run_inputs
from .._grouping import add_group
from .._options import RunOptions
from .._program import Packer
from .._programs import Programs
from .._records import NewGroup, NewJob
from .._toplevel import default_deck
from .job import ManagedJob
from .jobset import KIND, ManagedJobSet, parts_of, retrieve
from .report import details, summary
from .submission import Submission, runs_elsewhere, unwrapped

if TYPE_CHECKING:
    from .._deck import Deck


class JobManager:
    """Runs many circuits, or a program with many inputs, as a set of jobs.

    Parameters
    ----------
    deck
        Where the jobs go; None means the deck of jobdeck's functions.
    engine
        What runs them; None means the deck's.
    timeout
        Seconds after which a job is stopped.
    """

    def __init__(self, deck: Deck | None = None, *, engine: str | None = None, timeout: float | None = None) -> None:
        self._given_deck = deck
        self._engine = engine
        self._timeout = timeout
        self._job_sets: list[ManagedJobSet] = []

    def run(
        self,
        experiments: Any,
        backend: Any,
        name: str | None = None,
        max_experiments_per_job: int | None = None,
        job_tags: Iterable[str] | None = None,
        **run_config: Any,
    ) -> ManagedJobSet:
        """Split experiments into jobs, queue them and return the set at once.

        Each job runs in a process of its own, so that it can be stopped. The jobs of a service's backend are submitted
        from this process, one after another, and watched; where the service limits their number, they wait.

        Parameters
        ----------
        experiments
            Circuits; or, for a program, a list of inputs: mappings of names to values, or values of its first argument.
        backend
            What runs them: a backend, the name of a simulator (see `Deck.backends`), or a program as `Deck.run` takes
            it, which is called with one of the experiments after another.
        name
            What the set is called; None calls it by the date and the time.
        max_experiments_per_job
            At most so many in one job; None, or more than the backend allows, means as many as it allows.
        job_tags
            Words to find the set and its jobs by.
        **run_config
            What ``backend.run`` gets beside the circuits, such as ``shots``; for a program, inputs that all have.

        Raises
        ------
        InvalidInputError, UnpicklableError
            Something is wrong with what was given. Nothing was queued.
        """
        deck = self._deck
        some = _listed(experiments)
        backend = unwrapped(_resolved(deck, backend))
        how = RunOptions.checked(
            backend=None,
            name=name or time.strftime("%Y-%m-%d %H:%M:%S"),
            tags=job_tags or (),
            engine=self._engine,
            timeout=self._timeout,
            metadata=None,
            options=None,
        )
        parts = list(map(Experiments, parts_of(some, _most(backend, max_experiments_per_job))))
        group = NewGroup(
            KIND,
            str(how.name),
            how.tags,
            {
                "backend": _title(backend),
                "counts": list(map(len, parts)),
                "names": _names(some),
            },
            len(parts),
        )
        if hasattr(backend, "run") and runs_elsewhere(backend):
            made = self._submit(deck, backend, parts, group, run_config)
        else:
            made = self._queue(deck, backend, parts, group, how, run_config)
        self._job_sets.append(made)
        return made

    def report(self, detailed: bool = True) -> str:
        """Return how many jobs of this manager's sets are where, and, in detail, how each job is."""
        parts = [job_set.managed_jobs() for job_set in self._job_sets]
        statuses = [[part.status() for part in some] for some in parts]
        lines = ["Summary report:", *summary(list(chain.from_iterable(statuses)))]
        if detailed:
            lines += ["", "Detail report:"]
            for job_set, some, told in zip(self._job_sets, parts, statuses, strict=True):
                lines += [f"  Job set name: {job_set.name}, ID: {job_set.job_set_id()}", *details(some, told)]
        return "\n".join(lines)

    def job_sets(self, name: str | None = None) -> list[ManagedJobSet]:
        """Return the sets that this manager has made or retrieved, all or those of this name."""
        return [job_set for job_set in self._job_sets if name is None or job_set.name == name]

    def retrieve_job_set(self, job_set_id: str, provider: Any = None, refresh: bool = False) -> ManagedJobSet:
        """Return a set by its id, from whatever kernel it came.

        Parameters
        ----------
        job_set_id
            What ``job_set_id()`` returned.
        provider
            Not needed; there for code that was written for a service.
        refresh
            Whether to read its results anew, rather than to return the same object as before.

        Raises
        ------
        JobNotFoundError
            There is no such set in this home.
        """
        del provider
        if not isinstance(job_set_id, str):
            raise InvalidInputError(f"a job set's id is a text, not {type(job_set_id).__name__}")
        for place, known in enumerate(self._job_sets):
            if known.job_set_id() == job_set_id:
                if not refresh:
                    return known
                if known._submitting is None:
                    del self._job_sets[place]
                    break
                return known  # its parts are being submitted from here, and nobody else knows of them
        found = retrieve(self._deck._service, job_set_id)
        self._job_sets.append(found)
        return found

    @property
    def _deck(self) -> Deck:
        return self._given_deck or default_deck()

    def _queue(
        self,
        deck: Deck,
        backend: Any,
        parts: Sequence[Experiments],
        group: NewGroup,
        how: RunOptions,
        run_config: Mapping[str, Any],
    ) -> ManagedJobSet:
        """Queue a job in a process of its own for each part."""
        engine = how.engine or deck._engine
        deck._service.engine(engine)
        is_backend = hasattr(backend, "run")
        if is_backend:
            packer = Packer(run_circuits, backend=backend)
            shared: dict[str, Any] = dict(run_config)
        else:
            program = _checked_program(deck, backend, parts, run_config)
            packer = Packer(run_inputs)
            shared = {"program": program, **run_config}
        key = "circuits" if is_backend else "experiments"
        new = []
        start = 0
        for place, part in enumerate(parts):
            try:
                packed = packer.pack({key: part, **shared})
            except UnpicklableError as error:
                raise UnpicklableError(f"experiments {start}-{start + len(part) - 1}: {error}") from error
            start += len(part)
            new.append(
                NewJob(
                    name=f"{group.name}[{place}]",
                    engine=engine,
                    program=packed.program,
                    inputs=packed.inputs,
                    context=packed.context,
                    backend=_title(backend),
                    tags=how.tags,
                    inputs_preview=packed.inputs_preview,
                    timeout=how.timeout,
                    place=place,
                )
            )
        record = add_group(deck._service, group, new)._record
        return ManagedJobSet(deck._service, record, backend=backend)

    def _submit(
        self,
        deck: Deck,
        backend: Any,
        parts: Sequence[Experiments],
        group: NewGroup,
        run_config: Mapping[str, Any],
    ) -> ManagedJobSet:
        """Have each part submitted to a service, from a thread of this process."""
        record = deck.store.add_group(group)
        managed = []
        start = 0
        for part in parts:
            managed.append(ManagedJob(start, len(part)))
            start += len(part)
        named = [
            (job, part, f"{group.name}[{place}]") for place, (job, part) in enumerate(zip(managed, parts, strict=True))
        ]
        made = ManagedJobSet(deck._service, record, parts=managed, backend=backend)
        Submission(deck, backend, named, group.tags, run_config, record.group_id).begin()
        return made


def _listed(experiments: Any) -> list[Any]:
    is_one = hasattr(experiments, "num_qubits") or isinstance(experiments, (str, bytes, Mapping))
    some = [experiments] if is_one or not isinstance(experiments, Iterable) else list(experiments)
    if not some:
        raise InvalidInputError("there are no experiments to run")
    return some


def _resolved(deck: Deck, backend: Any) -> Any:
    """Return a backend for its name; a program is left as it is."""
    if not isinstance(backend, str) or Programs(deck.store).find(backend) is not None:
        return backend
    is_path_or_module = backend.endswith(".py") or "." in backend or "/" in backend
    return backend if is_path_or_module else backend_named(backend)


def _checked_program(
    deck: Deck, program: Any, parts: Iterable[Experiments], shared: Mapping[str, Any]
) -> Any:
    """Check each experiment as an input of the program, and return the program as it travels."""
    uploaded = Programs(deck.store).find(program)
    if uploaded is not None:
        data = ProgramBytes(uploaded.record.data, uploaded.name)
        packer = Packer(data)
        for experiment in chain.from_iterable(parts):
            if isinstance(experiment, Mapping):
                uploaded.inputs({**shared, **experiment})
    else:
        data, packer = program, Packer(program)
    for place, experiment in enumerate(chain.from_iterable(parts)):
        try:
            check_inputs(packer, experiment, shared)
        except (InvalidInputError, UnpicklableError) as error:
            raise type(error)(f"experiment {place}: {error}") from error
    return data


def _most(backend: Any, wanted: int | None) -> int | None:
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1):
        raise InvalidInputError(f"max_experiments_per_job is a whole number above 0, not {wanted!r}")
    limit = getattr(backend, "max_circuits", None)
    if limit is None and callable(getattr(backend, "configuration", None)):
        limit = getattr(backend.configuration(), "max_experiments", None)
    given = [number for number in (wanted, limit) if isinstance(number, int) and number > 0]
    return min(given, default=None)


def _title(backend: Any) -> str:
    return backend_name(backend) if hasattr(backend, "run") else Packer(backend).name


def _names(experiments: Sequence[Any]) -> list[str | None] | None:
    names = list(map(experiment_name, experiments))
    return names if any(name is not None for name in names) else None

"""Sets whose jobs a service runs: submitted from this process, one after another, and watched."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .._errors import InvalidInputError
from .._experiments import Experiments, run_circuits
from .._job import Job
from .._status import is_final
from .job import ManagedJob
from .jobset import ManagedJobSet
from .part import AwaitedPart
from .plan import Plan

if TYPE_CHECKING:
    from .._deck import Deck

_log = logging.getLogger(__name__)

_SIMULATORS: Final = ("qiskit.providers.basic_provider", "qiskit_aer", "qiskit_ibm_runtime.fake_provider")
"""Packages whose providers only make what runs here."""
_LIMIT: Final = re.compile(r"\b3458\b|job limit|(limit|maximum)( number)? (of|on) (\w+ ){0,2}jobs", re.IGNORECASE)
"""How services say that they take no more jobs now; 3458 is IBM's number for it."""
_SHORTEST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 60.0


def runs_elsewhere(backend: Any) -> bool:
    """Tell whether a backend is a service's: it has an account behind it, which must not go into a job's process."""
    if getattr(backend, "service", None) is not None:
        return True
    provider = getattr(backend, "provider", None)
    if callable(provider) and not isinstance(provider, type):
        provider = provider()  # a method in the first version of Qiskit's backends
    return provider is not None and not type(provider).__module__.startswith(_SIMULATORS)


def unwrapped(backend: Any) -> Any:
    """Return the backend inside of one that runs everything as a job: a set makes jobs itself."""
    is_wrapped = type(backend).__module__.startswith(f"{__name__.partition('.')[0]}.qiskit")
    return getattr(backend, "_wrapped", backend) if is_wrapped else backend


def submit_one(deck: Deck, circuits: Experiments, backend: Any, how: Mapping[str, Any], run_config: Any) -> Job[Any]:
    """Submit circuits as one job; `how` is its name and its tags."""
    backend = unwrapped(backend)
    if not callable(getattr(backend, "run", None)):
        raise InvalidInputError(f"a backend has a method run; {type(backend).__name__} has none")
    if runs_elsewhere(backend):
        job: Job[Any] = deck.watch(backend.run(list(circuits), **run_config), **how)
        return job
    return deck.run(run_circuits, inputs={"circuits": circuits, **run_config}, backend=backend, **how)


def submit_all(deck: Deck, plan: Plan) -> ManagedJobSet:
    """Begin to submit the parts of a set to a service, and return the set."""
    record = deck.store.add_group(plan.group)
    submit = functools.partial(_submit_parts, deck, plan, record.group_id)
    parts = submit(dict.fromkeys(range(len(plan.parts))))
    return ManagedJobSet(deck._service, record, parts=[*parts.values()], backend=plan.backend, submit_again=submit)


def _submit_parts(deck: Deck, plan: Plan, group_id: str, wanted: Mapping[int, str | None]) -> dict[int, ManagedJob]:
    """Begin to submit parts by their places; each may be submitted again for a job that has failed."""
    system = type(plan.backend).__module__.partition(".")[0]
    awaited = []
    jobs = {}
    for place, retry_of in wanted.items():
        job = jobs[place] = ManagedJob(plan.starts[place], len(plan.parts[place]))
        awaited.append(AwaitedPart(job, plan.backend_name, system, place, retry_of))
        job.job = deck.watch(awaited[-1], name=plan.job_name(place), tags=plan.how.tags, group=group_id)
    Submission(replace(plan, parts=[plan.parts[place] for place in wanted]), [*jobs.values()], awaited).begin()
    return jobs


def is_job_limit(error: BaseException) -> bool:
    """Tell whether a backend says by this error that it takes no more jobs for now."""
    return any("joblimit" in kind.__name__.lower() for kind in type(error).__mro__) or bool(_LIMIT.search(str(error)))


class Submission:
    """Submits the parts of a set, in a thread. Where the service takes no more, it waits until one of them has ended.

    Parameters
    ----------
    pause
        The first number of seconds to wait where none of the set's own jobs is under way; it doubles up to a minute.
    """

    def __init__(
        self,
        plan: Plan,
        jobs: Sequence[ManagedJob],
        awaited: Sequence[AwaitedPart],
        *,
        pause: float = _SHORTEST_PAUSE,
    ) -> None:
        self._plan = plan
        self._jobs = jobs
        self._awaited = awaited
        self._pause = pause

    def begin(self) -> None:
        """Start the thread. It ends with the last part."""
        threading.Thread(target=self._submit_all, name="jobdeck-submission", daemon=True).start()

    def _submit_all(self) -> None:
        for job, part, circuits in zip(self._jobs, self._awaited, self._plan.parts, strict=True):
            job._settle(self._submit(job, part, circuits), circuits)
            part.ring()
            if job.submit_error is not None:
                _log.warning("%s of set %s: %s", job._label, self._plan.how.name, job.error_message())

    def _submit(self, job: ManagedJob, part: AwaitedPart, circuits: Experiments) -> Callable[[], Job[Any] | None]:
        def submit() -> Job[Any] | None:
            pause = self._pause
            while not job.is_withdrawn:
                try:
                    part.attach(self._plan.backend.run(list(circuits), **self._plan.run_config))
                    break
                except Exception as error:
                    if not is_job_limit(error):
                        raise
                    job.note = f"waiting: the backend takes no more jobs for now ({error})"
                    part.ring()
                self._wait_for_room(job, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            return job.job

        return submit

    def _wait_for_room(self, job: ManagedJob, pause: float) -> None:
        """Wait until one of the set's jobs has ended; where none is under way, or none ends for long, for a while."""
        submitted = [each.job for each in self._jobs if each is not job and each.is_settled and each.job is not None]
        running = [other for other in submitted if not is_final(other.status())]
        for other in running:
            other.future.add_done_callback(lambda _: job._stirred.set())
        job._stirred.wait(_LONGEST_PAUSE if running else pause)
        if not job.is_withdrawn:
            job._stirred.clear()

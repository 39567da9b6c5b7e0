"""How the parts of a set become jobs: each in a process of its own, or, where a service runs them, watched from here."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .._errors import InvalidInputError
from .._experiments import Experiments, run_circuits
from .._job import Job
from .._status import is_final
from .job import ManagedJob

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
    is_wrapped = type(backend).__module__.startswith(f"{__package__.partition('.')[0]}.qiskit")
    return getattr(backend, "_wrapped", backend) if is_wrapped else backend


def submit_circuits(
    deck: Deck,
    circuits: Experiments,
    backend: Any,
    name: str,
    tags: Sequence[str],
    run_config: Mapping[str, Any],
    group: str | None = None,
) -> Job[Any]:
    """Submit some circuits as one job."""
    backend = unwrapped(backend)
    if runs_elsewhere(backend):
        foreign = backend.run(list(circuits), **run_config)
        return deck.watch(foreign, name=name, tags=tags, group=group)
    if group is not None:
        raise InvalidInputError("the jobs of a set that run in processes of their own are queued together")
    return deck.run(run_circuits, inputs={"circuits": circuits, **run_config}, backend=backend, name=name, tags=tags)


def is_job_limit(error: BaseException) -> bool:
    """Tell whether a backend says by this error that it takes no more jobs for now."""
    return any("joblimit" in kind.__name__.lower() for kind in type(error).__mro__) or bool(_LIMIT.search(str(error)))


class Submission:
    """Submits the parts of a set to a service one after another, in a thread, and waits where it takes no more.

    Parameters
    ----------
    parts
        Each with its experiments and the name of its job.
    """

    def __init__(
        self,
        deck: Deck,
        backend: Any,
        parts: Sequence[tuple[ManagedJob, Experiments, str]],
        tags: Sequence[str],
        run_config: Mapping[str, Any],
        group: str,
    ) -> None:
        self._deck = deck
        self._backend = backend
        self._parts = parts
        self._tags = tags
        self._run_config = run_config
        self._group = group

    def begin(self) -> None:
        """Start the thread. It ends with the last part."""
        threading.Thread(target=self._submit_all, name="jobdeck-submission", daemon=True).start()

    def _submit_all(self) -> None:
        for part, circuits, name in self._parts:
            part._settle(lambda part=part, circuits=circuits, name=name: self._submit(part, circuits, name), circuits)
            if part.submit_error is not None:
                _log.warning("%s of set %s: %s", part._label, self._group, part.error_message())

    def _submit(self, part: ManagedJob, circuits: Experiments, name: str) -> Job[Any]:
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return submit_circuits(
                    self._deck, circuits, self._backend, name, self._tags, self._run_config, self._group
                )
            except Exception as error:
                if not is_job_limit(error):
                    raise
                part.note = f"waiting: the backend takes no more jobs for now ({error})"
            pause = self._wait_for_room(part, pause)

    def _wait_for_room(self, part: ManagedJob, pause: float) -> float:
        """Wait until one of the set's jobs has ended, or, where none is under way, for a while; return the next pause."""
        running = [each.job for each, _, _ in self._parts if each.job is not None and not is_final(each.job.status())]
        if not running:
            part._withdrawn.wait(pause)
            return min(2 * pause, _LONGEST_PAUSE)
        ended = threading.Event()
        for job in running:
            job.future.add_done_callback(lambda _: ended.set())
        deadline = time.monotonic() + _LONGEST_PAUSE
        while not ended.wait(_SHORTEST_PAUSE) and time.monotonic() < deadline and not part._withdrawn.is_set():
            pass
        return _SHORTEST_PAUSE

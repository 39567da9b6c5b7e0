"""Ray's ``ObjectRef``, of a task or of an actor's method."""

from __future__ import annotations

import functools
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final

from .._status import ErrorKind, JobStatus
from .ports import Reading, Watched
from .seams import Seam, returning

_GONE: Final = "lost: Ray was shut down before it had ended"
_DIED: Final = "lost: the worker or actor that ran it died"
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def adapt(obj: Any) -> Watched | None:
    """Watch what a reference stands for."""
    return WatchedRef(obj) if isinstance(obj, sys.modules["ray"].ObjectRef) else None


def seams() -> Iterator[Seam]:
    """Where tasks are submitted and methods of actors are called."""
    yield returning(sys.modules["ray.remote_function"].RemoteFunction, "_remote", _references)
    yield returning(sys.modules["ray.actor"].ActorMethod, "_remote", _references)


def _references(caller: Any, made: Any) -> Iterator[tuple[Any, str | None]]:
    name = getattr(caller, "_function_name", None) or getattr(caller, "_method_name", None)
    for each in made if isinstance(made, list) else (made,):
        if isinstance(each, sys.modules["ray"].ObjectRef):
            yield each, None if name is None else str(name).rpartition(".")[2]


class RemoteTraceback(Exception):
    """Where an exception was raised, as the process tells in which that was."""


class WatchedRef(Watched):
    """A reference. Cancelling interrupts its task, at its next step in Python; asked again, it ends its worker.

    Ray has a future for it. It is not Ray that is asked, which would start anew where what had the task is gone.

    Parameters
    ----------
    ref : ray.ObjectRef
        The reference.
    """

    system = "ray"
    pace = (0.2, 5.0)

    def __init__(self, ref: Any) -> None:
        self._ref = ref
        self._session = _session()
        self._future: Future[Any] | None = None
        self._times: dict[str, float] = {}
        self._is_asked = False
        self.name = "task"
        self.source = {"id": ref.hex()}
        self.identity = ("ray", ref.hex())

    def read(self) -> Reading:
        facts, times = {"id": str(self.source["id"])}, dict(self._times)
        if self._future is None or not self._future.done():
            if _session() != self._session or self._future is None:
                return Reading(JobStatus.ERROR, facts, error=_GONE, error_kind="lost")
            # Ray does not tell what runs from what waits.
            return Reading(JobStatus.RUNNING, facts, times=times)
        error = self._future.exception()
        if error is None:
            return Reading(JobStatus.DONE, facts, times=times)
        if self._is_stop(error):
            return Reading(JobStatus.CANCELLED, facts, times=times)
        kind, words, cause = _failure(error)
        return Reading(JobStatus.ERROR, facts, error=words, error_kind=kind, exception=cause, times=times)

    def result(self) -> Any:
        return None if self._future is None else self._future.result(timeout=0)

    def cancel(self) -> bool | None:
        if _session() != self._session:
            return False
        is_again, self._is_asked = self._is_asked, True
        # Of an actor's method, Ray refuses the second, with its reason.
        sys.modules["ray"].cancel(self._ref, force=is_again)
        return None

    def on_change(self, wake: Callable[[], None]) -> None:
        if _session() != self._session or self._session is None:
            return
        begun = time.time()
        self._future = self._ref.future()
        if not self._future.done():
            self._times["started"] = begun
        self._future.add_done_callback(functools.partial(self._note_end, wake))

    def _note_end(self, wake: Callable[[], None], _: Future[Any]) -> None:
        if "started" in self._times:
            self._times["ended"] = time.time()
        wake()

    def _is_stop(self, error: BaseException) -> bool:
        kinds = sys.modules["ray"].exceptions
        return isinstance(error, kinds.TaskCancelledError) or (
            self._is_asked and isinstance(error, kinds.WorkerCrashedError)
        )


def _session() -> str | None:
    """Return what tells one run of Ray from another, None if there is none; asking Ray itself may start one."""
    ray = sys.modules["ray"]
    return str(ray.get_runtime_context().get_node_id()) if ray.is_initialized() else None


def _failure(error: BaseException) -> tuple[ErrorKind, str | None, BaseException]:
    """Return what kind of an end an error is, in words where it has none, and what the task raised."""
    kinds = sys.modules["ray"].exceptions
    if isinstance(error, kinds.RayTaskError) and isinstance(getattr(error, "cause", None), BaseException):
        cause: BaseException = error.cause
        if cause.__cause__ is None:
            cause.__cause__ = RemoteTraceback(_COLOURS.sub("", str(error)))
        return "exception", None, cause
    if isinstance(error, kinds.OutOfMemoryError):
        return "memory", None, error
    if isinstance(error, (kinds.WorkerCrashedError, kinds.RayActorError)):
        return "lost", _DIED, error
    if isinstance(error, (kinds.ObjectLostError, kinds.NodeDiedError)):
        return "lost", None, error
    return "exception", None, error

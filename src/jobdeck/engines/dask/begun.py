"""Which jobs have begun: the scheduler keeps it with each task, and every worker asks before it begins one.

Dask runs a task again, and says nothing, where a worker died with it or with its result. What tells that a job has
begun must be safe before its program runs, for whatever comes later may die with the worker. It goes when the
scheduler forgets the task.
"""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import asyncio
from typing import Any, Final

from ..._by_value import by_value
from ..._errors import EngineError
from .travel import key_of

_ASKED: Final = "jobdeck-begin"
_ANSWERED: Final = "jobdeck-answer"


def listen(client: Any) -> None:
    """Have a scheduler answer workers that ask whether a job may begin."""
    client.run_on_scheduler(by_value(listen_there))


def listen_there(dask_scheduler: Any) -> None:
    """Answer, on the scheduler that this is called on, in words that `Permission` knows."""

    def refused(worker: str, key: str, run: str, retries: int) -> str | None:
        task = dask_scheduler.tasks.get(key)
        has_it = task is not None and task.processing_on is not None and task.processing_on.address == worker
        if not has_it:
            return f"the scheduler does not want it to run at {worker} any more"
        if task.metadata is None:
            task.metadata = {}
        runs = task.metadata.setdefault("jobdeck", {})
        if run not in runs and len(runs) > retries:
            return f"the worker at {list(runs.values())[-1]} died while it ran there"
        runs[run] = worker
        return None

    def begin(*, worker: str, key: str, run: str, retries: int, topic: str, event: bytes) -> None:
        reason = refused(worker, key, run, retries)
        if reason is None:
            dask_scheduler.log_event(topic, event)
        dask_scheduler.worker_send(worker, {"op": "jobdeck-answer", "run": run, "refused": reason})

    dask_scheduler.stream_handlers["jobdeck-begin"] = begin


class Permission:
    """Asks the scheduler whether runs of jobs may begin.

    Question and answer travel in the streams that carry Dask's own words about tasks, and mostly together with such:
    that the task before has ended, that the next one is to come. A stream that breaks ends the worker, and whoever
    waits there is told.

    Parameters
    ----------
    worker
        Dask's own object.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._asked: dict[str, asyncio.Future[str | None]] = {}
        worker.stream_handlers[_ANSWERED] = self._hear

    async def refusal(self, job_id: str, run: str, *, retries: int, topic: str, event: bytes) -> str | None:
        """Return why a run of a job must not begin, in words, or None where it may.

        Where it may, the scheduler tells so under `topic` before it answers: the agent learns of it before anything
        runs.

        Parameters
        ----------
        retries
            How often the job may begin again.
        event
            What the scheduler is to tell, packed.

        Raises
        ------
        EngineError
            The scheduler cannot be asked.
        """
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._asked[run] = answer
        try:
            self._worker.batched_stream.send(
                {"op": _ASKED, "key": key_of(job_id), "run": run, "retries": retries, "topic": topic, "event": event}
            )
            return await answer
        except OSError as error:
            raise EngineError(f"the scheduler cannot be asked whether job {job_id} may begin: {error}") from error
        finally:
            del self._asked[run]

    def _hear(self, *, run: str, refused: str | None) -> None:
        answer = self._asked.get(run)
        if answer is not None and not answer.done():
            answer.set_result(refused)

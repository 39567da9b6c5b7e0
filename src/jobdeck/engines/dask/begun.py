"""Which jobs have begun: the scheduler keeps it with each task, and every worker asks before it begins one.

Dask runs a task again, and says nothing, where a worker died with it or with its result. What tells that a job has
begun must be safe before its program runs, for whatever comes later may die with the worker. It goes when the
scheduler forgets the task.
"""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

from typing import Any, Final

from ..._by_value import by_value
from ..._errors import EngineError
from .travel import key_of

_TRIES: Final = 3
"""A connection that was not used for a while may turn out to be closed. To be asked twice about a run does no harm."""


def listen(client: Any) -> None:
    """Have a scheduler answer workers that ask whether a job may begin."""
    client.run_on_scheduler(by_value(listen_there))


def listen_there(dask_scheduler: Any) -> None:
    """Answer, on the scheduler that this is called on, under a name that `refusal` knows."""

    def jobdeck_begin(*, key: str, run: str, worker: str, retries: int, topic: str, event: bytes) -> dict[str, str]:
        task = dask_scheduler.tasks.get(key)
        has_it = task is not None and task.processing_on is not None and task.processing_on.address == worker
        if not has_it:
            return {"refused": f"the scheduler does not want it to run at {worker} any more"}
        if task.metadata is None:
            task.metadata = {}
        runs = task.metadata.setdefault("jobdeck", {})
        if run not in runs and len(runs) > retries:
            return {"refused": f"the worker at {list(runs.values())[-1]} died while it ran there"}
        runs[run] = worker
        dask_scheduler.log_event(topic, event)
        return {}

    dask_scheduler.handlers["jobdeck_begin"] = jobdeck_begin


def refusal(worker: Any, job_id: str, run: str, *, retries: int, topic: str, event: bytes) -> str | None:
    """Ask the scheduler whether a run of a job may begin; return why it must not, in words.

    Where it may, the scheduler tells so under `topic` before it answers: the agent learns of it before anything runs.

    Parameters
    ----------
    worker
        Dask's own object, of which this is called in a thread that runs a task.
    retries
        How often the job may begin again.
    event
        What the scheduler is to tell, packed.

    Raises
    ------
    EngineError
        The scheduler cannot be asked.
    """
    from distributed.utils import sync

    problem: Exception | None = None
    for _ in range(_TRIES):
        try:
            found = sync(
                worker.loop,
                worker.scheduler.jobdeck_begin,
                key=key_of(job_id),
                run=run,
                worker=worker.contact_address,
                retries=retries,
                topic=topic,
                event=event,
            )
        except OSError as error:
            problem = error
        else:
            if found is None:
                raise EngineError(f"the scheduler does not know whether job {job_id} may begin: it knows no jobdeck")
            return None if not found else str(found["refused"])
    raise EngineError(f"the scheduler cannot be asked whether job {job_id} may begin: {problem}")

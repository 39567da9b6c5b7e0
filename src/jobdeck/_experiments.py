"""What the jobs of a set run, in their own processes: a part of its experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ._errors import EncodingError, JobCancelledError, JobError
from ._messenger import Messenger
from ._program import Packer, open_payload
from ._records import Payload

_MOST_NAMED: Final = 3


class Experiments(list[Any]):
    """Some of a set's experiments; on a job's card they read as a few words."""

    def __repr__(self) -> str:
        names = [name for name in map(experiment_name, self[:_MOST_NAMED]) if name]
        many = f"{len(self)} experiment" + ("s" if len(self) != 1 else "")
        return f"<{many}: {', '.join(names)}{', …' if len(self) > len(names) else ''}>" if names else f"<{many}>"


class ProgramBytes(bytes):
    """An uploaded program as an input; on a job's card it reads as its name."""

    name: str

    def __new__(cls, data: bytes, name: str) -> ProgramBytes:
        made = super().__new__(cls, data)
        made.name = name
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ProgramBytes, (bytes(self), self.name)

    def __repr__(self) -> str:
        return f"<program {self.name}>"


def experiment_name(experiment: Any) -> str | None:
    """Return what an experiment is called: a circuit has a name."""
    name = experiment.get("name") if isinstance(experiment, Mapping) else getattr(experiment, "name", None)
    return name if isinstance(name, str) else None


def run_circuits(backend: Any, user_messenger: Messenger, circuits: Iterable[Any], **run_config: Any) -> Any:
    """Run circuits on a backend and return their Result.

    If some of them fail, the Result is published as an interim one, so that those that did not are not lost.

    Raises
    ------
    JobError
        It says which have failed.
    """
    several = list(circuits)
    result = backend.run(several, **run_config).result()
    if getattr(result, "success", True):
        return result
    _keep(result, user_messenger)
    parts = getattr(result, "results", None) or []
    failed = [(place, part) for place, part in enumerate(parts) if not getattr(part, "success", True)]
    # Named as they were given: what failed may come back without its name.
    told = "; ".join(
        f"{experiment_name(several[place]) or place}: {getattr(part, 'status', 'without a word')}"
        for place, part in failed[:_MOST_NAMED]
    )
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    said = f"{len(failed)} of {len(parts)} experiments failed: {told}{more}" if failed else ""
    raise JobError(said or f"the backend reports a failure: {getattr(result, 'status', 'without a word')}")


def run_inputs(user_messenger: Messenger, program: Any, experiments: Iterable[Any], **inputs: Any) -> list[Any]:
    """Run a program with one set of inputs after another, and return the results.

    If it fails with one of them, the results before it are published as an interim one.

    Raises
    ------
    JobError
        It says with which.
    """
    packer = Packer(program)
    several = list(experiments)
    results: list[Any] = []
    for place, experiment in enumerate(several):
        user_messenger.progress(place, len(several))
        try:
            results.append(_opened(packer, experiment, inputs).run(user_messenger))
        except JobCancelledError:
            raise
        except Exception as error:
            _keep(results, user_messenger)
            raise JobError(f"experiment {place} of the {len(several)} of this job failed: {error!r}") from error
    user_messenger.progress(len(several), len(several))
    return results


def check_inputs(packer: Packer, experiment: Any, inputs: Mapping[str, Any]) -> None:
    """Raise what running a program with these inputs would raise at once."""
    _packed(packer, experiment, inputs)


def _packed(packer: Packer, experiment: Any, inputs: Mapping[str, Any]) -> Payload:
    if isinstance(experiment, Mapping):
        packed = packer.pack({**inputs, **experiment})
    else:
        packed = packer.pack_one(experiment, inputs)
    return Payload(packed.program, packed.inputs, packed.context)


def _opened(packer: Packer, experiment: Any, inputs: Mapping[str, Any]) -> Any:
    return open_payload(_packed(packer, experiment, inputs))


def _keep(partial: Any, user_messenger: Messenger) -> None:
    try:
        user_messenger.publish(partial)
    except EncodingError as error:
        print(f"jobdeck: what there is of the results cannot be kept: {error}", flush=True)

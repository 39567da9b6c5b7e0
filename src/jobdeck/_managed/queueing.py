"""Sets whose jobs run in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError, UnpicklableError
from .._experiments import Experiments, ProgramBytes, check_inputs, run_circuits, run_inputs
from .._grouping import add_group
from .._program import Packer
from .._programs import Uploaded
from .._records import NewJob
from .jobset import ManagedJobSet
from .plan import Plan

if TYPE_CHECKING:
    from .._deck import Deck


def queue(deck: Deck, plan: Plan) -> ManagedJobSet:
    """Queue a job for each part.

    Raises
    ------
    InvalidInputError, UnpicklableError
        Something is wrong with an experiment, and which. Nothing was queued.
    """
    engine = plan.how.engine or deck.engine
    deck._service.engines.named(engine)
    parts: Sequence[Experiments] = plan.parts
    if plan.is_of_circuits:
        packer, key, shared = Packer(run_circuits, backend=plan.backend), "circuits", dict(plan.run_config)
    else:
        program, parts = _checked_program(plan)
        packer, key, shared = Packer(run_inputs), "experiments", {"program": program, **plan.run_config}
    new = []
    for place, (start, part) in enumerate(zip(plan.starts, parts, strict=True)):
        try:
            packed = packer.pack({key: part, **shared})
        except UnpicklableError as error:
            raise UnpicklableError(f"experiments {start}-{start + len(part) - 1}: {error}") from error
        new.append(
            NewJob(
                name=plan.job_name(place),
                engine=engine,
                program=packed.program,
                inputs=packed.inputs,
                context=packed.context,
                backend=plan.backend_name,
                tags=plan.how.tags,
                inputs_preview=packed.inputs_preview,
                timeout=plan.how.timeout,
                place=place,
            )
        )
    group = add_group(deck._service, plan.group, new)
    return ManagedJobSet(deck._service, group._record, backend=plan.backend if plan.is_of_circuits else None)


def _checked_program(plan: Plan) -> tuple[Any, list[Experiments]]:
    """Check each experiment as inputs of the program; return it as it travels, and them with defaults filled in."""
    uploaded = plan.backend if isinstance(plan.backend, Uploaded) else None
    program = plan.backend if uploaded is None else ProgramBytes(uploaded.record.data, uploaded.name)
    packer = Packer(program)
    parts = [Experiments(part) for part in plan.parts]
    for start, part in zip(plan.starts, parts, strict=True):
        for place, experiment in enumerate(part):
            try:
                if uploaded is not None and isinstance(experiment, Mapping):
                    part[place] = uploaded.inputs({**plan.run_config, **experiment})
                check_inputs(packer, part[place], plan.run_config)
            except (InvalidInputError, UnpicklableError) as error:
                raise type(error)(f"experiment {start + place}: {error}") from error
    return program, parts

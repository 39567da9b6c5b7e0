"""Sets whose jobs run in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._errors import InvalidInputError, UnpicklableError
from .._experiments import ProgramBytes, check_inputs, run_circuits, run_inputs
from .._grouping import add_group
from .._program import Packer
from .._programs import Programs
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
    engine = plan.how.engine or deck._engine
    deck._service.engine(engine)
    if plan.is_of_circuits:
        packer, key, shared = Packer(run_circuits, backend=plan.backend), "circuits", dict(plan.run_config)
    else:
        packer, key = Packer(run_inputs), "experiments"
        shared = {"program": _checked_program(deck, plan), **plan.run_config}
    new = []
    for place, (start, part) in enumerate(zip(plan.starts, plan.parts, strict=True)):
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
    return ManagedJobSet(deck._service, group._record, backend=plan.backend)


def _checked_program(deck: Deck, plan: Plan) -> Any:
    """Check each experiment as inputs of the program, and return the program as it travels."""
    uploaded = Programs(deck.store).find(plan.backend)
    program = plan.backend if uploaded is None else ProgramBytes(uploaded.record.data, uploaded.name)
    packer = Packer(program)
    for place, experiment in enumerate(experiment for part in plan.parts for experiment in part):
        try:
            if uploaded is not None and isinstance(experiment, Mapping):
                uploaded.inputs({**plan.run_config, **experiment})
            check_inputs(packer, experiment, plan.run_config)
        except (InvalidInputError, UnpicklableError) as error:
            raise type(error)(f"experiment {place}: {error}") from error
    return program

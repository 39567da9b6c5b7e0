"""Making groups of jobs: one program with many inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any, Final

from ._arguments import checked_count, checked_text
from ._errors import InvalidInputError, StoreError, UnpicklableError
from ._group import Before, JobGroup, ids_before
from ._options import RunOptions, checked_tags
from ._order import Order
from ._plain import a_kind
from ._program import Packed, Packer
from ._programs import Programs, Uploaded
from ._records import GroupQuery, NewGroup, NewJob
from ._service import JobService

AT_ONCE: Final = 1_000
"""Jobs of one transaction, so that programs that publish do not wait for long."""
_MOST: Final = 1_000_000
"""Combinations of a sweep; a slip in a grid makes more of them than a machine can hold."""


class Grouping:
    """The part of a deck that makes groups of jobs, and finds them."""

    _service: JobService
    _engine: str | None

    def map(
        self,
        program: Any,
        inputs_list: Iterable[Any],
        *,
        inputs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        backend: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        engine: Any = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        after: Before = (),
    ) -> JobGroup[Any]:
        """Run a program once for each of many inputs, as a group of jobs, and return the group at once.

        Parameters
        ----------
        program
            See `Deck.run`. It is sent once, however many jobs there are.
        inputs_list
            For each job a mapping of inputs by name; anything else is the program's first argument that `inputs` leave
            open. A generator is read to its end before the first job is queued.
        inputs
            Inputs that all jobs have.
        options, backend, tags, engine, timeout, metadata, after
            Of each job; see `Deck.run`. The group has the tags and the metadata, too.
        name
            What the group is called; its jobs are called ``name[0]``, ``name[1]``, … None calls it like the program.

        Raises
        ------
        InvalidInputError, UnpicklableError
            Something is wrong with what was given; the text names the place in the list. Nothing was queued.
        EngineError
            Nothing can run it.
        """
        if isinstance(inputs_list, (str, bytes, Mapping)) or not isinstance(inputs_list, Iterable):
            hint = "; for all combinations of lists of values, use sweep" if isinstance(inputs_list, Mapping) else ""
            raise InvalidInputError(f"inputs_list is a list of inputs, not {a_kind(inputs_list)}{hint}")
        how = RunOptions.checked(
            backend=backend, name=name, tags=tags, engine=engine, timeout=timeout, metadata=metadata, options=options
        )
        return self._add_group("map", program, inputs_list, inputs, "inputs_list[{}]", how=how, after=ids_before(after))

    def sweep(
        self,
        program: Any,
        grid: Mapping[str, Iterable[Any]],
        *,
        inputs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        backend: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        engine: Any = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        after: Before = (),
    ) -> JobGroup[Any]:
        """Run a program once for each combination of values, as a group of jobs, and return the group at once.

        Parameters
        ----------
        program
            See `Deck.run`.
        grid
            Lists of values by the name of the input, such as ``{"r": [0.5, 0.7], "ansatz": ["uccsd", "hea"]}``. The
            last one varies fastest.
        inputs
            Inputs that all jobs have.
        options, backend, name, tags, engine, timeout, metadata, after
            See `map`.

        Raises
        ------
        InvalidInputError, UnpicklableError
            Something is wrong with what was given. Nothing was queued.
        EngineError
            Nothing can run it.
        """
        how = RunOptions.checked(
            backend=backend, name=name, tags=tags, engine=engine, timeout=timeout, metadata=metadata, options=options
        )
        points = _combinations(grid)
        place = "combination {} of the grid"
        return self._add_group("sweep", program, points, inputs, place, how=how, after=ids_before(after))

    def group(self, group_id: str) -> JobGroup[Any]:
        """Return a group of jobs from whatever kernel it came. JobNotFoundError if it is not in this home."""
        if not isinstance(group_id, str):
            raise InvalidInputError(f"a group id is a text, not {type(group_id).__name__}")
        return self._service.group(group_id)

    def groups(
        self,
        limit: int | None = None,
        skip: int = 0,
        *,
        kind: str | None = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        descending: bool = True,
    ) -> list[JobGroup[Any]]:
        """Return groups of jobs, the newest first. Whatever is given has to hold.

        Parameters
        ----------
        limit, skip
            At most so many, after so many.
        kind
            What made them: ``map``, ``sweep``, ``set``, ``session``, ``batch``, ``executor``.
        name
            Part of the name, in upper or lower case.
        tags
            All of these.
        descending
            Newest first, or oldest first.
        """
        query = GroupQuery(
            checked_count("limit", limit),
            checked_count("skip", skip) or 0,
            checked_text("kind", kind),
            checked_text("name", name),
            checked_tags(tags),
            None,
            descending,
        )
        return [JobGroup(self._service, record) for record in self._service.store.groups(query)]

    def _add_group(
        self,
        kind: str,
        program: Any,
        inputs_list: Iterable[Any],
        common: Mapping[str, Any] | None,
        words: str,
        *,
        how: RunOptions,
        after: tuple[str, ...],
    ) -> JobGroup[Any]:
        for job_id in after:
            self._service.store.job(job_id)
        engine = self._service.engines.chosen(how.engine if how.engine is not None else self._engine, how.metadata)
        order = Order(engine, how, program, Programs(self._service.store).find(program))
        packer = Packer(order.program, backend=how.backend, log_level=how.log_level, by_reference=engine.shares_memory)
        base = order.name(packer.name)
        new = [
            order.row(packed, f"{base}[{place}]", after, place=place)
            for place, packed in enumerate(_packed(packer, inputs_list, common, order.uploaded, words))
        ]
        return add_group(self._service, NewGroup(kind, base, how.tags, how.metadata, len(new)), new)


def add_group(service: JobService, group: NewGroup, new: Sequence[NewJob]) -> JobGroup[Any]:
    """Queue jobs as a new group.

    Raises
    ------
    StoreError
        The store cannot be used any more. What was queued by then goes on; the text says how much that is.
    """
    record = service.store.add_group(group)
    for begin in range(0, len(new), AT_ONCE):
        try:
            service.add_jobs([replace(each, group_id=record.group_id) for each in new[begin : begin + AT_ONCE]])
        except StoreError as error:
            queued = f"{begin:,} of {len(new):,} jobs of group {record.name!r} ({record.group_id}) were queued"
            raise StoreError(f"{queued}, the others were not: {error}") from error
    service.look()
    return JobGroup(service, record)


def _packed(
    packer: Packer,
    inputs_list: Iterable[Any],
    common: Mapping[str, Any] | None,
    uploaded: Uploaded | None,
    words: str,
) -> Iterator[Packed]:
    """Pack the inputs of one job after the other; `words` say in an error whose they are, with ``{}`` for its place."""
    if common is not None and not isinstance(common, Mapping):
        raise InvalidInputError(f"inputs is a mapping of names to values, not {a_kind(common)}")
    for place, item in enumerate(inputs_list):
        is_named = isinstance(item, Mapping)
        try:
            if uploaded is not None and (is_named or uploaded.takes_names):
                named = item if is_named else {uploaded.first_open(common or {}): item}
                yield packer.pack(uploaded.inputs({**(common or {}), **named}))
            elif is_named:
                yield packer.pack({**(common or {}), **item})
            else:
                yield packer.pack_one(item, common)
        except UnpicklableError as error:
            raise UnpicklableError(f"{words.format(place)}: {error}") from error
        except InvalidInputError as error:
            hint = "" if is_named else "; an item that is no mapping of names to values is one argument"
            raise InvalidInputError(f"{words.format(place)}: {error}{hint}") from None


def _combinations(grid: Mapping[str, Iterable[Any]]) -> Iterator[dict[str, Any]]:
    if not isinstance(grid, Mapping) or not grid:
        raise InvalidInputError('grid is a mapping of names to lists of values, such as {"r": [0.5, 0.7]}')
    values = []
    for name, some in grid.items():
        if isinstance(some, (str, bytes, Mapping)) or not isinstance(some, Iterable):
            raise InvalidInputError(f"grid[{name!r}] is a list of values, not {a_kind(some)}")
        values.append(list(islice(some, _MOST + 1)))
        if not values[-1]:
            raise InvalidInputError(f"grid[{name!r}] has no values")
        if prod(map(len, values)) > _MOST:
            raise InvalidInputError(f"grid has more than {_MOST:,} combinations; sweep a part of it at a time")
    return (dict(zip(grid, combination, strict=True)) for combination in product(*values))

"""Which job is to be looked at when."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable
from weakref import ref

from .foreign import Foreign
from .ports import Watched

Kind = tuple[type[Watched], Hashable]


class Agenda:
    """The next look at each job, which it does not keep alive. One thread uses it."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, int, ref[Foreign]]] = []
        self._order = itertools.count()

    def plan(self, foreign: Foreign, when: float) -> None:
        """Look at this job at that time, and not when it was planned before."""
        foreign.due = when
        heapq.heappush(self._looks, (when, next(self._order), ref(foreign)))

    def take_due(self, now: float) -> list[Foreign]:
        """Return the jobs whose time has come."""
        due: list[Foreign] = []
        while self._looks and self._looks[0][0] <= now:
            when, _, planned = heapq.heappop(self._looks)
            foreign = planned()
            if foreign is not None and when == foreign.due and not foreign.is_over:
                due.append(foreign)
        return due

    def pause(self, now: float) -> float | None:
        """Return the seconds until the next look, None if there is none."""
        return max(self._looks[0][0] - now, 0.0) if self._looks else None


def kind_of(foreign: Foreign) -> Kind | None:
    """Return what jobs have in common that are read together; None for one that is read alone."""
    key = foreign.watched.bulk_key
    return None if key is None else (type(foreign.watched), key)


def companions(due: list[Foreign], others: Iterable[Foreign], now: float) -> list[Foreign]:
    """Return the jobs that are due soon and can be read together with one that is due now."""
    kinds = {kind_of(foreign) for foreign in due} - {None}
    if not kinds:
        return []
    taken = set(map(id, due))
    return [
        other
        for other in others
        if id(other) not in taken
        and not (other.is_busy or other.is_over or other.is_done)
        and kind_of(other) in kinds
        and other.due - now < other.pace.pause(now) / 2
    ]

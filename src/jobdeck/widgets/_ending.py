"""Writes the last state of jobs into the output in which they were shown.

A notebook is saved as the front end knows it, and most front ends know an output only as it was sent: without one last
update a finished job would be kept as running for ever. The update goes out as soon as the jobs have ended. A message
belongs to the cell that runs while it is sent, and a client that runs a notebook from a program hears only what belongs
to the cell that it waits for; so whatever ended between two cells is told once more within the next one.

A group that has ended may get jobs again, such as those that failed and are retried: its output is attended to on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from .._errors import JobdeckError, JobNotFoundError, StoreError
from .._feed import PUMP
from .._follow import Follower, Update
from .._ports import Layout, Store
from .._records import JobQuery, JobRecord
from .._status import is_final
from .._still import make_bundle
from ._widget import JobsWidget

_log = logging.getLogger(__name__)


_RETRY_INTERVAL: Final = 1.0
_MOST_RESTING: Final = 32
"""Outputs of groups that have ended, which are attended to for jobs to come; beyond them the oldest are not."""


class _Ending:
    """One output whose jobs have not all ended. Told by the feeds' thread or by the cell that runs, once.

    That of a group rests then, or from the start if `is_told`, until the group has a job again.
    """

    def __init__(
        self, output: Output, follower: Follower, open_jobs: set[str], endings: Endings, *, is_told: bool = False
    ) -> None:
        self._output = output
        self._open = open_jobs
        self._ended: set[str] = set()
        self._is_known = output.group_id is None
        self._endings = endings
        self._lock = threading.Lock()
        self._news_lock = threading.Lock()
        self._is_told = is_told
        self._due: float | None = None
        PUMP.add(self)
        followed = frozenset(open_jobs) if self._is_known else None
        self._subscription = follower.subscribe(self._hear, job_ids=followed, prompt=False)
        if not self._is_known:
            # Who follows all jobs is not told of those that have ended by then: they are looked for after it.
            found = output.unfinished()
            with self._news_lock:
                self._open = found - self._ended
                self._is_known = True
            self._end_if_over()

    def _hear(self, update: Update) -> None:
        own = [record for record in update.jobs if self._output.is_about(record)]
        ended = {record.job_id for record in own if is_final(record.status)}.union(update.deleted)
        with self._news_lock:
            # A group may get jobs, such as those that are run again.
            self._open = self._open.union(record.job_id for record in own) - ended
            is_stirred = self._is_told and any(record.job_id not in self._ended for record in own)
            self._ended |= ended
            if is_stirred:
                self._is_told = False
        if is_stirred:
            self._endings.stirred(self._output, self)
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._is_known and not self._is_told and not self._open and self._due is None:
            self._due = 0.0
            PUMP.wake(self)

    def due(self) -> float | None:
        """Return when to tell (see `Pump`)."""
        return self._due

    def turn(self) -> None:
        """Tell, from the feeds' thread."""
        try:
            self.tell()
        except StoreError:
            self._due = time.monotonic() + _RETRY_INTERVAL
            raise

    def tell_if_over(self) -> None:
        """Tell, from the cell that runs, if all is over by now; the follower may not have said so yet."""
        if not self._output.unfinished(self._open):
            self.tell()

    def tell(self) -> None:
        with self._lock:
            if self._is_told:
                return
            # A cell that ends meanwhile waits for this lock: what began within it is sent within it.
            is_in_cell = self._endings.is_in_cell
            self._output.publish()
            with self._news_lock:
                # What the follower has still to say of the end of these is no news.
                self._ended |= self._open
                self._open = set()
                self._is_told, self._due = True, None
        self._endings.told(self._output, self, is_in_cell)

    def close(self) -> None:
        self._subscription.close()
        PUMP.remove(self)


@dataclass(frozen=True)
class Output:
    """Where jobs are shown: a widget, and the display that holds it."""

    shell: Any
    store: Store
    widget: JobsWidget
    layout: Layout
    display_id: str
    group_id: str | None = None

    def is_about(self, record: JobRecord) -> bool:
        """Tell whether the output's end depends on this job, of those that it hears of."""
        return self.group_id is None or record.group_id == self.group_id

    def unfinished(self, job_ids: Collection[str] = ()) -> set[str]:
        """Return those of these jobs, or of the output's group, that are in the store and may still change."""
        if self.group_id is None:
            found = self.store.jobs(JobQuery(job_ids=tuple(job_ids))) if job_ids else []
            return {record.job_id for record in found if not is_final(record.status)}
        with suppress(JobNotFoundError):
            members = self.store.members(self.group_id)
            return {member.job_id for member in members if not is_final(member.status)}
        return set()

    def publish(self) -> None:
        """Replace what the output holds by the jobs as they are now."""
        try:
            group = self.widget.group()
        except JobNotFoundError:
            return  # it was deleted: the output keeps what it told last
        snapshot, deck = self.widget.snapshot(), self.widget.deck()
        # Somebody may have closed the widget: the output still has to tell how its jobs ended.
        model_id = None if self.widget.comm is None else self.widget.model_id
        job_ids = self.widget.job_ids if group is None else ()
        bundle = make_bundle(snapshot, job_ids, self.layout, deck=deck, group=group, model_id=model_id)
        self.widget.settle(snapshot, deck)
        self.shell.display_pub.publish(data=bundle, metadata={}, transient={"display_id": self.display_id}, update=True)


class Endings:
    """All outputs of a kernel that wait for the end of their jobs. Takes part in the running of cells for that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _Ending] = {}
        self._resting: dict[str, _Ending] = {}
        self._again: dict[str, Output] = {}
        self._shell: Any | None = None
        self._is_in_cell = False
        self._idle_since = 0.0

    @property
    def idle_for(self) -> float:
        """Seconds for which no cell has run; 0 while one does."""
        return 0.0 if self._is_in_cell else time.monotonic() - self._idle_since

    def expect(self, output: Output, follower: Follower, job_ids: Collection[str] = ()) -> None:
        """Update `output` once its group has ended, or these jobs, which are those that it does not show as ended."""
        is_over = not (job_ids or output.unfinished())
        if is_over and output.group_id is None:
            return
        self.attend(output.shell)
        ending = _Ending(output, follower, set(job_ids), self, is_told=is_over)
        with self._lock:
            kept = (self._waiting, self._resting)
            closed = [each.pop(output.display_id) for each in kept if output.display_id in each]
            (self._resting if is_over else self._waiting)[output.display_id] = ending
            closed += self._forget_oldest()
        for previous in closed:
            previous.close()

    @property
    def is_in_cell(self) -> bool:
        """Tell whether a cell runs."""
        return self._is_in_cell

    def told(self, output: Output, ending: _Ending, was_in_cell: bool) -> None:
        """Take note that an output was updated, for some cell or for none."""
        with self._lock:
            closed = [ending]
            if self._waiting.get(output.display_id) is ending:
                del self._waiting[output.display_id]
                if output.group_id is not None:
                    self._resting[output.display_id] = ending
                    closed = self._forget_oldest()
            if not was_in_cell:
                self._again[output.display_id] = output
        for each in closed:
            each.close()

    def stirred(self, output: Output, ending: _Ending) -> None:
        """Take note that a group has jobs again, whose end is to be told."""
        with self._lock:
            if self._resting.get(output.display_id) is ending:
                self._waiting[output.display_id] = self._resting.pop(output.display_id)

    def _forget_oldest(self) -> list[_Ending]:
        """Return outputs that rest and are too many, to be closed."""
        return [self._resting.pop(next(iter(self._resting))) for _ in range(len(self._resting) - _MOST_RESTING)]

    def attend(self, shell: Any) -> None:
        """Hear from now on when cells run; called while one does."""
        with self._lock:
            if self._shell is shell:
                return
            self._shell = shell
            self._is_in_cell = True
        shell.events.register("pre_run_cell", self._begin_cell)
        shell.events.register("post_run_cell", self._end_cell)

    def _begin_cell(self, *_: object) -> None:
        self._is_in_cell = True

    def _end_cell(self, *_: object) -> None:
        with self._lock:
            waiting = list(self._waiting.values())
            again, self._again = list(self._again.values()), {}
        try:
            for output in again:
                output.publish()
            for ending in waiting:
                ending.tell_if_over()
        except JobdeckError:
            _log.exception("the last state of jobs could not be written into their output")
        self._idle_since = time.monotonic()
        self._is_in_cell = False


ENDINGS: Final = Endings()

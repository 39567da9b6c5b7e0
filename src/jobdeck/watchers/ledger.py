"""What was seen and the store does not know yet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from .._codec import RuntimeEncoder, encode
from .._errors import EncodingError, JobNotFoundError, RuntimeInvalidStateError, StoreError
from .._ports import Store
from .._program.preview import preview
from .._records import Command, Sighting
from .foreign import Foreign
from .ports import Reading

_log = logging.getLogger(__name__)

_ROLL: Final = 1.0
"""Seconds between looks at which jobs are still this bridge's."""


class Ledger:
    """Collects what is seen of the jobs of one bridge and writes it down, all of it in one transaction.

    Parameters
    ----------
    store
        Gives the store.
    agent
        The bridge's name.
    clock
        Seconds that only grow.
    """

    def __init__(self, store: Callable[[], Store], agent: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._agent = agent
        self._clock = clock
        self._next_roll = 0.0
        self._sightings: dict[str, Sighting] = {}
        self._messages: dict[str, list[str]] = {}
        self._output: dict[str, bytes] = {}
        self._version: int | None = None
        self.job_ids: frozenset[str] | None = None
        """The jobs that the store says are this bridge's; None where it was not asked."""

    @property
    def is_empty(self) -> bool:
        """Whether the store knows all."""
        return not (self._sightings or self._messages or self._output)

    def say(self, foreign: Foreign, sighting: Sighting | None) -> None:
        """Put down what was seen of a job."""
        if sighting is not None:
            earlier = self._sightings.get(foreign.job_id)
            self._sightings[foreign.job_id] = sighting if earlier is None else merged(earlier, sighting)

    def say_words(self, foreign: Foreign, reading: Reading) -> None:
        """Put down what a job has said."""
        for message in reading.messages:
            self._messages.setdefault(foreign.job_id, []).append(_body(message))
        if reading.output:
            self._output[foreign.job_id] = self._output.get(foreign.job_id, b"") + bytes(reading.output)

    def forget(self, foreign: Foreign) -> None:
        """Drop what was not written of a job that is none of this bridge's any more."""
        for left in (self._sightings, self._messages, self._output):
            left.pop(foreign.job_id, None)

    def write(self) -> tuple[Collection[str], tuple[Command, ...]]:
        """Write all down.

        Returns
        -------
        The jobs of which something was written, and requests to stop jobs.

        Raises
        ------
        StoreError
            It cannot be written now, and is kept.
        """
        store = self._store()
        self._write_words(store)
        self.job_ids = None
        version = store.data_version()
        if not self._sightings and version == self._version:
            return (), ()
        said = dict(self._sightings)
        # Thousands of jobs are not gone through at each of many turns a second.
        with_jobs = self._clock() >= self._next_roll
        try:
            turn = store.watch_turn(self._agent, said, with_jobs=with_jobs)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - one job's odd words must not keep the others from being written
            said, turn = self._write_singly(store, said)
        if turn.job_ids is not None:
            self._next_roll = self._clock() + _ROLL
        # As it was before: what others write meanwhile is seen by the next turn. So is who has taken a job away.
        self._version, self.job_ids = version if with_jobs else None, turn.job_ids
        for job_id in said:
            del self._sightings[job_id]
        return said, turn.commands

    def _write_singly(self, store: Store, said: Mapping[str, Sighting]) -> Any:
        commands: list[Command] = []
        for job_id, sighting in said.items():
            try:
                commands += store.watch_turn(self._agent, {job_id: sighting}).commands
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - as above
                _log.exception("what was seen of job %s cannot be written down", job_id)
        turn = store.watch_turn(self._agent, {})
        return said, type(turn)((*commands, *turn.commands), turn.job_ids)

    def _write_words(self, store: Store) -> None:
        for job_id in list(self._messages):
            bodies = self._messages[job_id]
            try:
                while bodies:
                    store.add_message(job_id, bodies[0])
                    del bodies[0]
            except (JobNotFoundError, RuntimeInvalidStateError):
                pass  # it was deleted, or somebody has closed it: there is nobody to tell
            del self._messages[job_id]
        for job_id, output in list(self._output.items()):
            try:
                with open(store.log_path(job_id), "ab") as log:
                    log.write(output)
            except (OSError, JobNotFoundError) as error:
                _log.warning("what job %s wrote cannot be kept: %s", job_id, error)
            del self._output[job_id]


def merged(earlier: Sighting, later: Sighting) -> Sighting:
    """Return two sightings of one job as one."""
    told = {
        name: getattr(earlier if getattr(later, name) is None else later, name)
        for name in ("status", "facts", "source", "progress", "cancel", "verdict", "outcome")
    }
    return Sighting(**told, times={**earlier.times, **later.times})


def _body(message: Any) -> str:
    try:
        return encode(message, RuntimeEncoder)
    except EncodingError:
        return encode(preview(message), RuntimeEncoder)

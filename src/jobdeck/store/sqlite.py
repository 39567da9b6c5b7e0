"""The store on SQLite: each method of the port is one transaction.

It is as long as the port is wide; what a method does is in the modules beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from .._records import (
    Changes,
    Command,
    CommandKind,
    GroupQuery,
    GroupRecord,
    JobQuery,
    JobRecord,
    LastWords,
    Member,
    MessageRecord,
    NewGroup,
    NewJob,
    News,
    Outcome,
    Payload,
    PayloadKeys,
    ProgramRecord,
    Pruned,
    Sighting,
    Tally,
    WatchTurn,
)
from .._status import Exit, JobStatus
from . import (
    adding,
    blobs,
    commands,
    description,
    endings,
    groups,
    jobs,
    kept,
    messages,
    programs,
    queue,
    reserve,
    retention,
    settings,
    waits,
    watched,
)
from .blobs import Blob
from .commands import Asked
from .connection import Database, Link
from .endings import Bodies
from .home import OUTPUT, default_home, output_path, size_of
from .jobs import Deleted, Tagged
from .journal import FileSystem, file_system_type
from .rows import text

T = TypeVar("T")


class SQLiteStore:
    """Implements `jobdeck._ports.Store`; `open_store` makes one.

    It may be used from any thread, and in a process that was forked from the one that opened it.

    Parameters
    ----------
    home
        Absolute path of the home; made where there is none.
    file_system
        Tells the type of the file system that holds the home.
    """

    def __init__(self, home: Path, *, file_system: FileSystem = file_system_type) -> None:
        self.home = home
        self._db = Database(home, file_system)
        self._outputs = os.path.join(home, OUTPUT, "")

    @property
    def store_id(self) -> str:
        """Six characters with which the ids of this store's jobs begin."""
        return self._db.run(lambda link: link.store_id)

    # --- the submitting side

    def add_job(self, new: NewJob) -> JobRecord:
        with ExitStack() as stack:
            return self._db.write(adding.add, [new], self._distinct(stack, [new]))[0]

    def add_jobs(self, several: Sequence[NewJob]) -> list[JobRecord]:
        with ExitStack() as stack:
            return self._db.write(adding.add, several, self._distinct(stack, several)) if several else []

    def submit_job(self, job_id: str) -> JobRecord:
        return self._db.write(jobs.submit, job_id)

    def payload(self, job_id: str) -> Payload:
        return self._db.read(jobs.payload, job_id)

    def payloads(self, job_ids: Collection[str]) -> dict[str, Payload]:
        return self._db.read(jobs.payloads, job_ids)

    def ask(self, job_id: str, kind: CommandKind, origin: str) -> JobRecord:
        return self._db.write_even_if_full(commands.ask, job_id, kind, origin)

    def delete_job(self, job_id: str) -> None:
        self._unlink(self._db.write(jobs.delete, job_id))
        self._db.run(jobs.unlink_outputs, [job_id])

    def update_tags(self, job_id: str, tags: Sequence[str]) -> None:
        self._db.write(jobs.update_tags, job_id, tags)

    def ask_many(self, job_ids: Collection[str], kind: CommandKind, origin: str) -> dict[str, Asked]:
        return self._db.write_even_if_full(commands.ask_many, job_ids, kind, origin)

    def drop_jobs(self, job_ids: Collection[str]) -> list[str]:
        return self._db.write(commands.drop, job_ids)

    def delete_many(self, job_ids: Collection[str]) -> dict[str, Deleted]:
        became, unused = self._db.write(jobs.delete_many, job_ids)
        self._unlink(unused)
        self._db.run(jobs.unlink_outputs, [job_id for job_id in became if became[job_id] == "deleted"])
        return became

    def edit_tags(self, job_ids: Collection[str], add: Sequence[str], remove: Collection[str]) -> dict[str, Tagged]:
        return self._db.write(jobs.edit_tags, job_ids, add, remove)

    # --- groups

    def add_group(self, new: NewGroup) -> GroupRecord:
        return self._db.write(groups.add, new)

    def group(self, group_id: str) -> GroupRecord:
        return self._db.run(groups.get, group_id)

    def groups(self, query: GroupQuery) -> list[GroupRecord]:
        return self._db.run(groups.find, query)

    def update_group(
        self,
        group_id: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        total: int | None = None,
    ) -> GroupRecord:
        return self._db.write(groups.update, group_id, name=name, tags=tags, metadata=metadata, total=total)

    def members(self, group_id: str) -> list[Member]:
        return self._db.read(groups.members, group_id)

    # --- programs

    def put_program(self, data: bytes, metadata: Mapping[str, Any], program_id: str | None = None) -> str:
        with ExitStack() as stack:
            (body,) = self._prepared(stack, data)
            name, unused = self._db.write(programs.put, body, metadata, program_id)
        self._unlink(unused)
        return name

    def program(self, program_id: str) -> ProgramRecord:
        return self._db.read(programs.get, program_id)

    def programs(self) -> list[ProgramRecord]:
        return self._db.read(programs.get_all)

    def delete_program(self, program_id: str) -> None:
        self._unlink(self._db.write(programs.delete, program_id))

    # --- the running side

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        stored = text(body)
        # No character takes more than four bytes, so that most bodies need not be encoded to be measured.
        if len(stored) * 4 <= blobs.INLINE or len(large := stored.encode()) <= blobs.INLINE:
            return self._db.insert(messages.add, job_id, stored, final)
        with ExitStack() as stack:
            (blob,) = self._prepared(stack, large)
            return self._db.write_in_turn(messages.add, job_id, blob, final)

    def add_messages(self, several: Sequence[tuple[str, str, bool]]) -> None:
        with ExitStack() as stack:
            stored: list[tuple[str, str | Blob, bool]] = []
            for job_id, body, final in several:
                words = text(body)
                is_small = len(words) * 4 <= blobs.INLINE or len(words.encode()) <= blobs.INLINE
                stored.append((job_id, words if is_small else self._prepared(stack, words.encode())[0], final))
            if stored:
                self._db.write_in_turn(messages.add_many, stored)

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        self._db.write_in_turn(jobs.set_progress, job_id, done, total, message)

    def claim(self, engine: str, agent: str, limit: int, status: JobStatus = JobStatus.RUNNING) -> list[JobRecord]:
        # Asked first without the write lock, which idle agents would otherwise take at every turn, and busy ones
        # whenever somebody submits.
        if limit <= 0 or not self._db.run(queue.is_queued, engine, agent):
            return []
        return self._db.write(queue.claim, engine, agent, limit, status)

    def busy_engines(self) -> list[str]:
        return self._db.run(queue.busy_engines)

    def leftovers(self, engine: str) -> list[str]:
        return self._db.run(kept.leftovers, engine)

    def drop_leftovers(self, job_ids: Collection[str]) -> None:
        self._db.write(kept.drop_leftovers, job_ids)

    def note_result(self, job_id: str, words: str) -> None:
        self._db.write(jobs.note_result, job_id, words)

    def note_wait(self, engine: str, words: str | None) -> None:
        while self._db.run(waits.unsaid, engine, words):
            self._db.write(waits.note, engine, words)

    def owners(self, engine: str) -> list[str]:
        return self._db.run(queue.owners, engine)

    def inherit_jobs(self, engine: str, agent: str) -> list[JobRecord]:
        return self._db.write(queue.inherit, engine, agent)

    def turn(self, engine: str, agent: str, limit: int, news: News) -> list[JobRecord]:
        if not news:
            return self.claim(engine, agent, limit)
        return self._take_in(news, lambda link: queue.claim(link, engine, agent, limit) if limit > 0 else [])

    def turn_with_payloads(
        self, engine: str, agent: str, limit: int, news: News
    ) -> tuple[list[JobRecord], dict[str, PayloadKeys]]:
        def claim(link: Link) -> tuple[list[JobRecord], dict[str, PayloadKeys]]:
            claimed = queue.claim(link, engine, agent, limit) if limit > 0 else []
            return claimed, jobs.payload_keys(link, [job.job_id for job in claimed]) if claimed else {}

        if not news and (limit <= 0 or not self._db.run(queue.is_queued, engine, agent)):
            return [], {}
        return self._take_in(news, claim)

    def _take_in(self, news: News, claim: Callable[[Link], T]) -> T:
        """Write down an agent's news, and have it claim jobs in the same transaction."""
        with ExitStack() as stack:
            bodies = {job_id: self._prepared_outcome(stack, left) for job_id, left in news.outcomes.items()}

            def write(link: Link) -> T:
                endings.take_in(link, news, bodies)
                return claim(link)

            return self._db.write(write)

    def payload_keys(self, job_ids: Collection[str]) -> dict[str, PayloadKeys]:
        return self._db.run(jobs.payload_keys, job_ids)

    def body(self, key: str) -> bytes:
        return self._db.run(blobs.body, key)

    def set_process(self, job_id: str, pid: int, pid_started: float) -> None:
        self._db.write(jobs.set_process, job_id, pid, pid_started)

    def set_outcome(self, job_id: str, outcome: Outcome) -> None:
        with ExitStack() as stack:
            self._db.write(endings.set_outcome, job_id, outcome, self._prepared_outcome(stack, outcome))

    def note_cancel(self, job_id: str, state: str, note: str | None) -> None:
        self._db.write(commands.note, job_id, state, note)

    def finish(self, ends: Mapping[str, Exit]) -> list[JobRecord]:
        return self._db.write(endings.finish, ends)

    def set_status(self, job_id: str, status: JobStatus | str) -> None:
        self._db.write(jobs.set_status, job_id, status)

    def commands(self, engine: str, agent: str) -> list[Command]:
        return self._db.write(commands.take, engine, agent) if self._db.run(commands.are_open, engine, agent) else []

    # --- jobs that others run

    def watch_job(self, new: NewJob) -> tuple[JobRecord, bool]:
        with ExitStack() as stack:
            return self._db.write(watched.add, new, self._distinct(stack, [new]))

    def watch_turn(self, agent: str, sightings: Mapping[str, Sighting], *, with_jobs: bool = True) -> WatchTurn:
        if not sightings and not (seen := self._db.read(watched.look, agent, with_jobs)).commands:
            return seen
        with ExitStack() as stack:
            bodies = {
                job_id: self._prepared_outcome(stack, seen.outcome)
                for job_id, seen in sightings.items()
                if seen.outcome is not None
            }
            return self._db.write(watched.turn, agent, sightings, bodies, with_jobs)

    def watchers(self) -> list[str]:
        return self._db.run(watched.watchers)

    def abandon_watched(self, agent: str) -> list[JobRecord]:
        return self._db.write(watched.abandon, agent)

    def take_over(self, agent: str, job_ids: Collection[str] | None = None) -> list[JobRecord]:
        return self._db.write(watched.take_over, agent, job_ids) if self._db.run(watched.unwatched) else []

    def unwatched(self) -> list[str]:
        return self._db.run(watched.unwatched)

    def release_watched(self, agent: str, facts: Mapping[str, Mapping[str, str | float]]) -> None:
        self._db.write(watched.release, agent, facts)

    # --- the reading side

    def job(self, job_id: str) -> JobRecord:
        return self._db.run(jobs.get, job_id)

    def jobs(self, query: JobQuery) -> list[JobRecord]:
        return self._db.run(jobs.find, query)

    def count(self, query: JobQuery) -> int:
        return self._db.run(jobs.count, query)

    def queue_place(self, job_id: str) -> int | None:
        return self._db.read(queue.queue_place, job_id)

    def queue_places(self, job_ids: Collection[str]) -> dict[str, int]:
        return self._db.run(queue.queue_places, job_ids)

    def outcome(self, job_id: str) -> Outcome | None:
        return self._db.read(endings.outcome, job_id)

    def outcomes(self, job_ids: Collection[str]) -> dict[str, Outcome]:
        return self._db.read(endings.outcomes, job_ids)

    def messages(
        self, job_id: str, start: int = 0, stop: int | None = None, *, longest: int | None = None
    ) -> list[MessageRecord]:
        return self._db.read(messages.get_range, job_id, start, stop, longest)

    def messages_after(self, seen: Mapping[str, int], limit: int, *, longest: int) -> dict[str, list[MessageRecord]]:
        return self._db.run(messages.get_after, seen, limit, longest)

    def last_words(self, job_ids: Collection[str], longest: int) -> dict[str, LastWords]:
        return self._db.read(messages.last_words, job_ids, longest)

    def last_seqs(self, job_ids: Collection[str]) -> dict[str, int]:
        return self._db.run(messages.last_seqs, job_ids)

    def log_path(self, job_id: str) -> Path:
        self._db.run(jobs.number_of, job_id)
        return output_path(self.home, job_id)

    def log_sizes(self, job_ids: Iterable[str]) -> dict[str, int]:
        return {job_id: size_of(f"{self._outputs}{job_id}.log") for job_id in job_ids}

    def data_version(self) -> int:
        """See the port. The calling thread's own commits make it differ, too."""
        return self._db.run(Link.data_version)

    def changes(self, since: int, limit: int | None = None) -> Changes:
        return self._db.read(jobs.changes, since, limit)

    def tally(self, group_id: str | None = None) -> Tally:
        return self._db.read(jobs.tally, group_id)

    def change_number(self) -> int:
        return self._db.run(jobs.change_number)

    def pulse(self, *settings: str) -> tuple[int, tuple[str | None, ...]]:
        return self._db.run(jobs.pulse, settings)

    def setting(self, name: str) -> str | None:
        return self._db.run(settings.get, name)

    def set_setting(self, name: str, value: str | None) -> None:
        self._db.write(settings.put, name, value)

    # --- upkeep

    def prune(self, older_than: float | None, keep: int | None, *, dry_run: bool = False) -> Pruned:
        return retention.prune(self._db, older_than, keep, dry_run=dry_run)

    def prune_by_settings(self, *, dry_run: bool = False) -> Pruned:
        return retention.prune_by_settings(self._db, dry_run=dry_run)

    def keep_reserve(self) -> None:
        reserve.keep(self._db.home)

    def describe(self) -> dict[str, object]:
        return description.describe(self._db)

    def close(self) -> None:
        self._db.close()

    # --- files

    def _prepared(self, stack: ExitStack, *bodies: bytes) -> list[Blob]:
        """Make bodies ready to be kept; what is left of them goes when `stack` closes."""
        prepared = []
        for body in bodies:
            prepared.append(blob := blobs.prepare(self.home, body))
            if blob.written is not None:
                stack.callback(blob.discard)
        return prepared

    def _distinct(self, stack: ExitStack, several: Iterable[NewJob]) -> dict[bytes, Blob]:
        """Prepare each distinct body of new jobs once: a program that all of them run is one body."""
        bodies = dict.fromkeys(body for new in several for body in (new.program, new.inputs, new.context))
        return {body: self._prepared(stack, body)[0] for body in bodies}

    def _prepared_outcome(self, stack: ExitStack, left: Outcome) -> Bodies:
        parts = (left.body, left.exception)
        return Bodies(*(None if part is None else self._prepared(stack, part)[0] for part in parts))

    def _unlink(self, hashes: Iterable[str]) -> None:
        if unused := list(hashes):
            self._db.write(blobs.unlink_unused, unused)


def open_store(home: Path | None = None) -> SQLiteStore:
    """Open the store of a home (by default the user's own), making it where there is none.

    Raises
    ------
    StoreError
        If the home is unsafe or cannot be written, or the store is of a newer version.
    """
    return SQLiteStore(default_home() if home is None else Path(home).expanduser().absolute())

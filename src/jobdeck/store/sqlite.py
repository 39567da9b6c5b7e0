"""The store on SQLite: each method of the port is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .._records import (
    Changes,
    Command,
    CommandKind,
    JobQuery,
    JobRecord,
    MessageRecord,
    NewJob,
    Outcome,
    Payload,
    ProgramRecord,
)
from .._status import Exit, JobStatus
from . import blobs, endings, jobs, messages, programs
from .blobs import Blob
from .connection import Connection, Database, Link
from .home import OUTPUT, default_home
from .rows import json_text, text


class SQLiteStore:
    """See `jobdeck._ports.Store`; make one with `open_store`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._db = Database(home)
        self._db.run(lambda link, connection: None)

    @property
    def store_id(self) -> str:
        """Six characters with which this store's job ids begin."""
        return self._db.run(lambda link, connection: link.store_id)

    # --- the submitting side

    def add_job(self, new: NewJob) -> JobRecord:
        with ExitStack() as stack:
            program, inputs, context = (self._prepared(stack, body) for body in (new.program, new.inputs, new.context))
            bodies = (program, inputs, context)
            return self._db.write(lambda link, connection: jobs.add(link, connection, self.home, new, bodies))

    def submit_job(self, job_id: str) -> JobRecord:
        return self._db.write(lambda link, connection: jobs.submit(link, connection, job_id))

    def payload(self, job_id: str) -> Payload:
        return self._db.read(lambda link, connection: jobs.payload(link, connection, self.home, job_id))

    def ask(self, job_id: str, kind: CommandKind, origin: str) -> JobRecord:
        return self._db.write(lambda link, connection: endings.ask(link, connection, job_id, kind, origin))

    def delete_job(self, job_id: str) -> None:
        self._unlink(self._db.write(lambda link, connection: jobs.delete(link, connection, job_id)))
        self._output(job_id).unlink(missing_ok=True)

    def update_tags(self, job_id: str, tags: Sequence[str]) -> None:
        words = json_text("tags", tags)

        def work(link: Link, connection: Connection) -> None:
            jobs.get(link, connection, job_id)
            jobs.change(connection, job_id, tags=words)

        self._db.write(work)

    # --- programs

    def put_program(self, data: bytes, metadata: Mapping[str, Any], program_id: str | None = None) -> str:
        with ExitStack() as stack:
            blob = self._prepared(stack, data)
            name, unused = self._db.write(
                lambda link, connection: programs.put(connection, self.home, blob, metadata, program_id)
            )
        self._unlink(unused)
        return name

    def program(self, program_id: str) -> ProgramRecord:
        return self._db.read(lambda link, connection: programs.get(connection, self.home, program_id))

    def programs(self) -> list[ProgramRecord]:
        return self._db.read(lambda link, connection: programs.get_all(connection, self.home))

    def delete_program(self, program_id: str) -> None:
        self._unlink(self._db.write(lambda link, connection: programs.delete(connection, program_id)))

    # --- the running side

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        body = text(body) or ""
        if len(body) * 4 > blobs.INLINE and len(encoded := body.encode()) > blobs.INLINE:
            with ExitStack() as stack:
                blob = self._prepared(stack, encoded)
                return self._db.write(
                    lambda link, connection: messages.add(link, connection, self.home, job_id, None, final, blob)
                )
        return self._db.run(lambda link, connection: messages.add(link, connection, self.home, job_id, body, final))

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        self._db.write(lambda link, connection: jobs.set_progress(link, connection, job_id, done, total, message))

    def claim(self, engine: str, agent: str, limit: int) -> list[JobRecord]:
        if not self._db.run(lambda link, connection: jobs.is_queued(connection, engine)):
            return []
        return self._db.write(lambda link, connection: jobs.claim(connection, engine, agent, limit))

    def set_process(self, job_id: str, pid: int, pid_started: float) -> None:
        def work(link: Link, connection: Connection) -> None:
            jobs.get(link, connection, job_id)
            jobs.change(connection, job_id, pid=pid, pid_started=pid_started)

        self._db.write(work)

    def set_outcome(self, job_id: str, outcome: Outcome) -> None:
        with ExitStack() as stack:
            body = None if outcome.body is None else self._prepared(stack, outcome.body)
            exception = None if outcome.exception is None else self._prepared(stack, outcome.exception)
            self._db.write(
                lambda link, connection: endings.set_outcome(
                    link, connection, self.home, job_id, outcome, body, exception
                )
            )

    def note_cancel(self, job_id: str, state: str, note: str | None) -> None:
        self._db.write(lambda link, connection: endings.note_cancel(link, connection, job_id, state, note))

    def finish(self, ends: Mapping[str, Exit]) -> list[JobRecord]:
        return self._db.write(lambda link, connection: endings.finish(link, connection, self.home, ends))

    def set_status(self, job_id: str, status: JobStatus | str) -> None:
        self._db.write(lambda link, connection: jobs.set_status(link, connection, job_id, status))

    def commands(self, engine: str, agent: str) -> list[Command]:
        if not self._db.run(lambda link, connection: endings.are_open(connection, engine, agent)):
            return []
        return self._db.write(lambda link, connection: endings.take_commands(connection, engine, agent))

    # --- the reading side

    def job(self, job_id: str) -> JobRecord:
        return self._db.run(lambda link, connection: jobs.get(link, connection, job_id))

    def jobs(self, query: JobQuery) -> list[JobRecord]:
        return self._db.run(lambda link, connection: jobs.find(connection, query))

    def count(self, query: JobQuery) -> int:
        return self._db.run(lambda link, connection: jobs.count(connection, query))

    def queue_place(self, job_id: str) -> int | None:
        return self._db.read(lambda link, connection: jobs.queue_place(link, connection, job_id))

    def outcome(self, job_id: str) -> Outcome | None:
        return self._db.read(lambda link, connection: endings.outcome(link, connection, self.home, job_id))

    def messages(self, job_id: str, start: int = 0, stop: int | None = None) -> list[MessageRecord]:
        return self._db.read(
            lambda link, connection: messages.get_range(link, connection, self.home, job_id, start, stop)
        )

    def last_seqs(self, job_ids: Collection[str]) -> dict[str, int]:
        return self._db.run(lambda link, connection: messages.last_seqs(connection, job_ids))

    def log_path(self, job_id: str) -> Path:
        self._db.run(lambda link, connection: jobs.number_of(link, connection, job_id))
        return self._output(job_id)

    def data_version(self) -> int:
        """See the port. What this thread writes itself counts, too: SQLite's own count of its changes is added.

        Both counts only grow, and each new connection starts above all that came before it, so that no number comes
        twice.
        """
        return self._db.run(
            lambda link, connection: (
                link.base
                + int(connection.execute("PRAGMA data_version").fetchone()[0])
                + connection.total_changes
            )
        )

    def changes(self, since: int) -> Changes:
        return self._db.read(lambda link, connection: jobs.changes(connection, since))

    def change_number(self) -> int:
        return self._db.run(lambda link, connection: jobs.change_number(connection))

    def setting(self, name: str) -> str | None:
        sql = "SELECT value FROM settings WHERE name = ?"
        row = self._db.run(lambda link, connection: connection.execute(sql, (name,)).fetchone())
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str | None) -> None:
        def work(link: Link, connection: Connection) -> None:
            if value is None:
                connection.execute("DELETE FROM settings WHERE name = ?", (name,))
            else:
                connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

        self._db.write(work)

    def close(self) -> None:
        self._db.close()

    # --- files

    def _prepared(self, stack: ExitStack, body: bytes) -> Blob:
        blob = blobs.prepare(self.home, body)
        stack.callback(blob.discard)
        return blob

    def _unlink(self, hashes: Iterable[str]) -> None:
        if hashes := list(hashes):
            self._db.write(lambda link, connection: blobs.unlink_unused(connection, self.home, hashes))

    def _output(self, job_id: str) -> Path:
        return self.home / OUTPUT / f"{job_id}.log"


def open_store(home: Path | None = None) -> SQLiteStore:
    """Open the store of a home (by default the user's own), making it where there is none.

    Raises
    ------
    StoreError
        If the home is unsafe or cannot be written, or the store is of a newer version.
    """
    return SQLiteStore(default_home() if home is None else Path(home).expanduser().absolute())

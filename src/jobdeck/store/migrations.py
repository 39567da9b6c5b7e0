"""The schema, as the ordered steps that lead to it. A step that was released never changes again."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .._errors import StoreError

APPLICATION_ID: Final = 0x6A6F6264
"""Marks the file as jobdeck's; ``jobd`` in ASCII."""

_FIRST: Final = """
CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied REAL NOT NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (number INTEGER NOT NULL);
INSERT INTO counter VALUES (0);

CREATE TABLE blobs (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  body BLOB
);

CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  engine TEXT NOT NULL,
  program_id TEXT,
  backend TEXT,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  inputs_preview TEXT NOT NULL,
  timeout REAL,
  retry_of TEXT,
  group_id TEXT,
  created REAL NOT NULL,
  queued REAL,
  started REAL,
  ended REAL,
  cancel_state TEXT,
  cancel_asked REAL,
  cancel_note TEXT,
  error_kind TEXT,
  error TEXT,
  traceback TEXT,
  exit_code INTEGER,
  exit_signal INTEGER,
  peak_memory INTEGER,
  cpu_time REAL,
  progress_done REAL,
  progress_total REAL,
  progress_message TEXT,
  result_encoding TEXT,
  result_preview TEXT,
  agent TEXT,
  pid INTEGER,
  pid_started REAL,
  changed INTEGER NOT NULL,
  ticket INTEGER,
  program INTEGER NOT NULL REFERENCES blobs (id),
  inputs INTEGER NOT NULL REFERENCES blobs (id),
  context INTEGER NOT NULL REFERENCES blobs (id)
);
CREATE INDEX jobs_changed ON jobs (changed);
CREATE INDEX jobs_queued ON jobs (engine, ticket) WHERE status = 'QUEUED';
CREATE INDEX jobs_status ON jobs (status);
CREATE INDEX jobs_group ON jobs (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX jobs_program ON jobs (program);
CREATE INDEX jobs_inputs ON jobs (inputs);
CREATE INDEX jobs_context ON jobs (context);

CREATE TABLE deleted (changed INTEGER PRIMARY KEY, job_id TEXT NOT NULL, time REAL NOT NULL);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  final INTEGER NOT NULL,
  body TEXT,
  blob INTEGER REFERENCES blobs (id)
);
CREATE INDEX messages_blob ON messages (blob) WHERE blob IS NOT NULL;

CREATE TABLE outcomes (
  job INTEGER PRIMARY KEY REFERENCES jobs (number) ON DELETE CASCADE,
  ok INTEGER NOT NULL,
  encoding TEXT,
  preview TEXT,
  exception_type TEXT,
  exception_text TEXT,
  traceback TEXT,
  interrupted INTEGER NOT NULL,
  body INTEGER REFERENCES blobs (id),
  exception INTEGER REFERENCES blobs (id)
);
CREATE INDEX outcomes_body ON outcomes (body) WHERE body IS NOT NULL;
CREATE INDEX outcomes_exception ON outcomes (exception) WHERE exception IS NOT NULL;

CREATE TABLE commands (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  origin TEXT NOT NULL,
  asked REAL NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX commands_job ON commands (job);
CREATE INDEX commands_open ON commands (number) WHERE NOT taken;

CREATE TABLE programs (
  program_id TEXT PRIMARY KEY,
  data INTEGER NOT NULL REFERENCES blobs (id),
  metadata TEXT NOT NULL,
  created REAL NOT NULL,
  updated REAL NOT NULL
);
CREATE INDEX programs_data ON programs (data);
"""


def _begin_store(connection: sqlite3.Connection) -> None:
    _execute_all(connection, _FIRST)
    connection.execute("INSERT INTO settings VALUES ('store_id', ?)", (random_name(6),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


_GROUPS_AND_WATCHED: Final = """
CREATE TABLE groups (
  group_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  total INTEGER,
  created REAL NOT NULL,
  changed INTEGER NOT NULL
);
CREATE INDEX groups_changed ON groups (changed);
ALTER TABLE jobs ADD COLUMN source TEXT;
ALTER TABLE jobs ADD COLUMN facts TEXT;
ALTER TABLE jobs ADD COLUMN chart TEXT;
CREATE INDEX jobs_watched ON jobs (number)
  WHERE source IS NOT NULL AND status NOT IN ('DONE', 'CANCELLED', 'ERROR');
CREATE INDEX jobs_foreign ON jobs (json_extract(source, '$.id')) WHERE source IS NOT NULL;
ALTER TABLE outcomes ADD COLUMN chart TEXT;
"""


def _add_groups_and_watched(connection: sqlite3.Connection) -> None:
    _execute_all(connection, _GROUPS_AND_WATCHED)


_PLACES: Final = """
ALTER TABLE jobs ADD COLUMN place INTEGER;
DROP INDEX jobs_group;
CREATE INDEX jobs_group ON jobs (group_id, status) WHERE group_id IS NOT NULL;
"""


def _add_places(connection: sqlite3.Connection) -> None:
    _execute_all(connection, _PLACES)


def _index_retries(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX jobs_retries ON jobs (group_id) WHERE retry_of IS NOT NULL")


_GATES: Final = """
ALTER TABLE jobs ADD COLUMN gate INTEGER;
CREATE INDEX jobs_gate ON jobs (gate) WHERE gate IS NOT NULL;
CREATE TABLE gates (gate INTEGER NOT NULL, before INTEGER NOT NULL, PRIMARY KEY (gate, before)) WITHOUT ROWID;
CREATE INDEX gates_before ON gates (before);
"""


def _add_gates(connection: sqlite3.Connection) -> None:
    _execute_all(connection, _GATES)


_KEPT: Final = """
ALTER TABLE outcomes ADD COLUMN kept INTEGER;
CREATE TABLE leftovers (job_id TEXT PRIMARY KEY, engine TEXT NOT NULL) WITHOUT ROWID;
"""


def _add_kept_results(connection: sqlite3.Connection) -> None:
    _execute_all(connection, _KEPT)


_TALLIES: Final = """
CREATE TABLE tallies (
  group_id TEXT NOT NULL,
  status TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY (group_id, status)
) WITHOUT ROWID;
INSERT INTO tallies SELECT '', status, count(*) FROM jobs GROUP BY status;
INSERT INTO tallies SELECT group_id, status, count(*) FROM jobs WHERE group_id IS NOT NULL GROUP BY group_id, status;
CREATE INDEX jobs_members ON jobs (group_id) WHERE group_id IS NOT NULL
"""
_COUNT_IN: Final = """
INSERT INTO tallies VALUES ('', NEW.status, 1) ON CONFLICT DO UPDATE SET jobs = jobs + 1;
INSERT INTO tallies SELECT NEW.group_id, NEW.status, 1 WHERE NEW.group_id IS NOT NULL
  ON CONFLICT DO UPDATE SET jobs = jobs + 1;
"""
_COUNT_OUT: Final = """
UPDATE tallies SET jobs = jobs - 1 WHERE group_id = '' AND status = OLD.status;
UPDATE tallies SET jobs = jobs - 1 WHERE group_id = OLD.group_id AND status = OLD.status;
"""


def _keep_tallies(connection: sqlite3.Connection) -> None:
    """Count jobs as they change: a deck tells how many there are of each status many times a second."""
    _execute_all(connection, _TALLIES)
    connection.execute(f"CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN {_COUNT_IN} END")
    connection.execute(f"CREATE TRIGGER jobs_removed AFTER DELETE ON jobs BEGIN {_COUNT_OUT} END")
    connection.execute(
        "CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs WHEN OLD.status <> NEW.status"
        f" BEGIN {_COUNT_OUT} {_COUNT_IN} END"
    )
    connection.execute(
        "CREATE TRIGGER groups_removed AFTER DELETE ON groups"
        " BEGIN DELETE FROM tallies WHERE group_id = OLD.group_id AND jobs = 0; END"
    )


def _execute_all(connection: sqlite3.Connection, script: str) -> None:
    # Not executescript(), which would commit first.
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _begin_store,
    _add_groups_and_watched,
    _add_places,
    _index_retries,
    _add_gates,
    _add_kept_results,
    _keep_tallies,
)
"""What leads from each schema version to the next; the first one from an empty file to version 1."""


_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz234567" * 8


def random_name(length: int) -> str:
    """Return that many random characters of lower-case base 32: 256 bytes are eight of each."""
    return os.urandom(length).translate(_LETTERS).decode()


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema's version; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_current(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the schema is the one that this jobdeck works with.

    Raises
    ------
    StoreError
        If the store is of a newer jobdeck, or no store of jobdeck's. Nothing in it is touched.
    """
    version = schema_version(connection)
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_blank = not version and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    if mark != APPLICATION_ID and not is_blank:
        raise StoreError(
            f"{path} is a database, but no store of jobdeck's; "
            "move it away, or use another home with JOBDECK_HOME or Deck(home=...)"
        )
    newest = len(MIGRATIONS)
    if version > newest:
        raise StoreError(
            f"the store {path} has schema version {version}, this jobdeck knows versions up to {newest}; "
            "upgrade jobdeck (pip install --upgrade jobdeck), or use another home with JOBDECK_HOME or Deck(home=...)"
        )
    return version == newest


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date: each step in one transaction with its record."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            version = schema_version(connection)
            if version < len(MIGRATIONS):
                MIGRATIONS[version](connection)
                connection.execute("INSERT INTO migrations VALUES (?, ?)", (version + 1, time.time()))
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if version >= len(MIGRATIONS):
            return

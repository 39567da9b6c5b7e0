"""Bodies that are kept once, by the hash of their content: in a row, or above a limit in a file of their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from .._errors import StoreError
from . import faults
from .connection import Link
from .home import BLOBS

INLINE: Final = 1 << 20
"""Bytes up to which a body lies in the database itself."""

_SMALL: Final = 1 << 16
"""Bytes up to which a body's hash is remembered for a while."""
_PART: Final = 1 << 20
_AT_ONCE: Final = 500

_REFERENCES: Final = (
    ("jobs", "program"),
    ("jobs", "inputs"),
    ("jobs", "context"),
    ("messages", "blob"),
    ("outcomes", "body"),
    ("outcomes", "exception"),
    ("programs", "data"),
)
_UNUSED: Final = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM {table} WHERE {column} = blobs.id)" for table, column in _REFERENCES
)


@dataclass
class Blob:
    """A body on its way into the store. A large one is written to a file of a passing name first, without any lock."""

    sha256: str
    size: int
    body: bytes | None
    written: Path | None = None

    def discard(self) -> None:
        """Remove the file that was not put to use."""
        if self.written is not None:
            self.written.unlink(missing_ok=True)


def prepare(home: Path, body: bytes) -> Blob:
    """Make a body ready for `keep`; a large one is on the disk when this returns."""
    if len(body) <= _SMALL:
        return Blob(_hash_of_small(body), len(body), body)
    sha256 = _hash(body)
    if len(body) <= INLINE:
        return Blob(sha256, len(body), body)
    blob = Blob(sha256, len(body), None, home / BLOBS / f".{sha256}.{os.urandom(4).hex()}")
    assert blob.written is not None
    try:
        fd = os.open(blob.written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(fd)
    except OSError as error:
        blob.discard()
        raise faults.in_words(error, home) from error
    except BaseException:
        blob.discard()
        raise
    return blob


def _hash(body: bytes) -> str:
    from hashlib import sha256  # not above: with OpenSSL it would be in each process that jobs are forked from

    return sha256(body).hexdigest()


# One program and one context are those of many jobs that follow each other.
_hash_of_small: Final = lru_cache(maxsize=32)(_hash)


def keep(link: Link, blob: Blob) -> int:
    """Put a body into the store, or find it there, and return its row's id. Call it in a write transaction."""
    if blob.written is not None:
        # Under the write lock, as is the removal of unused files: a file that is there cannot vanish before the commit.
        os.replace(blob.written, link.home / BLOBS / blob.sha256)
        blob.written = None
    found = link.execute("SELECT id FROM blobs WHERE sha256 = ?", (blob.sha256,)).fetchone()
    return _insert(link, blob) if found is None else int(found[0])


def _insert(link: Link, blob: Blob) -> int:
    values = (blob.sha256, blob.size, blob.body)
    row = link.execute("INSERT INTO blobs (sha256, size, body) VALUES (?, ?, ?)", values).lastrowid
    assert row is not None
    return row


def keep_all(link: Link, several: Sequence[Blob]) -> list[int]:
    """Do as `keep` does for several distinct bodies."""
    ids = []
    for begin in range(0, len(several), _AT_ONCE):
        some = several[begin : begin + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        hashes = [blob.sha256 for blob in some]
        known = dict(link.execute(f"SELECT sha256, id FROM blobs WHERE sha256 IN ({marks})", hashes).fetchall())
        for blob in some:
            if blob.written is not None:
                ids.append(keep(link, blob))
            else:
                ids.append(known[blob.sha256] if blob.sha256 in known else _insert(link, blob))
    return ids


def body_of(home: Path, sha256: str, body: bytes | None) -> bytes:
    """Return a blob's body from the columns of its row."""
    if body is not None:
        return body
    path = home / BLOBS / sha256
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def head_of(home: Path, sha256: str, body: bytes | None, longest: int) -> str:
    """Return the first characters of a blob that is a text; of one in a file no more is read."""
    if body is not None:
        # It may have been cut within a character.
        return body.decode(errors="ignore")[:longest]
    path = home / BLOBS / sha256
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read(longest)
    except OSError as error:
        raise _unreadable(path, error) from error


def length_of(home: Path, sha256: str, body: bytes | None) -> int:
    """Return how many characters a blob has that is a text, without ever holding the whole of one in a file."""
    return len(body.decode()) if body is not None else _length_of_file(home / BLOBS / sha256)


@lru_cache(maxsize=10_000)
def _length_of_file(path: Path) -> int:
    # A file's name is the hash of its content: how long it is never changes.
    count = 0
    try:
        with path.open(encoding="utf-8", newline="") as file:
            while part := file.read(_PART):
                count += len(part)
    except OSError as error:
        raise _unreadable(path, error) from error
    return count


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"a large body cannot be read from {path}: {error.strerror}")


def load(link: Link, blob_id: int) -> bytes:
    """Return the body of a blob by its row's id."""
    sha256, body = link.execute("SELECT sha256, body FROM blobs WHERE id = ?", (blob_id,)).fetchone()
    return body_of(link.home, sha256, body)


def body(link: Link, sha256: str) -> bytes:
    """Return the body of that hash. LookupError if there is none."""
    found = link.execute("SELECT body FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if found is None:
        raise LookupError(f"the store has no body {sha256}")
    return body_of(link.home, sha256, found[0])


def drop_unused(link: Link, blob_ids: Iterable[int]) -> list[str]:
    """Remove the rows of those blobs that nothing refers to; return the hashes whose files may go after the commit."""
    hashes: list[str] = []
    for blob_id in set(blob_ids):
        found = link.execute(
            f"SELECT sha256, body IS NULL FROM blobs WHERE id = ? AND {_UNUSED}", (blob_id,)
        ).fetchone()
        if found is not None:
            link.execute("DELETE FROM blobs WHERE id = ?", (blob_id,))
            if found[1]:
                hashes.append(found[0])
    return hashes


def unlink_unused(link: Link, hashes: Iterable[str]) -> None:
    """Remove the files of blobs that have no row. Call it in a write transaction of its own, which keeps others out."""
    for sha256 in hashes:
        if link.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (sha256,)).fetchone() is None:
            (link.home / BLOBS / sha256).unlink(missing_ok=True)

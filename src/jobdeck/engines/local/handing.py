"""Outcomes as jobs' processes hand them over: what `inherited` sends, and whoever stores it reads."""

from __future__ import annotations

from typing import Final, Literal

from ..._records import Outcome

_ENCODINGS: Final[dict[str | None, Literal["json", "pickle"] | None]] = {None: None, "json": "json", "pickle": "pickle"}


def handed(job_id: str, outcome: Outcome) -> bytes:
    """Return an outcome as it is handed over: the job's id, a line of numbers, and the parts of those sizes."""
    # Not as JSON: a process that has just been forked would copy some twenty pages more for it.
    parts = [outcome.body, outcome.exception]
    for words in (
        outcome.encoding,
        outcome.preview,
        outcome.exception_type,
        outcome.exception_text,
        outcome.traceback,
        outcome.chart,
    ):
        parts.append(None if words is None else words.encode("utf-8", "surrogatepass"))
    head = f"{job_id}\n{outcome.ok:d} {outcome.interrupted:d} {'-' if outcome.kept is None else outcome.kept}"
    there = [b""]
    for part in parts:
        if part is None:
            head += " -"
        else:
            head += f" {len(part)}"
            there.append(part)
    there[0] = f"{head}\n".encode()
    return b"".join(there)


def outcome_of(data: bytes) -> Outcome:
    """Return what :func:`handed` made bytes of. It opens no pickle. ValueError if it is nothing of that kind."""
    _, head, rest = data.split(b"\n", 2)
    ok, interrupted, kept, *sizes = head.split(b" ")
    at = 0
    parts: list[bytes | None] = []
    for size in sizes:
        parts.append(None if size == b"-" else rest[at : at + int(size)])
        at += len(parts[-1] or b"")
    if at != len(rest):
        raise ValueError(f"{len(rest)} bytes came of {at}")
    body, exception, *words = parts
    texts = [None if part is None else part.decode("utf-8", "surrogatepass") for part in words]
    encoding, preview, exception_type, exception_text, traceback, chart = texts
    if encoding not in _ENCODINGS:
        raise ValueError(f"there is no encoding {encoding!r}")
    return Outcome(
        ok=ok == b"1",
        encoding=_ENCODINGS[encoding],
        body=body,
        preview=preview,
        exception_type=exception_type,
        exception_text=exception_text,
        traceback=traceback,
        exception=exception,
        interrupted=interrupted == b"1",
        chart=chart,
        kept=None if kept == b"-" else int(kept),
    )

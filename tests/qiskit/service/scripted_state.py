"""What the scripted server knows: jobs and sessions, as the service's interface shows them."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

PENDING = ("Queued", "Running", "In review")
"""``In review`` is no status of the service: it is what it might invent tomorrow."""
MOST = 200
"""Jobs on a page, at most."""

START = datetime(2026, 3, 1, 9, 0, tzinfo=timezone.utc)


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class ServerJob:
    """One job of the service.

    `stops` tells what becomes of a request to stop it while it runs: ``at once``, ``later`` (it goes on until the test
    moves it), or ``refused`` with a conflict.
    """

    job_id: str
    program: str
    backend: str
    created: datetime
    body: str = "{}"
    tags: list[str] = field(default_factory=list)
    session: str | None = None
    status: str = "Queued"
    reason: str | None = None
    reason_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float = 0.0
    place: int | None = None
    estimated_start: datetime | None = None
    result: str = ""
    stops: str = "at once"
    cancels: int = 0

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING

    def view(self, *, with_params: bool = False) -> dict[str, Any]:
        state: dict[str, Any] = {"status": self.status}
        if self.reason:
            state["reason"] = self.reason
        if self.reason_code:
            state["reason_code"] = self.reason_code
        shown: dict[str, Any] = {
            "id": self.job_id,
            "backend": self.backend,
            "state": state,
            "status": self.status,
            "program": {"id": self.program},
            "created": stamp(self.created),
            "runtime": "",
            "cost": 600,
            "tags": list(self.tags),
            "usage": {"seconds": self.seconds, "quantum_seconds": self.seconds},
            "estimated_running_time_seconds": 3.5,
            "private": False,
        }
        if self.session:
            shown["session_id"] = self.session
        if self.ended:
            shown["ended"] = stamp(self.ended)
        if with_params:
            shown["params"] = json.loads(self.body).get("params", {})
        return shown

    def metrics(self) -> dict[str, Any]:
        times = {"created": self.created, "running": self.started, "finished": self.ended}
        shown: dict[str, Any] = {
            "timestamps": {name: stamp(time) for name, time in times.items() if time},
            "usage": {
                "status": "pending" if self.is_pending else "final",
                "qpu_charge_time_seconds": self.seconds,
                "quantum_seconds": self.seconds,
            },
        }
        if self.is_pending and self.place is not None:
            shown["position_in_queue"] = self.place
        if self.is_pending and self.estimated_start is not None:
            shown["estimated_start_time"] = stamp(self.estimated_start)
        return shown


@dataclass
class ServerSession:
    session_id: str
    mode: str
    backend: str
    state: str = "open"
    accepting_jobs: bool = True
    seconds: float = 0.0

    def view(self) -> dict[str, Any]:
        return {
            "id": self.session_id,
            "backend_name": self.backend,
            "mode": self.mode,
            "state": self.state,
            "accepting_jobs": self.accepting_jobs,
            "elapsed_time": self.seconds,
            "max_ttl": 28800,
            "interactive_ttl": 60,
            "timestamps": [],
        }


class ServerState:
    """All jobs and sessions of one instance. Every method holds its lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.jobs: dict[str, ServerJob] = {}
        self.sessions: dict[str, ServerSession] = {}

    def submit(self, asked: dict[str, Any], body: str) -> ServerJob:
        with self.lock:
            session = asked.get("session_id")
            if session is not None:
                held = self.session(session)
                if not held.accepting_jobs:
                    raise RefusedError(400, "the session is closed")
                held.state = "active"
            job = ServerJob(
                job_id=uuid.uuid4().hex[:20],
                program=asked["program_id"],
                backend=asked.get("backend", ""),
                created=START + timedelta(seconds=len(self.jobs)),
                body=body,
                tags=list(asked.get("tags", [])),
                session=session,
            )
            self.jobs[job.job_id] = job
            return job

    def job(self, job_id: str) -> ServerJob:
        with self.lock:
            if job_id not in self.jobs:
                raise RefusedError(404, f"Job not found. Job ID: {job_id}")
            return self.jobs[job_id]

    def session(self, session_id: str) -> ServerSession:
        with self.lock:
            if session_id not in self.sessions:
                raise RefusedError(404, f"Session not found. Session ID: {session_id}")
            return self.sessions[session_id]

    def open_session(self, asked: dict[str, Any]) -> ServerSession:
        with self.lock:
            session = ServerSession(uuid.uuid4().hex[:20], asked["mode"], asked.get("backend", ""))
            self.sessions[session.session_id] = session
            return session

    def close_session(self, session_id: str, *, is_cancelled: bool) -> None:
        with self.lock:
            session = self.session(session_id)
            session.accepting_jobs = False
            mine = [job for job in self.jobs.values() if job.session == session_id and job.is_pending]
            if is_cancelled:
                for job in mine:
                    self.end(job.job_id, "Cancelled")
                mine = []
            if not mine:
                session.state = "closed"

    def end(self, job_id: str, status: str) -> None:
        with self.lock:
            job = self.job(job_id)
            job.status, job.ended = status, job.created + timedelta(minutes=2)

    def cancel(self, job_id: str) -> None:
        with self.lock:
            job = self.job(job_id)
            job.cancels += 1
            if not job.is_pending:
                raise RefusedError(409, f"Job {job_id} is already in a final state: {job.status}")
            if job.stops == "refused":
                raise RefusedError(409, "The job is being finished and cannot be cancelled")
            if job.status == "Queued" or job.stops == "at once":
                self.end(job_id, "Cancelled")

    def page(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        def one(name: str) -> str | None:
            return asked[name][0] if name in asked else None

        limit, offset = int(one("limit") or MOST), int(one("offset") or 0)
        if not 1 <= limit <= MOST:
            raise RefusedError(400, f"limit must be between 1 and {MOST}")
        with self.lock:
            found = sorted(self.jobs.values(), key=lambda job: job.created, reverse=one("sort") != "ASC")
            if one("pending") is not None:
                found = [job for job in found if job.is_pending == (one("pending") == "true")]
            for name, of in (("backend", "backend"), ("program", "program"), ("session_id", "session")):
                if one(name) is not None:
                    found = [job for job in found if getattr(job, of) == one(name)]
            if "tags" in asked:
                found = [job for job in found if set(asked["tags"]) <= set(job.tags)]
            if one("created_after"):
                found = [job for job in found if job.created >= datetime.fromisoformat(one("created_after") or "")]
            if one("created_before"):
                found = [job for job in found if job.created <= datetime.fromisoformat(one("created_before") or "")]
            shown = [job.view() for job in found[offset : offset + limit]]
            return {"jobs": shown, "count": len(found), "limit": limit, "offset": offset}


def stamp(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""A server that speaks the service's interface on 127.0.0.1 and does what a test tells it.

The client library makes its addresses out of one base address: ``http://cloud.test`` leads to ``quantum.cloud.test``
and others. This server is their HTTP proxy, so that an account with ``proxies`` reaches it by all of them, with the
library as it is. Only the address of its tokens has to be told by ``IAM_URL`` in the environment.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .scripted_routes import BACKEND, DOMAIN, ROUTES, Request, computed
from .scripted_state import RefusedError, ServerJob, ServerState

__all__ = ["BACKEND", "Fault", "ScriptedService"]


@dataclass(frozen=True)
class Fault:
    """What the server does with one request in the place of answering it.

    With no `status` it answers as ever, after `gate` was opened.
    """

    status: int | None = None
    message: str = "scripted"
    retry_after: int | None = None
    gate: threading.Event | None = None


class ScriptedService:
    """The service with one instance and one 5-qubit backend. Close it."""

    def __init__(self) -> None:
        self.state = ServerState()
        self.token = f"key-{uuid.uuid4().hex}"
        self.crn = f"crn:v1:bluemix:public:quantum-computing:us-east:a/{uuid.uuid4().hex}:{uuid.uuid4()}::"
        self.url = f"http://{DOMAIN}"
        self.bearers: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.changed = threading.Condition()
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0
        self.come_back()

    # --- how it is reached
    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def account(self) -> dict[str, Any]:
        """What `QiskitRuntimeService` and its `save_account` take."""
        return {
            "channel": "ibm_quantum_platform",
            "token": self.token,
            "url": self.url,
            "instance": self.crn,
            "proxies": {"urls": {"http": self.address}},
        }

    # --- its own life
    def come_back(self) -> None:
        """Listen; on the same port as before."""
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name="scripted-service", daemon=True
        )
        self._thread.start()

    def go_down(self) -> None:
        """Refuse connections, and cut those that there are."""
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._server.cut()
        self._server.server_close()
        self._thread.join(10)

    def close(self) -> None:
        for faults in self._faults.values():
            for fault in faults:
                if fault.gate is not None:
                    fault.gate.set()
        for fault in self._always.values():
            if fault.gate is not None:
                fault.gate.set()
        self.go_down()

    # --- what it does next
    def next(self, route: str, *faults: Fault) -> None:
        """Do this with the next requests to a route: ``GET /jobs/{id}``."""
        self._faults[route].extend(faults)

    def always(self, route: str, fault: Fault | None) -> None:
        """Do this with all requests to a route that nothing else is meant for; None ends it."""
        if fault is None:
            self._always.pop(route, None)
        else:
            self._always[route] = fault

    def run(self, job_id: str) -> None:
        """Start a job."""
        with self.state.lock:
            job = self.state.job(job_id)
            job.status, job.started, job.place = "Running", job.created, None

    def finish(self, job_id: str, result: str | None = None, seconds: float = 2.0) -> None:
        """Have a job end well, with this body; what its circuits give where there is none."""
        with self.state.lock:
            job = self.state.job(job_id)
            job.result = computed(job.program, job.body) if result is None else result
            job.seconds = seconds
            self.state.end(job_id, "Completed")

    def fail(self, job_id: str, reason: str | None = None, code: int | None = None, result: str = "") -> None:
        with self.state.lock:
            job = self.state.job(job_id)
            job.reason, job.reason_code, job.result = reason, code, result
            self.state.end(job_id, "Failed")

    def add(self, count: int, **fields: Any) -> list[ServerJob]:
        """Have jobs that were made elsewhere."""
        asked = {"program_id": "sampler", "backend": BACKEND}
        made = [self.state.submit(asked, json.dumps({"params": {}})) for _ in range(count)]
        for job in made:
            for name, value in fields.items():
                setattr(job, name, value)
        return made

    def asked(self, *routes: str) -> int:
        """How many requests there were to these routes, or to all about jobs."""
        with self.changed:
            if routes:
                return sum(self.counts[route] for route in routes)
            return sum(count for route, count in self.counts.items() if "/jobs" in route)

    def wait_for(self, route: str, count: int = 1, timeout: float = 10) -> None:
        """Wait until so many requests to a route have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.counts[route] >= count, timeout), (
                f"{self.counts[route]} requests to {route} after {timeout:g} s, not {count}"
            )

    # --- used by the handler
    def fault(self, route: str) -> Fault | None:
        with self.changed:
            self.counts[route] += 1
            self.changed.notify_all()
            return self._faults[route].popleft() if self._faults[route] else self._always.get(route)

    def bearer(self) -> str:
        now = int(time.time())
        parts = ({"alg": "none"}, {"iat": now, "exp": now + 3600, "id": uuid.uuid4().hex}, {})
        text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        self.bearers.add(text)
        return text


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], service: ScriptedService) -> None:
        self.service = service
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # It is gone already.

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body go in one packet: otherwise the second waits 40 ms for the first one's receipt.
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = urlsplit(self.path)
        path = asked.path.removeprefix("/api/v1")
        found = next(
            (
                (shown, answer, matched.groups())
                for verb, pattern, shown, answer in ROUTES
                if verb == method and (matched := re.fullmatch(pattern, path))
            ),
            None,
        )
        if found is None:
            return self._send(501, {"errors": [{"code": 1, "message": f"not scripted: {method} {self.path}"}]})
        shown, answer, parts = found
        fault = service.fault(f"{method} {shown}")
        if fault is not None and fault.gate is not None:
            fault.gate.wait(60)
        if fault is not None and fault.status is not None:
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return self._send(fault.status, {"errors": [{"code": fault.status, "message": fault.message}]}, headers)
        try:
            if asked.hostname == f"quantum.{DOMAIN}":
                self._authorise()
            given = answer(service, Request(parts, parse_qs(asked.query), body))
        except RefusedError as refused:
            return self._send(refused.status, {"errors": [{"code": 1000 + refused.status, "message": str(refused)}]})
        return self._send(204 if given is None else 200, given)

    def _authorise(self) -> None:
        service = self.server.service
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in service.bearers:
            raise RefusedError(401, "the token is not valid")
        if self.headers.get("Service-CRN") != service.crn:
            raise RefusedError(403, "no access to this instance")

    def _send(self, status: int, given: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if given is None else (given if isinstance(given, str) else json.dumps(given)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

"""The routes of the scripted server, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .scripted_state import RefusedError

if TYPE_CHECKING:
    from .scripted import ScriptedService

DOMAIN = "cloud.test"
BACKEND = "ibmq_manila"
ID = "[0-9a-z-]+"


@dataclass(frozen=True)
class Request:
    parts: tuple[str, ...]
    query: dict[str, list[str]]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


def _token(service: ScriptedService, request: Request) -> Any:
    if parse_qs(request.body).get("apikey") != [service.token]:
        raise RefusedError(400, "Provided API key could not be found")
    return {"access_token": service.bearer(), "token_type": "Bearer", "expires_in": 3600}


def _instances(service: ScriptedService, request: Request) -> Any:
    item = {
        "crn": service.crn,
        "service_plan_unique_id": "open-plan",
        "name": "scripted",
        "doc": {"extensions": [{"backends": [BACKEND]}]},
        "tags": [],
    }
    return {"items": [item], "limit": 100}


def _plan(service: ScriptedService, request: Request) -> Any:
    return {"overview_ui": {"en": {"display_name": "Open"}}, "metadata": {"pricing": {"type": "free"}}}


def _backends(service: ScriptedService, request: Request) -> Any:
    waiting = sum(job.is_pending for job in service.state.jobs.values())
    online = {"name": "online", "reason": "available"}
    return {"devices": [{"name": BACKEND, "status": online, "qubits": 5, "queue_length": waiting}]}


def _backend_status(service: ScriptedService, request: Request) -> Any:
    waiting = sum(job.is_pending for job in service.state.jobs.values())
    return {"state": True, "status": "active", "length_queue": waiting, "backend_version": "1.0.0"}


def _submit(service: ScriptedService, request: Request) -> Any:
    job = service.state.submit(request.json, request.body)
    return {"id": job.job_id, "backend": job.backend}


def _job(service: ScriptedService, request: Request) -> Any:
    return service.state.job(request.parts[0]).view(with_params="exclude_params" not in request.query)


def _results(service: ScriptedService, request: Request) -> Any:
    return service.state.job(request.parts[0]).result


def _metrics(service: ScriptedService, request: Request) -> Any:
    return service.state.job(request.parts[0]).metrics()


def _tags(service: ScriptedService, request: Request) -> Any:
    service.state.job(request.parts[0]).tags = request.json["tags"]


def _delete(service: ScriptedService, request: Request) -> Any:
    service.state.job(request.parts[0])
    with service.state.lock:
        del service.state.jobs[request.parts[0]]


def _accepting(service: ScriptedService, request: Request) -> Any:
    service.state.close_session(request.parts[0], is_cancelled=False)


def _usage(service: ScriptedService, request: Request) -> Any:
    return {"usage_consumed_seconds": 1, "usage_limit_seconds": 600, "usage_limit_reached": False}


Answer = Callable[["ScriptedService", Request], Any]
ROUTES: list[tuple[str, str, str, Answer]] = [
    ("POST", "/identity/token", "/identity/token", _token),
    ("POST", "/v3/resources/search", "/resources/search", _instances),
    ("GET", "/open-plan", "/plan", _plan),
    ("GET", "/instances/usage", "/instances/usage", _usage),
    ("GET", "/backends", "/backends", _backends),
    ("GET", f"/backends/{BACKEND}/configuration", "/backends/{name}/configuration", lambda *_: backend_data()[0]),
    ("GET", f"/backends/{BACKEND}/properties", "/backends/{name}/properties", lambda *_: backend_data()[1]),
    ("GET", f"/backends/{BACKEND}/status", "/backends/{name}/status", _backend_status),
    ("POST", "/jobs", "/jobs", _submit),
    ("GET", "/jobs", "/jobs", lambda service, request: service.state.page(request.query)),
    ("GET", f"/jobs/({ID})", "/jobs/{id}", _job),
    ("DELETE", f"/jobs/({ID})", "/jobs/{id}", _delete),
    ("GET", f"/jobs/({ID})/results", "/jobs/{id}/results", _results),
    ("GET", f"/jobs/({ID})/metrics", "/jobs/{id}/metrics", _metrics),
    ("GET", f"/jobs/({ID})/logs", "/jobs/{id}/logs", lambda *_: "line 1\nline 2\n"),
    ("PUT", f"/jobs/({ID})/tags", "/jobs/{id}/tags", _tags),
    ("POST", f"/jobs/({ID})/cancel", "/jobs/{id}/cancel", lambda s, r: s.state.cancel(r.parts[0])),
    ("POST", "/sessions", "/sessions", lambda s, r: s.state.open_session(r.json).view()),
    ("GET", f"/sessions/({ID})", "/sessions/{id}", lambda s, r: s.state.session(r.parts[0]).view()),
    ("PATCH", f"/sessions/({ID})", "/sessions/{id}", _accepting),
    (
        "DELETE",
        f"/sessions/({ID})/close",
        "/sessions/{id}/close",
        lambda s, r: s.state.close_session(r.parts[0], is_cancelled=True),
    ),
]


@cache
def backend_data() -> tuple[dict[str, Any], dict[str, Any]]:
    """Configuration and properties of a real 5-qubit device, as the client library ships them."""
    from qiskit_ibm_runtime.fake_provider.backends import manila

    folder = manila.__path__[0]
    with open(f"{folder}/conf_manila.json") as configuration, open(f"{folder}/props_manila.json") as properties:
        return json.load(configuration), json.load(properties)


def computed(program: str, body: str) -> str:
    """Run a primitive's job and return its result as the service sends it."""
    from qiskit.primitives import StatevectorEstimator, StatevectorSampler
    from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder

    pubs = [
        tuple(part for part in pub if part is not None)
        for pub in json.loads(body, cls=RuntimeDecoder)["params"]["pubs"]
    ]
    if program == "sampler":
        shots = next((pub[2] for pub in pubs if len(pub) > 2), 1024)
        done = StatevectorSampler(seed=7).run([pub[:2] for pub in pubs], shots=shots).result()
    else:
        done = StatevectorEstimator(seed=7).run([pub[:3] for pub in pubs]).result()
    return json.dumps(done, cls=RuntimeEncoder)

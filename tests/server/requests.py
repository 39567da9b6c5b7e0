"""One request for each operation, which does what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .conftest import Answer, Server


@dataclass(frozen=True)
class Request:
    """A request about a job that has ended; `{id}` in its target stands for the job's id."""

    method: str
    target: str
    data: Any = None
    status: int = 200

    def __str__(self) -> str:
        return f"{self.method} {self.target}"

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    def path(self, job_id: str) -> str:
        return self.target.replace("{id}", job_id)

    def send(self, server: Server, job_id: str, **options: Any) -> Answer:
        data = options.pop("data", self.body(job_id))
        return server.ask(self.path(job_id), method=self.method, data=data, **options)

    def body(self, job_id: str) -> Any:
        if isinstance(self.data, dict) and "ids" in self.data:
            return {**self.data, "ids": [job_id]}
        return self.data


REQUESTS = (
    Request("GET", ""),
    Request("GET", "openapi.json"),
    Request("GET", "html?ids={id}&layout=list"),
    Request("GET", "jobs?query=status:done&limit=5&tag=a&tag=b&status=DONE,ERROR"),
    Request("GET", "groups?limit=5&ids={id}"),
    Request("POST", "commands", {"command": "tag", "ids": [], "add": ["a", "b"], "remove": ["c"]}),
    Request("GET", "jobs/{id}"),
    Request("GET", "jobs/{id}/messages?start=0&stop=10"),
    Request("GET", "jobs/{id}/messages/1"),
    Request("GET", "jobs/{id}/log?start=2"),
    Request("PATCH", "jobs/{id}", {"tags": ["a", "b"], "add": ["c"], "remove": ["a"]}),
    Request("POST", "jobs/{id}/commands", {"command": "retry", "inputs": {"n": "5"}}),
    Request("DELETE", "jobs/{id}", status=204),
)

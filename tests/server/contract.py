"""The OpenAPI document as a measure of what a server answers."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from jobdeck.server import _document


class Contract:
    """Tells where an answer is not what the document says. Nothing that it does not name may be in an answer."""

    def __init__(self) -> None:
        self.document = copy.deepcopy(_document.document())
        for schema in self.document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)

    @property
    def operations(self) -> set[tuple[str, str]]:
        """All methods (in lower case) and paths."""
        paths = self.document["paths"].items()
        return {(method, path) for path, item in paths for method in item if method != "parameters"}

    def path_of(self, path: str) -> str | None:
        """Return the document's path for one that was asked for, without the query."""
        asked = "/" + path.partition("?")[0]
        for known in self.document["paths"]:
            if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known)), asked):
                return known
        return None

    def misfits(self, method: str, path: str, body: bytes | None, answer: Any) -> list[str]:
        known = self.path_of(path)
        operation = self.document["paths"].get(known, {}).get(method.lower())
        if known is None or operation is None:
            return [] if answer.status in {403, 404, 405} else [f"{method} {path} is not there, but {answer.status}"]
        wrong = []
        if answer.headers["Cache-Control"] != "no-store" or answer.headers["X-Content-Type-Options"] != "nosniff":
            wrong.append(f"headers: {answer.headers}")
        if answer.status >= 500 and answer.status != 503:
            wrong.append(f"it failed: {answer.text}")
        said = self._resolved(operation["responses"].get(str(answer.status), operation["responses"]["default"]))
        content = said.get("content")
        if content is None:
            return wrong + ([answer.text] if answer.text else [])
        if not answer.headers["Content-Type"].startswith("application/json"):
            return [*wrong, f"type: {answer.headers['Content-Type']}"]
        wrong += self._wrong(content["application/json"]["schema"], json.loads(answer.text))
        if "requestBody" in operation and answer.status == 200:
            assert body is not None
            wrong += self._wrong(operation["requestBody"]["content"]["application/json"]["schema"], json.loads(body))
        return wrong

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        return self.document["components"]["responses"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part

    def _wrong(self, schema: Any, value: Any) -> list[str]:
        checks = Draft202012Validator({"allOf": [schema], "components": self.document["components"]})
        return [f"{error.json_path}: {error.message}" for error in checks.iter_errors(value)]


CONTRACT = Contract()

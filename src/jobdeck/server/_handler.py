"""What all routes have in common: who may ask, what may be asked, and how it is answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado import web

from .._errors import EngineError, InvalidInputError, JobdeckError, JobNotFoundError, QueryError, StoreError
from .._plain import plain
from ._document import Malformed, Operation, operation
from ._home import ServedHome

T = TypeVar("T")

AUTH_RESOURCE: Final = "jobdeck"

_STATUS: Final = (
    (JobNotFoundError, HTTPStatus.NOT_FOUND),
    (InvalidInputError, HTTPStatus.BAD_REQUEST),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (EngineError, HTTPStatus.SERVICE_UNAVAILABLE),
    (JobdeckError, HTTPStatus.CONFLICT),
)
_WORDS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "say who you are: send the server's token as `Authorization: token …`",
    HTTPStatus.FORBIDDEN: "this is not allowed: send the server's token as `Authorization: token …`, "
    "or with cookies the X-XSRFToken",
    HTTPStatus.NOT_FOUND: "there is nothing here for a page of another site",
    HTTPStatus.METHOD_NOT_ALLOWED: "this method is not there; openapi.json says which are",
    HTTPStatus.INTERNAL_SERVER_ERROR: "jobdeck failed to answer; the Jupyter server's log says why",
}


class Refusal(web.HTTPError):
    """An answer that says in a sentence why something was not done.

    Parameters
    ----------
    status, words
        The answer's status and its sentence.
    facts
        What else the answer tells.
    """

    def __init__(self, status: int, words: str, **facts: Any) -> None:
        super().__init__(status, "%s", plain(words, 1000))
        self.answer = {"error": words, **facts}


def refusal_of(error: JobdeckError) -> Refusal:
    """Return the answer to a request that failed with one of jobdeck's own errors."""
    if isinstance(error, QueryError):
        return Refusal(HTTPStatus.BAD_REQUEST, error.message, start=error.start, end=error.end)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return Refusal(status, str(error))


class JsonAnswers(web.RequestHandler):
    """Answers in JSON, errors too, which no cache keeps; Jupyter's own headers keep them from being taken for pages."""

    def set_default_headers(self) -> None:
        """Keep answers out of caches."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def answer(self, value: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value, allow_nan=False))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say in a sentence what went wrong."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, Refusal):
            self.answer(error.answer)
            return
        said = (error.log_message or "") % error.args if isinstance(error, web.HTTPError) else ""
        self.answer({"error": said or _WORDS.get(status_code) or f"the request failed with status {status_code}"})


class HomeHandler(JsonAnswers, APIHandler):
    """A route. `path` is its key in the document, which says what its methods take."""

    auth_resource: ClassVar[str] = AUTH_RESOURCE
    path: ClassVar[str]

    @property
    def home(self) -> ServedHome:
        """The home that this server serves."""
        home: ServedHome = self.settings["jobdeck_home"]
        return home

    def arguments(self, *parts: str) -> dict[str, Any]:
        """Return what was asked for, checked; `parts` are those of the path, in order."""
        names = re.findall(r"\{(\w+)\}", self.path)
        given = query_of(self) | {name: [part] for name, part in zip(names, parts, strict=True)}
        return checked(lambda: self._operation().arguments(given))

    def payload(self) -> Any:
        """Return the request's body, checked."""
        return checked(lambda: self._operation().payload(self.request.body))

    async def done(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do work that may read the disk or wait for the store, off the event loop."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except JobdeckError as error:
            raise refusal_of(error) from error

    def _operation(self) -> Operation:
        return operation(self.path, str(self.request.method).lower())


def query_of(handler: web.RequestHandler) -> dict[str, list[str]]:
    """Return the texts in a request's query, by name."""
    found = handler.request.query_arguments
    return {name: [value.decode("utf-8", "replace") for value in values] for name, values in found.items()}


def checked(read: Callable[[], T]) -> T:
    """Return what was read of a request, or raise the answer to a malformed one."""
    try:
        return read()
    except Malformed as malformed:
        raise Refusal(malformed.status, str(malformed)) from malformed


def pattern_of(path: str) -> str:
    """Return what tornado is to match below the API's root."""
    return re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)) if path != "/" else "/?"

"""A copy of the client library's client for looking after jobs: it gives up early, and leaves the person's own alone.

The library tries a failed request up to five times, for a quarter of a minute, and waits for an answer for ever.
Whoever looks after jobs tries again anyway, less and less often; and a service in trouble is not asked six times
instead of once.
"""

# mypy: disable-error-code="import-untyped, import-not-found"

from __future__ import annotations

import copy
from functools import cache
from typing import Any, Final

from .service_words import message_in

TIMEOUT: Final = (5.0, 30.0)
"""Seconds to connect, and between two bytes of the answer."""


def impatient(client: Any) -> Any:
    """Return a copy of a client, with a connection and a token of its own, that asks once and waits half a minute."""
    # What it has noted of devices may be megabytes, and is of no use here.
    noted = getattr(client, "_configuration_registry", None)
    own = copy.deepcopy(client, {} if noted is None else {id(noted): {}})
    session: Any = getattr(own, "_session", None)
    if session is not None:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _adapter()(max_retries=0))
    return own


@cache
def _adapter() -> Any:
    # The library needs requests, jobdeck does not.
    from requests.adapters import HTTPAdapter

    class Impatient(HTTPAdapter):
        def send(self, request: Any, *args: Any, **how: Any) -> Any:
            return super().send(request, *args, **{**how, "timeout": TIMEOUT})

    return Impatient


def status_of_answer(error: BaseException) -> int | None:
    """Return the HTTP status behind an error of the client library, None where there was no answer."""
    for each in _causes(error):
        status = getattr(getattr(each, "response", None), "status_code", None)
        if not isinstance(status, int):
            status = getattr(each, "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
    return None


def retry_after(error: BaseException) -> float | None:
    """Return for how many seconds the service asked not to be asked, None if it did not say."""
    for each in _causes(error):
        headers = getattr(getattr(each, "response", None), "headers", None) or {}
        text = headers.get("Retry-After", "")
        if text.isdigit():
            return float(text)
    return None


def lost_connection(error: BaseException) -> ConnectionError | None:
    """Return in words that the service cannot be had now; None if that is not what the error is about."""
    status = status_of_answer(error)
    if status is not None:
        said = message_in(error)
        if status in (401, 403):
            return ConnectionError(f"IBM's service does not accept this account ({said})")
        if status == 429:
            return ConnectionError(f"IBM's service asks to be asked less often ({said})")
        return ConnectionError(f"IBM's service is in trouble ({status}: {said})") if status >= 500 else None
    for each in _causes(error):
        if isinstance(each, TimeoutError) or any(kind.__name__ == "Timeout" for kind in type(each).__mro__):
            return ConnectionError("IBM's service does not answer")
        if isinstance(each, OSError):
            return ConnectionError("IBM's service cannot be reached")
    return None


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found

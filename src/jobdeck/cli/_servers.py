"""Which of the user's running Jupyter servers serve this store, asked of the servers themselves."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from .._plain import plain
from .._version import __version__
from .._wire import API, PROTOCOL

_PATIENCE: Final = 2.0
_LONGEST: Final = 65_536
_ENABLE: Final = "run in its environment: pip install jobdeck, jupyter server extension enable jobdeck; start it again"


@dataclass(frozen=True)
class Served:
    """What one running server says, and what to do where that is not what one wants."""

    url: str
    text: str
    is_problem: bool = False
    next_step: str | None = None


def ask_servers(store_id: str) -> Iterator[Served]:
    """Ask each of the user's running servers which store it serves."""
    if find_spec("jupyter_server") is None:
        return
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        url = plain(str(server.get("url", "")))
        if url.startswith(("http://", "https://")):
            yield _judged(url, store_id, *_asked(url, str(server.get("token", ""))))
        else:
            yield Served(url, "not asked: it listens on no network")


def _asked(url: str, token: str) -> tuple[int, Mapping[str, Any], str]:
    """Return the answer's status, its content, and where there was none the reason."""
    # Without the slash at the end, which a server without the extension would take off by a redirection.
    request = urllib.request.Request(url.rstrip("/") + "/" + API.rstrip("/"))
    if token:
        request.add_header("Authorization", f"token {token}")
    try:
        # Never by way of a proxy, which would get to know the token.
        with _OPENER.open(request, timeout=_PATIENCE) as answer:
            return answer.status, _content(answer.read(_LONGEST)), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _content(error.read(_LONGEST)), ""
    except (OSError, ValueError) as error:
        return 0, {}, plain(str(getattr(error, "reason", error)), 200)


def _content(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _judged(url: str, store_id: str, status: int, said: Mapping[str, Any], reason: str) -> Served:
    if reason:
        return Served(url, f"it does not answer: {reason}", next_step="see whether it hangs, and start it again")
    if status in {301, 302, 401, 403}:
        return Served(
            url,
            "not asked: it wants a password",
            next_step="give it a token for this, or see whether its cards are live",
        )
    if status == 503:
        words = plain(str(said.get("error") or said.get("message") or "no reason given"), 500)
        return Served(url, f"it cannot use its home: {words}", True, "mend that home; the server need not be restarted")
    if status != 200 or not isinstance(said.get("store_id"), str):
        return Served(url, "it runs without jobdeck's server extension", next_step=_ENABLE)
    version, protocol, other = plain(str(said.get("version")), 60), said.get("protocol"), plain(said["store_id"], 60)
    if protocol != PROTOCOL:
        words = f"it has jobdeck {version} (protocol {protocol}); here is {__version__} (protocol {PROTOCOL})"
        return Served(url, words, True, "install the same version in both environments; start that server again")
    if said["store_id"] != store_id:
        words = f"it serves another store, whose ids begin with {other} (here with {store_id}); jobdeck {version}"
        step = "for one store in both, start it with the JOBDECK_HOME of this one, or look here with --home"
        return Served(url, words, next_step=step)
    return Served(url, f"it serves this store; jobdeck {version}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would lead to a login, or take the token elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """Leave it at the answer that there is."""


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

"""``/jobdeck/api/v1/feed``: a feed over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from .._errors import StoreError
from .._feed import Answer, Conversation
from .._version import __version__
from .._wire import PROTOCOL
from ._document import operation
from ._handler import AUTH_RESOURCE, JsonAnswers, Refusal, checked, query_of, refusal_of
from ._home import ServedHome

OTHER_PROTOCOL: Final = 4406
"""Code with which the stream of a page that speaks another protocol is closed."""
_LONGEST_MESSAGE: Final = 1_048_576
_TOO_BIG: Final = 1009
_ORDERS: Final[dict[str, Answer]] = {"command": "reply", "bulk": "report"}
"""What changes jobs, and how it is answered."""


class FeedHandler(JsonAnswers, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One page's feed. It is told of nothing until it has said which jobs it wants."""

    auth_resource: ClassVar[str] = AUTH_RESOURCE
    path: ClassVar[str] = "/feed"
    _feed: Conversation | None = None
    _may_command = False
    _spoken = PROTOCOL

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Check who asks, open the home, and only then shake hands."""
        if not await self._may("read"):
            raise web.HTTPError(403)
        self._may_command = await self._may("write")
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise Refusal(400, "this is the event stream: open it as a WebSocket")
        self._spoken = checked(lambda: operation(self.path, "get").arguments(query_of(self)))["protocol"]
        if self._spoken != PROTOCOL:
            await super().get(*args, **kwargs)
            return
        self._loop = asyncio.get_running_loop()
        home: ServedHome = self.settings["jobdeck_home"]
        try:
            self._feed = await asyncio.to_thread(home.open_feed, self._send)
        except StoreError as error:
            raise refusal_of(error) from error
        try:
            # Returns when the connection has ended, however it has.
            await super().get(*args, **kwargs)
        finally:
            await asyncio.to_thread(home.close_feed, self._feed)

    def get_compression_options(self) -> dict[str, Any]:
        """Compress: the rows of a large deck are megabytes of much the same, and a page may be far from its hub."""
        return {"compression_level": 1}

    async def _may(self, action: str) -> bool:
        allowed = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        return bool(await ensure_async(allowed))

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a page that would not understand what it is told, in words that any version of it shows."""
        super().open(*args, **kwargs)
        if self._spoken != PROTOCOL:
            words, reason = mismatch(self._spoken)
            self.write_message(json.dumps({"type": "trouble", "error": words}))
            self.close(OTHER_PROTOCOL, reason)

    def on_message(self, message: str | bytes) -> None:
        """Hand a request to the feed; what it does not understand it answers itself."""
        if len(message) > _LONGEST_MESSAGE:
            self.close(_TOO_BIG, "a request is at most 1 MiB long")
            return
        if self._feed is None:
            return
        try:
            frame = json.loads(message)
        except (ValueError, RecursionError):
            frame = None
        if isinstance(frame, dict) and not self._may_command:
            kind, number = frame.get("type"), frame.get("request")
            if isinstance(kind, str) and kind in _ORDERS:
                number = number if isinstance(number, int) else 0
                self._feed.refuse(_ORDERS[kind], number, "you are not allowed to change jobs here")
                return
        self._feed.receive(frame)

    def _send(self, frame: Mapping[str, Any]) -> bool:
        """Take a frame from the feed's thread; the next one is wanted when this one is on its way."""
        text = json.dumps(frame, separators=(",", ":"), allow_nan=False)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._write, text)
        return False

    def _write(self, text: str) -> None:
        try:
            sent = asyncio.ensure_future(self.write_message(text))
        except WebSocketClosedError:
            return
        sent.add_done_callback(self._written)

    def _written(self, sent: asyncio.Future[None]) -> None:
        if sent.cancelled() or isinstance(sent.exception(), WebSocketClosedError | StreamClosedError):
            return
        if self._feed is not None:
            self._feed.resume()


def mismatch(spoken: int) -> tuple[str, str]:
    """Return what a page of another protocol is told: a sentence, and a reason of at most 123 bytes."""
    here = f"jobdeck {__version__} (protocol {PROTOCOL})"
    if spoken < PROTOCOL:
        step = f"reload the page; if that changes nothing, install jobdeck {__version__} where JupyterLab runs"
    else:
        step = "install the page's version where the Jupyter server runs, and start the server again"
    return f"This page speaks protocol {spoken}, but the Jupyter server has {here}: {step}.", f"the server has {here}"

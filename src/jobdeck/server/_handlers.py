"""The routes that answer once. Each is authenticated and authorised by the Jupyter server's own means."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar, Final

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from .._errors import StoreError
from .._feed import Refused, parse, read_snapshot
from .._still import render_html, render_text
from .._version import __version__
from .._wire import PROTOCOL, Snapshot
from ._home import ServedHome

AUTH_RESOURCE: Final = "jobdeck"
_LONGEST_BODY: Final = 4_096
_MOST_IDS: Final = 200


class HomeHandler(APIHandler):
    """What the routes have in common."""

    auth_resource: ClassVar[str] = AUTH_RESOURCE

    @property
    def home(self) -> ServedHome:
        """The home that this server serves."""
        home: ServedHome = self.settings["jobdeck_home"]
        return home

    def finish_json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value, allow_nan=False))


class InfoHandler(HomeHandler):
    """``GET /jobdeck/api/v1/``: who serves which store, for a page to find out whether it is its kernel's."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with version, protocol and store."""
        try:
            store_id = await asyncio.to_thread(lambda: self.home.store.store_id)
        except StoreError as error:
            raise unavailable(error) from error
        self.finish_json({"version": __version__, "protocol": PROTOCOL, "store_id": store_id})


class CommandsHandler(HomeHandler):
    """``POST /jobdeck/api/v1/jobs/{id}/commands``: cancel, kill or retry, whatever the kernel does just now."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Write the command into the store and answer with a `Reply`; 409 where the job does not allow it."""
        if len(self.request.body) > _LONGEST_BODY:
            raise web.HTTPError(413, "a command is a few bytes long")
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            body = None
        command = body.get("command") if isinstance(body, dict) else None
        try:
            request = parse({"type": "command", "request": 0, "id": job_id, "command": command})
        except Refused as refused:
            self.finish_json(refused.answer(), 400)
            return
        if request["type"] != "command":
            raise web.HTTPError(400)
        try:
            reply = await asyncio.to_thread(self.home.command, request)
        except StoreError as error:
            raise unavailable(error) from error
        self.finish_json(reply, 200 if reply["error"] is None else 409)


class StillHandler(HomeHandler):
    """``GET /jobdeck/api/v1/html?ids=…&layout=…``: the jobs in the forms that a saved notebook keeps."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the HTML and the plain text of these jobs as they stand."""
        ids = [job_id for job_id in self.get_query_argument("ids", "").split(",") if job_id]
        layout = self.get_query_argument("layout", "card")
        try:
            request = parse({"type": "subscribe", "ids": ids})
        except Refused as refused:
            raise web.HTTPError(400, refused.words) from refused
        if layout not in {"card", "list"} or len(ids) > _MOST_IDS or request["type"] != "subscribe":
            raise web.HTTPError(400, f"layout is card or list; at most {_MOST_IDS} ids")
        try:
            forms = await asyncio.to_thread(self._forms, ids, layout)
        except StoreError as error:
            raise unavailable(error) from error
        self.finish_json(forms)

    def _forms(self, ids: list[str], layout: str) -> dict[str, str]:
        snapshot: Snapshot = read_snapshot(self.home.store, ids)
        return {"html": render_html(snapshot, layout), "text": render_text(snapshot)}


def unavailable(error: StoreError) -> web.HTTPError:
    """Return the answer of a server whose home cannot be used: its reason, and that it may be asked again."""
    words = str(error)
    return web.HTTPError(503, words.replace("%", "%%"), reason="jobdeck's home cannot be used")

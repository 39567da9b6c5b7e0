"""The routes about the server itself and about jobs as a saved notebook keeps them."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from .._feed import read_deck, read_group, read_snapshot
from .._still import (
    render_deck_html,
    render_deck_text,
    render_group_html,
    render_group_text,
    render_html,
    render_text,
)
from .._version import __version__
from .._wire import PROTOCOL
from . import _document
from ._handler import HomeHandler, Refusal


class InfoHandler(HomeHandler):
    """Who serves which store, for a page to find out whether it is its kernel's."""

    path = "/"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with version, protocol and store."""
        store_id = await self.done(lambda: self.home.store.store_id)
        self.answer({"version": __version__, "protocol": PROTOCOL, "store_id": store_id})


class DocumentHandler(HomeHandler):
    """The OpenAPI document."""

    path = "/openapi.json"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the document."""
        self.finish(_document.text())


class StillHandler(HomeHandler):
    """Jobs in the forms that a saved notebook keeps."""

    path = "/html"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the HTML and the plain text of these jobs as they stand."""
        asked = self.arguments()
        if asked["layout"] == "group" and "group" not in asked:
            raise Refusal(400, "with the layout group, `group` has to say which one")
        self.answer(await self.done(self._forms, asked["ids"], asked["layout"], asked.get("group", "")))

    def _forms(self, ids: list[str], layout: str, group_id: str) -> dict[str, str]:
        if layout == "group":
            group, deck = read_group(self.home.store, group_id), read_deck(self.home.store, group_id)
            return {"html": render_group_html(group, deck), "text": render_group_text(group, deck)}
        if layout == "deck":
            deck = read_deck(self.home.store)
            return {"html": render_deck_html(deck), "text": render_deck_text(deck)}
        snapshot = read_snapshot(self.home.store, ids)
        return {"html": render_html(snapshot, layout), "text": render_text(snapshot)}

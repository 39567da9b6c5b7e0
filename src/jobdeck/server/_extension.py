"""The extension as the Jupyter server sees it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from jupyter_server.extension.application import ExtensionApp

from .._wire import API
from ._about import DocumentHandler, InfoHandler, StillHandler
from ._deck import BulkHandler, GroupsHandler, JobsHandler
from ._handler import pattern_of
from ._home import ServedHome
from ._jobs import CommandsHandler, JobHandler, LogHandler, MessageHandler, MessagesHandler
from ._socket import FeedHandler

HANDLERS: Final = (
    InfoHandler,
    DocumentHandler,
    StillHandler,
    FeedHandler,
    JobsHandler,
    GroupsHandler,
    BulkHandler,
    JobHandler,
    MessagesHandler,
    MessageHandler,
    LogHandler,
    CommandsHandler,
)


class JobdeckExtension(ExtensionApp):
    """Serves the jobs of the user's home. Loading it opens nothing: the first request does."""

    name = "jobdeck"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        """Say where handlers find the home."""
        self.home = ServedHome()
        self.settings["jobdeck_home"] = self.home

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(("/" + API.rstrip("/") + pattern_of(kind.path), kind) for kind in HANDLERS)

    async def stop_extension(self) -> None:
        """Close all feeds and the store."""
        await asyncio.to_thread(self.home.close)


def extension_points() -> list[dict[str, Any]]:
    """Return what `_jupyter_server_extension_points` has to."""
    return [{"module": "jobdeck.server", "app": JobdeckExtension}]

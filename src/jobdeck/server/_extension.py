"""The extension as the Jupyter server sees it."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from ._handlers import CommandsHandler, InfoHandler, StillHandler
from ._home import ServedHome
from ._socket import FeedHandler

_API = r"/jobdeck/api/v1"


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
        self.handlers.extend(
            [
                (_API + r"/?", InfoHandler),
                (_API + r"/feed", FeedHandler),
                (_API + r"/html", StillHandler),
                (_API + r"/jobs/([^/]+)/commands", CommandsHandler),
            ]
        )

    async def stop_extension(self) -> None:
        """Close all feeds and the store."""
        await asyncio.to_thread(self.home.close)


def extension_points() -> list[dict[str, Any]]:
    """Return what `_jupyter_server_extension_points` has to."""
    return [{"module": "jobdeck.server", "app": JobdeckExtension}]

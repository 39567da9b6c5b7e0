"""jobdeck: a live deck of jobs for Jupyter.

Importing it starts nothing: no thread, no process, no file, no comm. Names are resolved on first use.
"""

from __future__ import annotations

from ._version import __version__ as __version__


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .server import extension_points

    return extension_points()


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jobdeck"}]

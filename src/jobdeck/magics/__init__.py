"""The magics of ``%load_ext jobdeck``."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_loaded: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def load(shell: Any) -> None:
    """Add the magics to an IPython shell."""
    from ._magics import JobMagics

    unload(shell)
    _loaded[shell] = JobMagics(shell)
    _loaded[shell].begin()


def unload(shell: Any) -> None:
    """Take them away again; harmless where they are not."""
    magics = _loaded.pop(shell, None)
    if magics is not None:
        magics.end()

"""jobdeck: a live deck of jobs for Jupyter.

Importing it starts nothing: no thread, no process, no file, no comm. Names are resolved on first use; their types are
in ``__init__.pyi``.
"""

from __future__ import annotations

from importlib import import_module

from . import _presenting
from ._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMES = {
    "_toplevel": "run submit prepare map sweep job jobs group groups delete_job dashboard prune cancel_jobs retry_jobs "
    "delete_jobs tag_jobs upload_program program programs pprint_programs update_program delete_program "
    "set_program_visibility watch watching backend backends",
    "_bulk": "BulkReport",
    "_deck": "Deck",
    "_watch_qiskit": "watch_qiskit unwatch_qiskit",
    "_executor": "JobExecutor",
    "_job": "Job JobList Progress",
    "_group": "JobGroup",
    "_managed": "JobManager ManagedJobSet ManagedJob ManagedResults",
    "_programs": "Program ParameterNamespace",
    "_options": "RuntimeOptions",
    "_status": "JobStatus",
    "_current": "current_messenger",
    "_messenger": "UserMessenger",
    "_tqdm": "tqdm",
    "watchers": "Watched Reading",
    "_codec": "RuntimeEncoder ResultDecoder",
    "_errors": "JobdeckError JobError JobTimeoutError RuntimeJobFailureError JobCancelledError JobNotFoundError "
    "RuntimeInvalidStateError InvalidInputError QueryError UnpicklableError EncodingError EngineError StoreError",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}

_MODULES = ("managed", "qiskit", "runtime")
"""Public modules that ``import jobdeck`` is enough for."""

# A star import must not take the place of Python's own `map`.
__all__ = ["__version__", *(name for name in _WHERE if name != "map")]  # noqa: PLE0604 - they are strings


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_MODULES} - {"TYPE_CHECKING", "annotations", "import_module"})


def load_ipython_extension(ipython: Any) -> None:
    """Add the magics; what ``%load_ext jobdeck`` calls."""
    from .magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics away again."""
    from .magics import unload

    unload(ipython)


def _presenter() -> Any:
    from .widgets import presenter

    return presenter()


_presenting.set_presenter(_presenter)


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .server import extension_points

    return extension_points()


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jobdeck"}]

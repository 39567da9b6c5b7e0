"""Pickles for a job's process, and the search for what cannot be pickled."""

from __future__ import annotations

import functools
import io
import pickle
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import cloudpickle  # type: ignore[import-untyped]  # it ships no types

from .._errors import UnpicklableError
from .._plain import a_kind
from .preview import preview
from .reach import Part, parts_of_callable

_MAX_STEPS: Final = 12
_PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_NAMED: Final = frozenset({FunctionType, BuiltinFunctionType, type})


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Sends functions and classes by value where the job's process could not import their module."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.by_value: dict[str, ModuleType] = {}
        self._known: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (FunctionType, type)):
            self._consider(obj.__module__)
        elif isinstance(obj, ModuleType):
            self._consider(obj.__name__)
        return super().reducer_override(obj)

    def _consider(self, name: str | None) -> None:
        if not isinstance(name, str) or name in self._known:
            return
        self._known.add(name)
        module = sys.modules.get(name)
        registered = cloudpickle.list_registry_pickle_by_value()
        if module is None or name == "__main__" or name in registered or is_importable(name, module):
            return
        cloudpickle.register_pickle_by_value(module)
        self.by_value[name] = module


def is_importable(name: str, module: ModuleType) -> bool:
    """Tell whether another process with this one's import path finds this very module by its name."""
    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return True
    parent, _, _ = name.rpartition(".")
    path = None
    if parent:
        above = sys.modules.get(parent)
        if above is None or not is_importable(parent, above):
            return False
        path = getattr(above, "__path__", None)
    origin = getattr(module, "__file__", None)
    if parent and path is None:
        # No package: an extension module, which builds its submodules as it is imported (qiskit._accelerate).
        return origin is None
    return _is_found(name, None if path is None else tuple(path), origin, tuple(sys.path))


@functools.lru_cache(maxsize=1024)
def _is_found(name: str, path: tuple[str, ...] | None, origin: str | None, _sys_path: tuple[str, ...]) -> bool:
    # Remembered for as long as the import path stays the same: the search stats dozens of files for each job.
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec = find(name, path) if find is not None else None
        if spec is not None:
            return origin is None or spec.origin is None or spec.origin == origin or not spec.has_location
    # A package may build submodules as it is imported (six.moves): whoever imports the package gets them.
    return path is not None and origin is None


def dumps(value: Any) -> bytes:
    """Pickle with cloudpickle; functions of modules that only this process has go by value, as do ``__main__``'s."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(value)
    finally:
        for module in pickler.by_value.values():
            cloudpickle.unregister_pickle_by_value(module)
    return file.getvalue()


def are_plain(values: Iterable[Any]) -> bool:
    """Tell whether these pickle in the same way in whatever process: what they are made of needs no looking at."""
    return all(type(value) in _PLAIN for value in values)


def dumps_plain(value: Any) -> bytes:
    """Pickle one of jobdeck's own values with nothing but plain ones in it, at a fifth of what `dumps` costs."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def dumps_by_name(value: Any, named: Any) -> bytes | None:
    """Pickle one of jobdeck's own values as `dumps` would, at a tenth of the cost, where the process allows it.

    Parameters
    ----------
    value
        All in it is plain, but for `named`.
    named
        A function or class.

    Returns
    -------
    bytes or None
        None where `named` is not sent as its name alone: then `dumps` has to look at it.
    """
    name = named.__module__ if type(named) in _NAMED else None
    if not isinstance(name, str) or name == "__main__":
        return None
    if any(
        name == by_value or name.startswith(f"{by_value}.") for by_value in cloudpickle.list_registry_pickle_by_value()
    ):
        return None
    module = sys.modules.get(name)
    if module is None or not is_importable(name, module):
        return None
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError):  # what has its name is something else
        return None


def dumps_named(value: Any, parts: Iterable[Part]) -> bytes:
    """Pickle `value`; an error names the one of its `parts`, and in it the innermost part, that cannot be pickled.

    Raises
    ------
    UnpicklableError
    """
    try:
        return dumps(value)
    except Exception as exc:  # pickling runs the values' own code, which may raise anything
        for part in parts:
            if _reason(part.value) is not None:
                raise UnpicklableError(_complaint(part)) from exc
        raise UnpicklableError(f"this cannot be sent to a job: {exc}") from exc


def _complaint(part: Part) -> str:
    trail = _trail(part.value)
    culprit = trail[-1].value if trail else part.value
    where = ", ".join(step.label for step in trail) or "it"
    return (
        f"{part.label} cannot be sent to a job: {where} is {a_kind(culprit)} ({_reason(culprit)}); "
        "create it inside the program, or pass what it is made from"
    )


def _reason(value: Any) -> str | None:
    try:
        dumps(value)
    except Exception as exc:  # noqa: BLE001 - the values' own code may raise anything; its text is what we are after
        return preview(exc.args[0] if exc.args and isinstance(exc.args[0], str) else exc).strip("'\"")
    return None


def _trail(value: Any) -> list[Part]:
    """Follow the first part that cannot be pickled down to where no part is to blame."""
    trail: list[Part] = []
    seen = {id(value)}
    while len(trail) < _MAX_STEPS:
        for part in _parts(value):
            if id(part.value) not in seen and _reason(part.value) is not None:
                trail.append(part)
                seen.add(id(part.value))
                value = part.value
                break
        else:
            break
    return trail


def _parts(value: Any) -> Iterator[Part]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield Part(f"the item {preview(key, 60)}", part)
            yield Part(f"the key {preview(key, 60)}", key)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for number, part in enumerate(value):
            yield Part(f"the item {number}", part)
    elif isinstance(value, ModuleType):
        return
    elif isinstance(value, (FunctionType, MethodType, functools.partial, type)):
        yield from parts_of_callable(value)
    elif isinstance(getattr(value, "__dict__", None), dict):
        for name, part in vars(value).items():
            yield Part(f"the attribute {name!r}", part)
        if type(value).__module__ == "__main__":
            yield Part(f"its class {type(value).__name__}", type(value))


def loads(data: bytes) -> Any:
    """Open a pickle of the user's own store. Called in a job's process, or in the one that asks for the value."""
    return pickle.loads(data)

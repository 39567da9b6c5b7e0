"""Which objects were watched before, for as long as they live."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

from .foreign import Foreign
from .ports import Watched


class Memory:
    """Finds the job of an object, or of another object that stands for the same job. It keeps nothing alive."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._objects: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._identities: WeakValueDictionary[Hashable, Foreign] = WeakValueDictionary()
        self._foreign: WeakValueDictionary[str, Foreign] = WeakValueDictionary()

    def keep(self, watched: Watched, foreign: Foreign) -> None:
        """Remember what was watched."""
        self._foreign[foreign.job_id] = foreign
        if watched.identity is not None:
            self._identities[watched.identity] = foreign
        origin = _origin(watched)
        key = id(origin)
        try:
            # The number of an object that is gone is soon another one's.
            here = weakref.ref(origin, lambda _: self._forget(key))
        except TypeError:
            self._identities["object", key] = foreign
            return
        with self._lock:
            self._objects[key] = (here, foreign.job_id)

    def job_of(self, watched: Watched) -> str | None:
        """Return the id of the job that this is, if it is known."""
        origin = _origin(watched)
        with self._lock:
            here, job_id = self._objects.get(id(origin), (None, None))
        if here is not None and here() is origin:
            return job_id
        for identity in (watched.identity, ("object", id(origin))):
            foreign = None if identity is None else self._identities.get(identity)
            # Where it cannot be referred to weakly, what is watched holds the object, so that its number is its own.
            if foreign is not None and (identity is watched.identity or _origin(foreign.watched) is origin):
                return foreign.job_id
        return None

    def foreign(self, job_id: str) -> Foreign | None:
        """Return what somebody still has of a job."""
        return self._foreign.get(job_id)

    def _forget(self, key: int) -> None:
        with self._lock:
            found = self._objects.get(key)
            if found is not None and found[0]() is None:
                del self._objects[key]


def _origin(watched: Watched) -> Any:
    """Return the object that was watched; an adapter's own where somebody made one by hand."""
    return watched if watched.origin is None else watched.origin

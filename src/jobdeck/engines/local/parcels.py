"""What jobs need to start, read from the store once for all the jobs that have it in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..._ports import Store
from ..._program import Context
from ..._records import PayloadKeys
from .launcher import Parcel, Startup

LARGE: Final = 256 << 10
"""Bytes above which a job's process reads its payload itself."""
_REMEMBERED: Final = 500
_REMEMBERED_BYTES: Final = 8 << 20


class Parcels:
    """Makes parcels of the jobs of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bodies: dict[str, bytes] = {}
        self._bytes = 0
        self._contexts: dict[str, tuple[Startup, tuple[str, ...]]] = {}

    def of(self, payloads: Mapping[str, PayloadKeys]) -> dict[str, tuple[Parcel, Startup, tuple[str, ...]] | str]:
        """Return each job's parcel, how its interpreter is to be started, and the path for that; or what is wrong."""
        found: dict[str, tuple[Parcel, Startup, tuple[str, ...]] | str] = {}
        for job_id, keys in payloads.items():
            try:
                startup, path = self._startup(keys.context)
                if keys.size > LARGE:
                    found[job_id] = (Parcel(job_id, keys.output), startup, path)
                else:
                    parts = (keys.program, keys.inputs, keys.context)
                    found[job_id] = (Parcel(job_id, keys.output, parts, tuple(map(self._body, parts))), startup, path)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                found[job_id] = f"its context cannot be read: {error!r}"
            except LookupError as error:
                found[job_id] = f"its payload is gone: {error}"
        return found

    def _startup(self, key: str) -> tuple[Startup, tuple[str, ...]]:
        known = self._contexts.get(key)
        if known is None:
            context = Context.from_bytes(self._store.body(key))
            if len(self._contexts) >= _REMEMBERED:
                self._contexts.clear()
            known = self._contexts[key] = (
                Startup.of(context.interpreter, context.env, context.libraries, context.sys_path),
                context.sys_path,
            )
        return known

    def _body(self, key: str) -> bytes:
        body = self._bodies.get(key)
        if body is None:
            body = self._store.body(key)
            self._bytes += len(body)
            if len(self._bodies) >= _REMEMBERED or self._bytes > _REMEMBERED_BYTES:
                self._bodies.clear()
                self._bytes = len(body)
            self._bodies[key] = body
        return body

"""Jobs that have survived the kernel that watched them: reached again by what the store knows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .adapters import reattach
from .ports import Reading, Watched


class NotReachable(Exception):
    """No adapter here can reach the job."""


class Reattached(Watched):
    """Stands for a job until its adapter has reached it, which is done by the first look.

    Attributes
    ----------
    job : Watched or None
        What was reached.
    """

    survives = True

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        self.system = str(source.get("system", ""))
        self.job: Watched | None = None
        self._wake: Callable[[], None] | None = None

    def read(self) -> Reading:
        return self._reached().read()

    def result(self) -> Any:
        return self._reached().result()

    def cancel(self) -> bool | None:
        return self._reached().cancel()

    def on_change(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def close(self) -> None:
        if self.job is not None:
            self.job.close()

    def _reached(self) -> Watched:
        if self.job is None:
            job = reattach(self.source)
            if job is None:
                raise NotReachable(f"cannot be reached from here: nothing in this kernel reaches {self.system} jobs")
            if self._wake is not None:
                job.on_change(self._wake)
            self.job = job
        return self.job

"""A service whose jobs are files: they go on when a kernel dies, and any process reaches them again.

It is copied into a folder of its own, beside an entry point that names `adapt`, as another package would bring it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jobdeck


class RemoteJob(jobdeck.Watched):
    """A job of the service: ``ID`` holds its status, ``ID.result`` its result; to stop it makes ``ID.cancel``."""

    system = "remote"
    survives = True
    pace = (0.02, 0.1)

    def __init__(self, folder: str, job_id: str) -> None:
        self.source = {"id": job_id, "folder": folder}
        self._path = Path(folder, job_id)

    def read(self) -> jobdeck.Reading:
        with self._path.with_suffix(".looks").open("a") as looks:
            looks.write(".")
        return jobdeck.Reading(self._path.read_text())

    def result(self) -> str:
        return self._path.with_suffix(".result").read_text()

    def cancel(self) -> bool:
        self._path.with_suffix(".cancel").touch()
        return True


def adapt(obj: Any) -> jobdeck.Watched | None:
    """Watch what is called like a job of the service: ``("remote", folder, id)``."""
    return RemoteJob(*obj[1:]) if isinstance(obj, tuple) and obj[:1] == ("remote",) else None


def reattach(source: Mapping[str, Any]) -> jobdeck.Watched | None:
    """Reach a job again."""
    return RemoteJob(source["folder"], source["id"]) if source["system"] == "remote" else None


adapt.reattach = reattach  # type: ignore[attr-defined]

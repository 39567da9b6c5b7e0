"""Results that a cluster keeps: which of them nobody can ask for any more, and how many bytes all of them are."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Final

from ..._errors import JobNotFoundError
from ..._plain import size
from ..._ports import Store
from ..._records import JobQuery
from ..._status import JobStatus, is_final
from .cluster import Cluster

_NO_ROOM: Final = "forgotten to make room for newer ones (the setting dask_results_total)"


class Leftovers:
    """What one scheduler keeps of a store's results, and is still to forget.

    Parameters
    ----------
    store : Store
    engine : str
        The engine's name.
    """

    def __init__(self, store: Store, engine: str) -> None:
        self._store = store
        self._engine = engine
        self._surplus: set[str] = set()
        self._kept: dict[str, int] = {}
        """Bytes of those that can be asked for, the oldest first."""

    def add(self, job_id: str) -> None:
        """Have a job's result forgotten, if there is one."""
        self._surplus.add(job_id)

    def compare(self, kept: Collection[str]) -> None:
        """Note what the cluster keeps, and have those of this home's results forgotten that nobody can ask for."""
        if not kept:
            return
        records = sorted(self._store.jobs(JobQuery(job_ids=tuple(kept))), key=lambda record: record.ended or 0.0)
        done = [record.job_id for record in records if record.status == JobStatus.DONE]
        outcomes = self._store.outcomes(done)
        for job_id in done:
            if (found := outcomes[job_id].kept if job_id in outcomes else None) is not None:
                self._kept[job_id] = found
        under_way = {record.job_id for record in records if not is_final(record.status)}
        self._surplus |= set(kept) - self._kept.keys() - under_way

    def keep_within(self, total: int | None) -> None:
        """Have the oldest forgotten until the others are no more than so many bytes; the newest stays in any case."""
        if total is None:
            return
        all_of_them = sum(self._kept.values())
        for job_id, its_own in list(self._kept.items())[:-1]:
            if all_of_them <= total:
                return
            with contextlib.suppress(JobNotFoundError):
                self._store.note_result(job_id, f"{size(its_own)}, gone: {_NO_ROOM}")
            del self._kept[job_id]
            self._surplus.add(job_id)
            all_of_them -= its_own

    def forget(self, cluster: Cluster) -> None:
        """Have the cluster forget the results of jobs that were removed, or have not come to be DONE after all."""
        removed = self._store.leftovers(self._engine)
        for job_id in removed:
            self._kept.pop(job_id, None)
        if not removed and not self._surplus:
            return
        cluster.drop_results([*removed, *self._surplus])
        self._store.drop_leftovers(removed)
        self._surplus.clear()

    def give_up(self) -> None:
        """The cluster is gone, and all that it kept."""
        self._kept.clear()
        self._store.drop_leftovers(self._store.leftovers(self._engine))

"""Results that a cluster keeps and that nobody can ask for any more."""

from __future__ import annotations

from collections.abc import Collection

from ..._ports import Store
from ..._records import JobQuery
from ..._status import JobStatus, is_final
from .cluster import Cluster


class Leftovers:
    """What one scheduler is still to forget of a store's results.

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

    def add(self, job_id: str) -> None:
        """Have a job's result forgotten, if there is one."""
        self._surplus.add(job_id)

    def compare(self, kept: Collection[str]) -> None:
        """Of results that the cluster keeps, have those forgotten that are this home's and nobody's to ask for."""
        if not kept:
            return
        own = {job_id for job_id in kept if job_id.startswith(f"{self._store.store_id}-")}
        records = self._store.jobs(JobQuery(job_ids=tuple(own)))
        done = [record.job_id for record in records if record.status == JobStatus.DONE]
        wanted = {job_id for job_id, outcome in self._store.outcomes(done).items() if outcome.kept is not None}
        self._surplus |= own - wanted - {record.job_id for record in records if not is_final(record.status)}

    def forget(self, cluster: Cluster) -> None:
        """Have the cluster forget the results of jobs that were removed, or have not come to be DONE after all."""
        removed = self._store.leftovers(self._engine)
        if not removed and not self._surplus:
            return
        cluster.drop_results([*removed, *self._surplus])
        self._store.drop_leftovers(removed)
        self._surplus.clear()

    def give_up(self) -> None:
        """The cluster is gone, and all that it kept."""
        self._store.drop_leftovers(self._store.leftovers(self._engine))

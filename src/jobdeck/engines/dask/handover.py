"""Jobs of the store as they are handed to a scheduler."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..._errors import EngineError, InvalidInputError
from ..._ports import Store
from ..._records import JobRecord, Outcome
from ..._version import __version__
from .cluster import Cluster
from .options import checked_options
from .travel import Parcel


class Handed(NamedTuple):
    """What became of jobs that were to be handed over: why some were refused, and which are not in the store."""

    refused: dict[str, str]
    gone: list[str]


def hand_over(store: Store, cluster: Cluster, topic: str, limit: int | None, records: Sequence[JobRecord]) -> Handed:
    """Hand jobs to a scheduler, whose workers are to tell of them under `topic`.

    Results of more bytes than `limit` are to stay there.

    Raises
    ------
    EngineError
        The scheduler cannot be told just now; it may have some of the jobs.
    """
    handed = Handed({}, [])
    jobs: list[tuple[Parcel, dict[str, Any]]] = []
    payloads = store.payloads([record.job_id for record in records])
    for record in records:
        payload = payloads.get(record.job_id)
        if payload is None:
            handed.gone.append(record.job_id)
            continue
        try:
            how = checked_options(record.metadata)
            sources = _sources(payload.context)
        except InvalidInputError as error:
            handed.refused[record.job_id] = str(error)
            continue
        except (ValueError, AttributeError) as error:
            handed.refused[record.job_id] = f"its context cannot be read: {error!r}"
            continue
        parcel: Parcel = {
            "job": record.job_id,
            "name": record.name,
            "version": __version__,
            "topic": topic,
            "program": payload.program,
            "inputs": payload.inputs,
            "sources": sources,
            "timeout": record.timeout,
            "limit": how.pop("result_limit", limit),
            "retries": how.get("retries", 0),
        }
        jobs.append((parcel, how))
    for job_id, reason in cluster.submit(jobs).items():
        handed.refused[job_id] = f"Dask refuses it: {reason}"
    return handed


@lru_cache(maxsize=4)
def _sources(context: bytes) -> bytes:
    """Return what of a kernel's context the workers need: all else, its environment above all, is their own."""
    found = json.loads(context).get("sources") if context else None
    return json.dumps(found).encode() if found else b""


def refusal(job_id: str, words: str) -> Outcome:
    """Return the outcome of a job that cannot even be handed over."""
    return Outcome(
        False, exception_type=EngineError.__name__, exception_text=f"{EngineError.__name__}: job {job_id}: {words}"
    )

"""Finding one job by a part of its id."""

from __future__ import annotations

import re
from typing import Final

from .._errors import JobNotFoundError
from .._plain import plain
from .._ports import Store
from .._records import JobQuery, JobRecord
from .checks import abbreviates

_PART: Final = re.compile(r"[a-z2-7-]+")
"""What ids are made of."""
_SHOWN: Final = 5


def resolve(store: Store, job_id: str) -> JobRecord:
    """Return the job of this id, or of the only id that begins or ends with it. JobNotFoundError if there is none."""
    try:
        return store.job(job_id)
    except JobNotFoundError as error:
        if not _PART.fullmatch(job_id):
            raise
        unknown = error
    holders = store.jobs(JobQuery(id_part=job_id))
    found = [record for record in holders if abbreviates(job_id, record.job_id)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise unknown
    some = ", ".join(record.job_id for record in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise JobNotFoundError(f"{plain(job_id)!r} could be any of {len(found)} jobs: {some}{more}; give more of the id")

"""Why jobs end of which nobody can tell how their programs ended, in words."""

from __future__ import annotations

from socket import gaierror

from .intake import Away


def lost(why: str) -> str:
    """Return what a job's end says of which nobody can tell how its program ended."""
    return f"lost: {why}; retry() runs it again"


def died(away: Away) -> str:
    """Return why a job's run is over that nobody has told the end of."""
    return f"the worker at {away.worker} died while it ran there"


def reason(error: BaseException | None, worker: str | None) -> str:
    """Return why a job is lost of which Dask has this to say."""
    name = type(error).__name__
    if name == "KilledWorker":
        return lost(f"the workers that ran it died, the last one at {worker}")
    if isinstance(error, gaierror):
        return f"lost: its scheduler finds no host of the name that the option 'workers' has ({error}); give another"
    return lost(f"Dask could not run it: {error or name}")

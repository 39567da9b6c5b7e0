"""A client of a scheduler, for a while."""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from ..._errors import EngineError
from ..workers import first_number

CONNECT: Final = 10.0
"""Seconds for which a scheduler is waited for."""
_PATIENCE: Final = 30.0


def patience() -> float:
    """Seconds after which a scheduler that does not come back is given up, and its jobs with it."""
    return first_number(None, os.environ.get("JOBDECK_DASK_PATIENCE"), _PATIENCE)


def connected(address: str, security: Mapping[str, Any] | None, timeout: float = CONNECT) -> Any:
    """Return a client of the scheduler at this address, to be closed by who asked for it.

    Parameters
    ----------
    address
        As Dask writes it.
    security
        How to be let in, see `address.kept_security`.

    Raises
    ------
    EngineError
        The scheduler cannot be reached.
    """
    from distributed import Client
    from distributed.security import Security

    try:
        return Client(
            address,
            security=None if security is None else Security(**security),
            timeout=timeout,
            set_as_default=False,
            name="jobdeck",
        )
    except Exception as error:
        # Anything: what Dask's own configuration must not be, it asserts.
        raise EngineError(f"the Dask scheduler at {address} cannot be reached: {str(error) or repr(error)}") from error

"""Where a Dask engine is: its name among the engines, its scheduler's address, and how it is let in there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ..._errors import EngineError

PREFIX: Final = "dask"
_SCHEMES: Final = {"dask": "tcp", "dask+tls": "tls", "dask+ucx": "ucx"}


def is_dask(engine: str) -> bool:
    """Tell whether an engine's name says that it is a Dask cluster."""
    return engine.partition("://")[0] in _SCHEMES


def checked(engine: str) -> str:
    """Return an engine's name as it is kept. EngineError where it names no scheduler."""
    scheme, _, place = engine.partition("://")
    host, _, port = place.rstrip("/").rpartition(":")
    if scheme not in _SCHEMES or not host or not port.isdigit():
        raise EngineError(f"{engine!r} names no Dask scheduler; write dask://HOST:PORT (or dask+tls://HOST:PORT)")
    return f"{scheme}://{host}:{port}"


def scheduler_address(engine: str) -> str:
    """Return the address by which Dask knows the scheduler."""
    scheme, _, place = engine.partition("://")
    return f"{_SCHEMES[scheme]}://{place}"


def file_name(engine: str) -> str:
    """Return what the files of this engine's agent are called in the home."""
    return quote(engine, safe="")


def engine_of(given: Any) -> str | None:
    """Return the name of the engine of a Dask client or cluster, None for what is neither.

    Raises
    ------
    EngineError
        Its scheduler cannot be reached from another process.
    """
    scheduler = getattr(given, "scheduler", None)
    address = getattr(scheduler, "address", None) or getattr(given, "scheduler_address", None)
    if not isinstance(address, str) or "://" not in address or not type(given).__module__.startswith(_MODULES):
        return None
    scheme, _, place = address.partition("://")
    names = {transport: name for name, transport in _SCHEMES.items()}
    if scheme not in names:
        raise EngineError(
            f"the scheduler of this cluster is at {address}, where no other process can reach it; "
            "make the cluster with processes=True, or give it a TCP address"
        )
    return checked(f"{names[scheme]}://{place}")


_MODULES: Final = (
    "distributed.",
    "dask_jobqueue.",
    "dask_kubernetes.",
    "dask_cloudprovider.",
    "dask_gateway.",
    "coiled.",
)


# --- TLS


def keep_security(home: Path, engine: str, given: Any) -> None:
    """Keep how a client or cluster is let in, for the agent: paths of certificates, or the certificates themselves.

    The file can be read by its owner alone, as all of the home.
    """
    security = getattr(given, "security", None)
    if security is None:
        return
    parts = {
        "require_encryption": bool(getattr(security, "require_encryption", False)),
        "tls_ca_file": getattr(security, "tls_ca_file", None),
        "tls_client_cert": getattr(security, "tls_client_cert", None),
        "tls_client_key": getattr(security, "tls_client_key", None),
        "tls_ciphers": getattr(security, "tls_ciphers", None),
    }
    if not any(parts.values()):
        return
    path = _security_path(home, engine)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump(parts, file)
    os.replace(draft, path)


def kept_security(home: Path, engine: str) -> Mapping[str, Any] | None:
    """Return what `keep_security` kept, None where there is nothing."""
    try:
        parts: Mapping[str, Any] = json.loads(_security_path(home, engine).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return {name: value for name, value in parts.items() if value is not None}


def _security_path(home: Path, engine: str) -> Path:
    return home / "agents" / f"{file_name(engine)}.security"

"""Where a job of IBM's service is, and how the next kernel gets there: by the person's saved account.

A token is never kept. An address out of the store never decides where a token goes, either: the account that is saved
has its own, and where that is another one, the job is not reached.
"""

# mypy: disable-error-code="import-untyped, import-not-found"

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..reattachment import NotReachable
from .service_words import message_in

SYSTEM: Final = "ibm-runtime"
_DEFAULT_URL: Final = "https://cloud.ibm.com"
_DEFAULT_CHANNEL: Final = "ibm_quantum_platform"


@dataclass(frozen=True)
class Place:
    """One instance of the service.

    Attributes
    ----------
    url : str or None
        None for the service's usual address.
    """

    channel: str
    instance: str
    url: str | None = None

    def source(self, job_id: str) -> dict[str, Any]:
        """Return what the store keeps of a job here."""
        told = {"system": SYSTEM, "id": job_id, "channel": self.channel, "instance": self.instance}
        return told if self.url is None else {**told, "url": self.url}

    def is_at(self, url: object) -> bool:
        """Tell whether an account with this address is one of here."""
        return _trimmed(url) == _trimmed(self.url)


def place_of(job: Any) -> Place | None:
    """Return where a job of the client library is, without a request; None where it does not tell."""
    service = getattr(job, "_service", None)
    holders = (getattr(job, "_api_client", None), getattr(job, "_backend", None))
    instance = next((found for holder in holders if (found := vars(holder).get("_instance") if holder else None)), None)
    if not isinstance(instance, str) or not instance:
        return None
    channel = getattr(service, "channel", None)
    active = getattr(service, "active_account", None)
    url = (active() or {}).get("url") if callable(active) else None
    place = Place(channel if isinstance(channel, str) else _DEFAULT_CHANNEL, instance)
    return place if place.is_at(url) else Place(place.channel, instance, _trimmed(url))


def place_in(source: Mapping[str, Any]) -> Place | None:
    """Return where the store says that a job is, None if it does not."""
    channel, instance, url = source.get("channel"), source.get("instance"), source.get("url")
    if not isinstance(channel, str) or not isinstance(instance, str):
        return None
    return Place(channel, instance, url if isinstance(url, str) else None)


def open_service(place: Place) -> Any:
    """Return a `QiskitRuntimeService` for an instance, by the account of the environment or a saved one.

    Raises
    ------
    NotReachable
        There is no such account here, or it has no access; in words that say what to do.
    OSError
        The service cannot be reached now.
    """
    try:
        from qiskit_ibm_runtime import QiskitRuntimeService
        from qiskit_ibm_runtime.accounts import AccountNotFoundError

        from .service_client import lost_connection
    except ImportError as error:
        raise NotReachable(f"this kernel lacks qiskit-ibm-runtime ({error}): pip install 'jobdeck[qiskit]'") from None
    try:
        name = None if os.environ.get("QISKIT_IBM_TOKEN") else _saved_name(QiskitRuntimeService, place)
        how = {"channel": place.channel} if name is None else {"name": name}
        service = QiskitRuntimeService(instance=place.instance, **how)
    except AccountNotFoundError:
        raise NotReachable(account_needed(place)) from None
    except Exception as error:
        if (lost := lost_connection(error)) is not None:
            raise lost from error
        raise NotReachable(
            f"{account_needed(place)}; the one that there is does not do: {message_in(error)}"
        ) from error
    url = (service.active_account() or {}).get("url")
    if not place.is_at(url):
        raise NotReachable(f"{account_needed(place)}; the one that there is is for {url}")
    return service


def account_needed(place: Place) -> str:
    """Say what a person has to do to have a job reached."""
    url = "" if place.url is None else f", url={place.url!r}"
    return (
        f"saved account needed: QiskitRuntimeService.save_account(channel={place.channel!r}, token=…, "
        f"instance={place.instance!r}{url})"
    )


def _saved_name(kind: Any, place: Place) -> str | None:
    """Return the name of the account that was saved for this very instance; None leaves the choice to the library."""
    for name, account in kind.saved_accounts(channel=place.channel).items():
        if account.get("instance") == place.instance and place.is_at(account.get("url")):
            return str(name)
    return None


def _trimmed(url: object) -> str:
    return url.rstrip("/") if isinstance(url, str) and url else _DEFAULT_URL

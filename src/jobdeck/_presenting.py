"""How jobs come to be shown in a notebook, without this layer knowing any widget."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # `import jobdeck` imports this module, and has to be light
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._ports import Layout, Presenter, Store

_factory: Callable[[], Presenter] | None = None


def set_presenter(factory: Callable[[], Presenter] | None) -> None:
    """Say who shows jobs; `factory` is called when the first one is shown."""
    global _factory  # noqa: PLW0603 - a process has one front end
    _factory = factory


def presenter() -> Presenter | None:
    """Return who shows jobs, None where nobody does."""
    return None if _factory is None else _factory()


def display(store: Store, job_ids: Sequence[str], layout: Layout, text: str, group_id: str | None = None) -> None:
    """Show jobs in the notebook, as text where nobody can."""
    shown_by = presenter()
    if shown_by is None:
        print(text)
    else:
        shown_by.display(store, job_ids, layout, group_id)


def mimebundle(
    store: Store, job_ids: Sequence[str], layout: Layout, text: str, group_id: str | None = None
) -> dict[str, Any]:
    """Return the same as data."""
    shown_by = presenter()
    return {"text/plain": text} if shown_by is None else shown_by.mimebundle(store, job_ids, layout, group_id)


def element(store: Store, job_ids: Sequence[str], layout: Layout, text: str, group_id: str | None = None) -> Any:
    """Return what marimo is to show in the place of jobs, the text where there is nothing better."""
    shown_by = presenter()
    shown = None if shown_by is None else shown_by.element(store, job_ids, layout, group_id)
    return text if shown is None else shown

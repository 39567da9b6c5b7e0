"""The functions of :mod:`jobdeck`: the methods of one default deck."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from ._deck import Deck
from ._service import JobService

P = ParamSpec("P")
T = TypeVar("T")

_deck: Deck | None = None


def default_deck() -> Deck:
    """Return the deck of jobdeck's functions: made on first use, and another one when ``JOBDECK_HOME`` has changed."""
    global _deck  # noqa: PLW0603 - that there is one is what it is for
    home = JobService.of().home
    deck = _deck
    if deck is None or deck.home != home or not deck.is_open:
        # Two threads may both come here: two decks on one home are as good as one.
        deck = _deck = Deck(home)
    return deck


def _on_default(method: Callable[Concatenate[Deck, P], T]) -> Callable[P, T]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return method(default_deck(), *args, **kwargs)

    signature = inspect.signature(method)
    call.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    call.__module__ = "jobdeck"
    call.__qualname__ = method.__name__
    return call


run = _on_default(Deck.run)
submit = _on_default(Deck.submit)
prepare = _on_default(Deck.prepare)
map = _on_default(Deck.map)
sweep = _on_default(Deck.sweep)
group = _on_default(Deck.group)
groups = _on_default(Deck.groups)
watch = _on_default(Deck.watch)
watching = _on_default(Deck.watching)
job = _on_default(Deck.job)
jobs = _on_default(Deck.jobs)
delete_job = _on_default(Deck.delete_job)
upload_program = _on_default(Deck.upload_program)
program = _on_default(Deck.program)
programs = _on_default(Deck.programs)
update_program = _on_default(Deck.update_program)
delete_program = _on_default(Deck.delete_program)
set_program_visibility = _on_default(Deck.set_program_visibility)
pprint_programs = _on_default(Deck.pprint_programs)
backend = _on_default(Deck.backend)
backends = _on_default(Deck.backends)
dashboard = _on_default(Deck.dashboard)
cancel_jobs = _on_default(Deck.cancel_jobs)
retry_jobs = _on_default(Deck.retry_jobs)
delete_jobs = _on_default(Deck.delete_jobs)
tag_jobs = _on_default(Deck.tag_jobs)
prune = _on_default(Deck.prune)

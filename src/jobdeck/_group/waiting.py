"""Waiting for the end of a group's jobs, however many: one subscription, no handle and no thread for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from .._errors import StoreError
from .._follow import Follower, Update
from .._status import is_final

_LONGEST_PAUSE: Final = 5.0
"""Seconds after which the store is asked how the group stands, whatever was told."""
_STORE_PATIENCE: Final = 30.0
"""Seconds for which a store that cannot be read does not end a wait."""
_FEW: Final = 100
"""Jobs from which on the end has to be noticed within milliseconds. While there are more, looks are ten times rarer."""


class _News(NamedTuple):
    open: frozenset[str]
    ended: frozenset[str]


def wait_for_end(
    follower: Follower, group_id: str, read_open: Callable[[], set[str]], timeout: float | None
) -> set[str]:
    """Wait until none of a group's jobs is under way, those included that come meanwhile.

    Parameters
    ----------
    follower
        Tells of changes.
    group_id
        The group.
    read_open
        Reads which of its jobs have not ended.
    timeout
        Seconds; None waits for as long as it takes.

    Returns
    -------
    set of str
        The jobs that have not ended within that time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    if not (open_ids := read_open()):
        return open_ids
    # A SimpleQueue, since an interrupt can never leave it locked, and putting never blocks the follower.
    news: SimpleQueue[_News] = SimpleQueue()

    def hear(update: Update) -> None:
        own = [record for record in update.jobs if record.group_id == group_id]
        ended = frozenset(record.job_id for record in own if is_final(record.status))
        if own or update.deleted:
            news.put(_News(frozenset(record.job_id for record in own) - ended, ended.union(update.deleted)))

    # To all jobs of the store: a set of ten thousand ids would be gone through at each look.
    subscription = follower.subscribe(hear, job_ids=None, prompt=False)
    last_look = time.monotonic()

    def look() -> set[str]:
        nonlocal last_look
        try:
            found = read_open()
        except StoreError:
            if time.monotonic() - last_look > _STORE_PATIENCE:
                raise
            return open_ids
        last_look = time.monotonic()
        return found

    try:
        open_ids = look()
        while open_ids:
            if len(open_ids) <= _FEW and not subscription.prompt:
                subscription.prompt = True
                follower.wake()
            left = _LONGEST_PAUSE if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return look()
            try:
                told = news.get(timeout=min(left, _LONGEST_PAUSE))
            except Empty:
                open_ids = look()
                continue
            # Where nothing seems to be left, the store decides: what was told may be older than what was read.
            open_ids = (open_ids | told.open) - told.ended or look()
        return open_ids
    finally:
        subscription.close()

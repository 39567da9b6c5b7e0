"""From the store to a view: snapshots, coalesced deltas, and the answers to what a view asks."""

from __future__ import annotations

from ._feed import Feed as Feed
from ._snapshot import read_snapshot as read_snapshot

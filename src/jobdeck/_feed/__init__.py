"""From the store to a view: snapshots, coalesced deltas, and the answers to what a view asks."""

from __future__ import annotations

from ._feed import Feed as Feed
from ._pump import PUMP as PUMP
from ._requests import Refused as Refused
from ._requests import Retry as Retry
from ._requests import answer_command as answer_command
from ._requests import obey as obey
from ._requests import parse as parse
from ._requests import read_message_rows as read_message_rows
from ._requests import read_output as read_output
from ._requests import read_view as read_view
from ._snapshot import read_snapshot as read_snapshot

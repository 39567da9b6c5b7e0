"""From the store to a view: its cards, the deck, and the answers to what it asks."""

from __future__ import annotations

from ._conversation import Conversation as Conversation
from ._groups import group_view as group_view
from ._groups import read_group as read_group
from ._pump import PUMP as PUMP
from ._requests import Answer as Answer
from ._requests import Refused as Refused
from ._requests import answer_command as answer_command
from ._requests import obey as obey
from ._requests import parse as parse
from ._requests import read_message_rows as read_message_rows
from ._requests import read_output as read_output
from ._requests import read_view as read_view
from ._rows import read_rows as read_rows
from ._snapshot import read_snapshot as read_snapshot
from ._table import read_deck as read_deck

from __future__ import annotations

from decks import deck, gate

__all__ = ["deck", "gate"]

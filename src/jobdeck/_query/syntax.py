"""What the parser makes of a query: a tree of terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator = Literal[":", "<", "<=", ">", ">=", "=", "!="]


@dataclass(frozen=True)
class Word:
    """A word of a query and where it stands. A quoted one is text as it is: no pattern, no status."""

    text: str
    is_quoted: bool
    start: int
    end: int


@dataclass(frozen=True)
class Term:
    """A comparison of a field (`name`) with any of some words; without a name, words to look for."""

    name: Word | None
    operator: Operator
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Node, ...]


Node: TypeAlias = Term | Not | AllOf | AnyOf

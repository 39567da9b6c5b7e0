"""From a query's text to a tree of terms.

::

    any  := all ("OR" all)*
    all  := not ("AND"? not)*
    not  := ("NOT" | "-")* (term | "(" any ")")
    term := (name operator)? word ("," word)*
"""

from __future__ import annotations

from typing import Final, cast

from .fields import STATUS_WORDS
from .scanner import SPACES, Scanner
from .syntax import AllOf, AnyOf, Node, Not, Term

DEEPEST: Final = 50


def tree_of(text: str) -> Node | None:
    """Return the tree of a query, None for an empty one. QueryError where the text is none."""
    scanner = Scanner(text)
    tree = _any(scanner, 0)
    if scanner.peek():
        scanner.fail("this parenthesis was never opened", scanner.at, scanner.at + 1)
    return tree


def _any(scanner: Scanner, depth: int) -> Node | None:
    parts: list[Node] = []
    last: int | None = None
    while True:
        part = _all(scanner, depth)
        if part is None:
            if scanner.keyword("OR"):
                scanner.fail("OR needs something before it", scanner.at, scanner.at + 2)
            if last is not None:
                scanner.fail("OR needs something after it", last, last + 2)
            return None
        parts.append(part)
        if not scanner.keyword("OR"):
            return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))
        last = scanner.at
        scanner.at += 2


def _all(scanner: Scanner, depth: int) -> Node | None:
    parts: list[Node] = []
    statuses: list[Term] = []
    while True:
        scanner.skip_spaces()
        if _is_end(scanner) or scanner.keyword("OR"):
            break
        if scanner.keyword("AND"):
            start = scanner.at
            scanner.at += 3
            scanner.skip_spaces()
            if not (parts or statuses):
                scanner.fail("AND needs something before it", start, start + 3)
            if _is_end(scanner) or scanner.keyword("OR", "AND"):
                scanner.fail("AND needs something after it", start, start + 3)
        is_bare = scanner.peek() not in ("(", "-") and not scanner.keyword("NOT")
        parts.append(_not(scanner, depth))
        if is_bare and _is_status(parts[-1]):
            statuses.append(cast(Term, parts.pop()))
    if statuses:
        # No job has two, so that any of those that stand side by side is meant.
        parts.insert(0, Term(None, ":", tuple(word for term in statuses for word in term.words)))
    return AllOf(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None


def _not(scanner: Scanner, depth: int) -> Node:
    is_negated = False
    while True:
        start = scanner.at
        if scanner.peek() == "-":
            scanner.at += 1
            if _is_end(scanner) or scanner.peek() in SPACES:
                scanner.fail("- stands right before what is to be left out", start, scanner.at)
        elif scanner.keyword("NOT"):
            scanner.at += 3
            scanner.skip_spaces()
            if _is_end(scanner):
                scanner.fail("NOT needs something after it", start, start + 3)
        else:
            break
        is_negated = not is_negated
    if keyword := scanner.keyword("OR", "AND"):
        scanner.fail(f"{keyword} needs something before it", scanner.at, scanner.at + len(keyword))
    part = _group(scanner, depth + 1) if scanner.peek() == "(" else scanner.term()
    return Not(part) if is_negated else part


def _group(scanner: Scanner, depth: int) -> Node:
    start = scanner.at
    if depth > DEEPEST:
        scanner.fail(f"parentheses are at most {DEEPEST} deep", start, start + 1)
    scanner.at += 1
    part = _any(scanner, depth)
    if scanner.peek() != ")":
        scanner.fail("this parenthesis is never closed", start, start + 1)
    scanner.at += 1
    if part is None:
        scanner.fail("there is nothing in these parentheses", start, scanner.at)
    return part


def _is_end(scanner: Scanner) -> bool:
    return scanner.peek() in ("", ")")


def _is_status(node: Node) -> bool:
    if not isinstance(node, Term) or node.name is not None:
        return False
    return all(not word.is_quoted and word.text.lower() in STATUS_WORDS for word in node.words)

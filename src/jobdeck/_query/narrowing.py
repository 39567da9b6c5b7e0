"""What of a query the store can look for by itself, so that few records are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from .._records import JobQuery
from .._status import FINAL
from .fields import ACTIVE, STATUS_WORDS
from .patterns import is_pattern
from .quantities import Age, Day, moment_of
from .syntax import AllOf, Node, Term

_JOB_ID: Final = re.compile(r"[a-z2-7]{6}-[a-z2-7]{12}")
_GROUP_ID: Final = re.compile(r"[a-z2-7]{6}-g[a-z2-7]{12}")
_FINAL: Final = tuple(sorted(status.value for status in FINAL))

UNDER_WAY: Final = JobQuery(without=_FINAL)
"""Jobs that have not ended."""


@dataclass(frozen=True)
class Narrowed:
    """A store's query that finds all jobs which a query means; if it `is_exact`, no others."""

    query: JobQuery
    is_exact: bool


def narrowed(tree: Node | None, within: JobQuery, now: float) -> Narrowed:
    """Return what to ask the store for: the jobs of `within`, fewer where terms of the tree allow it."""
    terms = () if tree is None else tree.parts if isinstance(tree, AllOf) else (tree,)
    query, is_exact = within, True
    for term in terms:
        found = _with_term(query, term, now) if isinstance(term, Term) else None
        is_exact = is_exact and found is not None and found.is_exact
        query = query if found is None else found.query
    return Narrowed(query, is_exact)


def _with_term(query: JobQuery, term: Term, now: float) -> Narrowed | None:
    """Return the query with a term in it, None where it cannot hold it. What it holds already stays as it is."""
    field = None if term.name is None or term.name.is_quoted else term.name.text.lower()
    is_equal = term.operator in (":", "=")
    if is_equal and (term.name is None or field == "status"):
        return _with_statuses(query, term)
    if field == "created":
        return _with_created(query, term, now)
    if not is_equal:
        return None
    texts = [word.text.lower() for word in term.words]
    if field == "id" and query.job_ids is None and all(map(_JOB_ID.fullmatch, texts)):
        return Narrowed(replace(query, job_ids=tuple(dict.fromkeys(texts))), True)
    if field == "group" and query.group_id is None and len(texts) == 1 and _GROUP_ID.fullmatch(texts[0]):
        return Narrowed(replace(query, group_id=texts[0]), True)
    if len(texts) > 1 or is_pattern(term.words[0]) or not (texts[0].isascii() and texts[0].isprintable()):
        return None
    # SQLite knows the cases of ASCII alone, which is enough to find what is ASCII (but for the Kelvin sign).
    if field == "name" and query.name is None:
        return Narrowed(replace(query, name=texts[0]), False)
    # Tags and an engine that were given beside the query are compared as they are.
    if field == "tag" and (query.ignore_case or not (query.tags or query.engine)):
        return Narrowed(replace(query, tags=(*query.tags, texts[0]), ignore_case=True), True)
    if field == "engine" and not query.engine and (query.ignore_case or not query.tags):
        return Narrowed(replace(query, engine=texts[0], ignore_case=True), True)
    return None


def _with_statuses(query: JobQuery, term: Term) -> Narrowed | None:
    words = list(_status_words(term))
    if len(words) < len(term.words):
        return None
    statuses = tuple(dict.fromkeys(status for word in words for status in STATUS_WORDS[word]))
    if ACTIVE not in words:
        return Narrowed(replace(query, status=statuses), True) if query.status is None else None
    if query.without:
        return None
    return Narrowed(replace(query, without=tuple(status for status in _FINAL if status not in statuses)), True)


def _status_words(term: Term) -> Iterator[str]:
    for word in term.words:
        lower = word.text.lower()
        if lower in STATUS_WORDS and (term.name is not None or not word.is_quoted):
            yield lower


def _with_created(query: JobQuery, term: Term, now: float) -> Narrowed | None:
    if len(term.words) > 1 or term.operator == "!=" or (moment := moment_of(term.words[0].text)) is None:
        return None
    after: float | None = None
    before: float | None = None
    if isinstance(moment, Age):
        if term.operator in (":", "<", "<="):
            after = now - moment.seconds
        else:
            before = now - moment.seconds
    else:
        span = moment.span(now) if isinstance(moment, Day) else moment
        if term.operator in (":", "=", ">", ">="):
            after = span.end if term.operator == ">" else span.start
        if term.operator in (":", "=", "<", "<="):
            before = span.start if term.operator == "<" else span.end
    # The store's bounds are open ones: a little wider, they leave what lies on them to the condition.
    if after is not None and query.created_after is None:
        query = replace(query, created_after=after - 1)
    if before is not None and query.created_before is None:
        query = replace(query, created_before=before + 1)
    return Narrowed(query, False)

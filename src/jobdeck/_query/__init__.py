"""The query language: finding jobs by what a person types. docs/queries.md is its description.

``js/src/model/query`` is the same language in the browser; ``tests/wire/queries.json`` holds both to it.
"""

from .completion import Completion, Vocabulary, complete
from .fields import GRAMMAR
from .finding import resolve
from .narrowing import UNDER_WAY
from .query import Query, parse
from .subject import Facts, JobFacts

__all__ = [
    "GRAMMAR",
    "UNDER_WAY",
    "Completion",
    "Facts",
    "JobFacts",
    "Query",
    "Vocabulary",
    "complete",
    "parse",
    "resolve",
]

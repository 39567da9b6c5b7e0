"""The query language: finding jobs by what a person types. docs/queries.md is its description.

``js/src/model/query`` is the same language in the browser; ``tests/wire/queries.json`` holds both to it.
"""

from .fields import GRAMMAR, STATUS_WORDS
from .finding import resolve
from .query import Query, parse
from .subject import Facts, JobFacts

__all__ = ["GRAMMAR", "STATUS_WORDS", "Facts", "JobFacts", "Query", "parse", "resolve"]

"""Tab completion for the magics."""

from __future__ import annotations

from typing import Any, Final

from .._errors import JobdeckError
from .._query import Vocabulary
from .._query import complete as complete_query
from .._records import JobQuery
from .._service import JobService
from .._status import is_final

_MAGICS: Final = ("%job", "%jobs", "%cancel")
_MOST: Final = 200
_OPTIONS: Final = ("-t", "-i", "-o", "-e", "--timeout")
_ENGINES: Final = ("local", "threads", "dask://")


def begin(shell: Any) -> None:
    """Complete these magics' lines in a shell."""
    for magic in _MAGICS:
        shell.set_hook("complete_command", complete, str_key=magic)
    shell.set_hook("complete_command", complete_cell, str_key="%%job")
    shell.set_hook("complete_command", complete_expression, str_key="%watch")


def complete_cell(shell: Any, event: Any) -> list[str]:
    """Return what may stand after ``%%job``: its options, and what they take."""
    words = str(event.text_until_cursor).split()
    symbol = str(event.symbol)
    before = words[-2:-1] if symbol and words[-1] == symbol else words[-1:]
    if before == ["-e"]:
        return [name for name in _ENGINES if name.startswith(symbol)]
    if before in (["-i"], ["-o"]):
        return [name for name in shell.user_ns if name.startswith(symbol) and not name.startswith("_")]
    return [option for option in _OPTIONS if option.startswith(symbol)]


def complete_expression(shell: Any, event: Any) -> list[str]:
    """Return the names that an expression may begin with; what may stand after a dot IPython finds by itself."""
    symbol = str(event.symbol)
    found: list[str] = [] if "." in symbol else shell.Completer.global_matches(symbol)
    return found


def complete(_: Any, event: Any) -> list[str]:
    """Return what may stand after the magic: ids of recent jobs, and what a query may go on with."""
    typed = str(event.text_until_cursor).lstrip()
    command = str(event.command)
    magic = "%" + command.lstrip("%")
    try:
        jobs = JobService.of().store.jobs(JobQuery(limit=_MOST))
    except JobdeckError:
        return []
    ids = [job.job_id for job in jobs if magic == "%job" or not is_final(job.status)]
    if magic == "%job":
        return ids
    # IPython takes the place of what follows the last delimiter, which is not where a query's word begins.
    query, symbol = typed.removeprefix(command), str(event.symbol)
    found = complete_query(query, len(query), Vocabulary.of(jobs))
    options = [(query[: found.start] + option.text)[len(query) - len(symbol) :] for option in found.options]
    takes_id = magic == "%cancel" and query.strip() == symbol
    return [*ids, *options] if takes_id else options

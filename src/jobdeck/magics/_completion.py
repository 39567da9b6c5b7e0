"""Tab completion for ``%job``, ``%jobs`` and ``%cancel``."""

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


def begin(shell: Any) -> None:
    """Complete these magics' lines in a shell."""
    for magic in _MAGICS:
        shell.set_hook("complete_command", complete, str_key=magic)


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

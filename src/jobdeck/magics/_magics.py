"""``%%job``, ``%job``, ``%jobs``, ``%cancel``, ``%watch`` and ``%jobdeck``."""

from __future__ import annotations

import ast
import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

from IPython.core.error import UsageError
from IPython.display import display

from .._bulk import Bulk, lines_of
from .._cell import make_cell
from .._errors import JobdeckError, JobNotFoundError
from .._group import JobGroup
from .._job import Job, JobList
from .._plain import plain
from .._query import GRAMMAR, UNDER_WAY, parse, resolve
from .._service import JobService
from .._toplevel import default_deck
from ..magics import _completion
from ._arguments import Arguments, Names, query, seconds
from ._arrivals import Arrivals

F = TypeVar("F", bound=Callable[..., Any])

LATEST = "_job"
"""The notebook's variable with the job that a magic has started or shown last."""


def _in_one_line(magic: F) -> F:
    """Show jobdeck's own errors as IPython shows usage errors: in their words, without a traceback."""

    @functools.wraps(magic)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return magic(*args, **kwargs)
        except JobdeckError as error:
            raise UsageError(str(error)) from error

    return cast(F, call)


def _with_grammar(magic: F) -> F:
    """Say in a magic's help what a query is."""
    magic.__doc__ = f"{magic.__doc__}\n\nA query is {GRAMMAR}."
    return magic


class JobMagics:
    """The magics over jobdeck's default deck, in one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._arrivals = Arrivals(shell.user_ns)
        self._functions: dict[tuple[str, str], Callable[..., Any]] = {
            ("cell", "job"): self.run_cell,
            ("line", "job"): self.show_job,
            ("line", "jobs"): self.list_jobs,
            ("line", "cancel"): self.cancel_jobs,
            ("line", "watch"): self.watch_job,
            ("line", "jobdeck"): self.show_deck,
        }

    def begin(self) -> None:
        """Add them."""
        for (kind, name), function in self._functions.items():
            self._shell.register_magic_function(function, kind, name)
        self._arrivals.begin(self._shell)
        _completion.begin(self._shell)

    def end(self) -> None:
        """Take them away."""
        for kind, name in self._functions:
            self._shell.magics_manager.magics[kind].pop(name, None)
        self._arrivals.end(self._shell)

    @_in_one_line
    def run_cell(self, line: str, cell: str) -> None:
        """Run this cell in the background, as a job.

        ``%%job [NAME] [-t TAG]... [-i NAMES] [-o NAMES] [-e ENGINE] [--timeout S]``

        Modules, functions and classes that the cell uses come along; of the other variables those that -i names.
        ``publish`` and ``progress`` are there. The value of the last expression is the job's result. With -o, variables
        come back: they are set before the first cell that runs after the job is done. ``_job`` is the job.
        """
        asked = _JOB.read(line)
        scope = self._shell.user_ns
        name = asked.name or f"cell {self._number()}"
        inputs = tuple(dict.fromkeys(asked.inputs or ()))
        try:
            program = make_cell(
                self._plain_python(cell),
                scope,
                label=f"<%%job {name}>",
                inputs=inputs,
                outputs=tuple(asked.outputs or ()),
            )
        except SyntaxError as error:
            raise UsageError("".join(traceback.format_exception_only(error)).strip()) from error
        job = default_deck().run(
            program,
            inputs={variable: scope[variable] for variable in inputs if variable != "backend"},
            backend=scope["backend"] if "backend" in inputs else None,
            name=name,
            tags=asked.tags or (),
            engine=asked.engine,
            timeout=asked.timeout,
        )
        if asked.outputs:
            self._arrivals.expect(job, tuple(dict.fromkeys(asked.outputs)))
        scope[LATEST] = job
        display(job)  # type: ignore[no-untyped-call]

    @_in_one_line
    def show_job(self, line: str) -> Job[Any]:
        """Show one job's card and return the job: ``%job ID``. A part of the id will do, if it is the only one."""
        asked = _SHOW.read(line)
        job = default_deck().job(resolve(default_deck().store, asked.id).job_id)
        self._shell.user_ns[LATEST] = job
        return job

    @_with_grammar
    @_in_one_line
    def list_jobs(self, line: str) -> JobList:
        """Show jobs and return them, the newest first: ``%jobs [QUERY]``."""
        asked = parse(query("%jobs [QUERY]", line))
        service = JobService.of()
        found = asked.find(service.store)
        return JobList(map(service.handle, found), service)

    @_with_grammar
    @_in_one_line
    def cancel_jobs(self, line: str) -> None:
        """Ask jobs to stop: ``%cancel ID`` or ``%cancel QUERY``."""
        asked = query("%cancel ID or %cancel QUERY", line)
        if not asked:
            raise UsageError(f"say which jobs; usage: %cancel ID or %cancel QUERY; a query is {GRAMMAR}")
        service = JobService.of()
        try:
            found = [resolve(service.store, asked)]
        except JobNotFoundError as error:
            found = parse(asked).find(service.store, within=UNDER_WAY)
            if not found:
                words = f"no job that is under way fits {plain(asked)!r}; %jobs lists them all"
                raise JobNotFoundError(words) from error
        report = Bulk(service.store, "cancel", (record.job_id for record in found), origin="magic").finish()
        service.look()
        print("\n".join(lines_of(service.store, report)))

    @_in_one_line
    def watch_job(self, line: str) -> Job[Any] | JobGroup[Any]:
        """Show a job that something else runs, and return it: ``%watch EXPRESSION``, a future or a task, say."""
        if not line.strip():
            raise UsageError("say what to watch; usage: %watch EXPRESSION, such as a future or a job of Qiskit's")
        watched: Job[Any] | JobGroup[Any] = default_deck().watch(self._shell.ev(line))
        if isinstance(watched, Job):
            self._shell.user_ns[LATEST] = watched
        return watched

    @_in_one_line
    def show_deck(self, line: str) -> None:
        """Show the whole deck, jobs to come included: ``%jobdeck``."""
        _DECK.read(line)
        default_deck().dashboard()

    def _number(self) -> int:
        """Return the number that stands beside the cell that runs."""
        # While a cell runs, IPython's own count is that of this cell or already that of the next, by its version.
        return len(self._shell.history_manager.input_hist_raw) - 1 or int(self._shell.execution_count)

    def _plain_python(self, cell: str) -> str:
        """Return what there is to run. Magics are refused, since a job's process has no IPython."""
        try:
            ast.parse(cell)
        except SyntaxError:
            python: str = self._shell.transform_cell(cell)
            if "get_ipython()" in python and "get_ipython()" not in cell:
                raise UsageError("magics, ! and ? do not work inside %%job, which runs plain Python") from None
            return python
        return cell


def _job_arguments() -> Arguments:
    arguments = Arguments("%%job", "Run this cell as a job.")
    arguments.add_argument("name", metavar="NAME", nargs="?")
    arguments.add_argument("-t", "--tag", metavar="TAG", dest="tags", action="append")
    arguments.add_argument("-i", "--input", metavar="NAMES", dest="inputs", action=Names)
    arguments.add_argument("-o", "--output", metavar="NAMES", dest="outputs", action=Names)
    arguments.add_argument("-e", "--engine", metavar="ENGINE")
    arguments.add_argument("--timeout", metavar="S", type=seconds)
    return arguments


_JOB = _job_arguments()
_SHOW = Arguments("%job", "Show a job.")
_SHOW.add_argument("id", metavar="ID")
_DECK = Arguments("%jobdeck", "Show the deck.")

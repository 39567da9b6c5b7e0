"""``jobdeck ls | groups | show | logs | cancel | retry | prune | config | doctor``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from .._bulk import Bulk, lines_of
from .._deck import Deck
from .._errors import EngineError, JobdeckError, JobNotFoundError
from .._plain import plain, size, table
from .._query import GRAMMAR, UNDER_WAY, parse, resolve
from .._records import GroupQuery, GroupRecord, JobQuery
from .._service import JobService
from .._settings import SETTINGS, Settings
from .._version import __version__
from ..cli import _completion, _doctor, _logs, _views

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


class Group(click.Group):
    """Says jobdeck's own errors in one line, with exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except JobdeckError as error:
            raise click.ClickException(_lines(str(error))) from error


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"A QUERY is {GRAMMAR}. Quote it where the shell would read < > * or parentheses itself.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the store instead of the usual one.")
@click.version_option(__version__, prog_name="jobdeck")
@click.pass_context
def main(context: click.Context, home: Path | None) -> None:
    """Look at jobs and steer them from a terminal.

    An ID may be shortened to any beginning or end that only one job has.
    """
    context.obj = home


def _service(context: click.Context) -> JobService:
    """Open the home, and close what agents that died have left: whoever looks does that."""
    home: Path | None = context.obj
    if home is not None and not home.is_dir():
        raise click.ClickException(f"there is no folder {plain(str(home))}")
    service = JobService.of(home)
    try:
        service.look_after_agents()
    except EngineError as error:
        click.echo(f"Warning: {_lines(str(error))}", err=True)
    return service


@main.command("ls")
@click.argument("query", nargs=-1, shell_complete=_completion.complete)
@click.option("-g", "--group", metavar="ID|NAME", help="Those of this group, or of the newest of this name.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def list_jobs(context: click.Context, query: tuple[str, ...], group: str | None, limit: int, as_json: bool) -> None:
    """List jobs, the newest first."""
    service = _service(context)
    within = JobQuery() if group is None else JobQuery(group_id=_group(service, group).group_id)
    found = parse(" ".join(query)).find(service.store, limit + 1, within=within)
    if as_json:
        _print_json([_views.as_data(record) for record in found[:limit]])
    else:
        _views.print_table(found[:limit])
        _tell_of_more("jobs", limit, len(found))


@main.command("groups")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def list_groups(context: click.Context, limit: int, as_json: bool) -> None:
    """List groups of jobs, the newest first, and how their jobs stand."""
    store = _service(context).store
    groups = store.groups(GroupQuery(limit=limit + 1))
    found = [(record, store.tally(record.group_id).counts) for record in groups[:limit]]
    if as_json:
        _print_json([{**asdict(record), "counts": dict(counts)} for record, counts in found])
    else:
        _views.print_groups(found)
        _tell_of_more("groups", limit, len(groups))


@main.command()
@click.argument("job_id", metavar="ID", shell_complete=_completion.complete_id)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def show(context: click.Context, job_id: str, as_json: bool) -> None:
    """Show one job: its state, inputs, result or error, and the end of its output."""
    service = _service(context)
    record = resolve(service.store, job_id)
    if as_json:
        _print_json(_views.as_data(record))
    else:
        _views.print_job(service.store, record)


@main.command()
@click.argument("job_id", metavar="ID", shell_complete=_completion.complete_id)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.pass_context
def logs(context: click.Context, job_id: str, follow: bool) -> None:
    """Print what a job wrote to stdout and stderr, byte by byte."""
    service = _service(context)
    record = resolve(service.store, job_id)
    try:
        _logs.print_log(service, record, follow=follow)
    except KeyboardInterrupt:
        sys.exit(130)


@main.command()
@click.argument("what", metavar="ID|QUERY", nargs=-1, required=True, shell_complete=_completion.complete)
@click.option("--kill", is_flag=True, help="Leave it no time to clean up.")
@click.pass_context
def cancel(context: click.Context, what: tuple[str, ...], kill: bool) -> None:
    """Ask jobs to stop: those of these IDs, which may be groups', or those under way that fit a QUERY.

    The exit code is 1 if one of the IDs had ended before, or if nothing fits the QUERY.
    """
    service = _service(context)
    job_ids, by_query = _chosen(service, what)
    report = Bulk(service.store, "kill" if kill else "cancel", job_ids, origin="cli").finish()
    click.echo("\n".join(lines_of(service.store, report)))
    sys.exit(1 if report.ids("ended") and not by_query else 0)


@main.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True, shell_complete=_completion.complete_id)
@click.pass_context
def retry(context: click.Context, job_ids: tuple[str, ...]) -> None:
    """Run jobs again, with the same inputs, and print the new ids."""
    service = _service(context)
    for record in [resolve(service.store, job_id) for job_id in job_ids]:
        click.echo(service.retry_job(record.job_id))


@main.command()
@click.option("--older-than", metavar="AGE", help="What ended longer ago, such as 12h, 30d or 4w.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="All that ended but the newest N.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.pass_context
def prune(context: click.Context, older_than: str | None, keep: int | None, dry_run: bool) -> None:
    """Remove jobs that have ended, with all that they left.

    Without a limit: those beyond the home's own limits.
    """
    with Deck(_service(context).home) as deck:
        pruned = deck.prune(None if older_than is None else _age(older_than), keep, dry_run=dry_run)
    words = "would go" if dry_run else "removed"
    click.echo(f"{pruned.jobs} job{'' if pruned.jobs == 1 else 's'} {words}, {size(pruned.bytes)}")


@main.command()
@click.argument("name", required=False, type=click.Choice(list(SETTINGS)), metavar="[NAME]")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Set NAME back to what it is by itself.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def config(context: click.Context, name: str | None, value: str | None, unset: bool, as_json: bool) -> None:
    """Show the settings of this home, or one of them; with a VALUE, set it."""
    settings = Settings(_service(context))
    if unset and (name is None or value is not None):
        raise click.UsageError("--unset takes a NAME and no VALUE")
    if name is not None and value is not None:
        settings[name] = value
    elif name is not None and unset:
        del settings[name]
    if as_json:
        _print_json(dict(settings) if name is None else {name: settings[name]})
    elif name is None:
        rows = [(each, said, SETTINGS[each].words) for each, said in settings.items()]
        click.echo(table(("NAME", "VALUE", "WHAT IT SAYS"), rows))
    else:
        click.echo(plain(settings[name]))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look at the store, the agent and what Jupyter has of jobdeck, and name the next step for each problem.

    The exit code is 1 if there is a problem.
    """
    findings = _doctor.examine(context.obj)
    if as_json:
        _print_json([finding.as_data() for finding in findings])
    else:
        _views.print_findings(findings)
    sys.exit(1 if any(finding.is_problem for finding in findings) else 0)


def _chosen(service: JobService, what: Sequence[str]) -> tuple[list[str], bool]:
    """Return the ids of the jobs that are meant, and whether a query or a group found them."""
    if not "".join(what).strip():
        # In a script, a variable that is not set. An empty query would be every job there is.
        raise click.UsageError("an empty ID|QUERY would mean every job there is; all that are under way are: active")
    groups = service.store.groups(GroupQuery(group_ids=tuple(what)))
    if groups and len(groups) == len(set(what)):
        under_way = [job_id for group in groups for job_id in service.group(group.group_id).open_ids()]
        if not under_way:
            raise JobNotFoundError(f"no job of group {plain(groups[0].name)!r} is under way")
        return under_way, True
    try:
        return [resolve(service.store, job_id).job_id for job_id in what], False
    except JobNotFoundError as error:
        text = " ".join(what)
        found = parse(text).find(service.store, within=UNDER_WAY)
        if not found:
            raise JobNotFoundError(f"{error}; and no job under way fits {plain(text)!r}") from error
        return [record.job_id for record in found], True


def _tell_of_more(what: str, limit: int, found: int) -> None:
    """Say where a list ends before its end; beside it, so that what reads the list gets lines of it alone."""
    if found > limit:
        click.echo(f"there are more {what} than these {limit}; -n says how many are shown", err=True)


def _group(service: JobService, text: str) -> GroupRecord:
    """Return the group of this id, or the newest of this name. JobNotFoundError if there is none."""
    try:
        return service.store.group(text)
    except JobNotFoundError:
        found = [record for record in service.store.groups(GroupQuery(name=text)) if record.name == text]
        if not found:
            raise
        return found[0]


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip().lower())
    if match is None:
        raise click.BadParameter(f"{text!r} is no age such as 12h, 30d or 4w", param_hint="--older-than")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2))


def _lines(text: str) -> str:
    return "\n".join(map(plain, text.splitlines()))

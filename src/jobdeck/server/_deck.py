"""The routes about many jobs: which there are, and what is done to them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web

from .._bulk import begin_bulk, report_of
from .._feed import group_view, read_rows
from .._ports import Store
from .._query import parse
from .._records import GroupQuery, JobQuery, JobRecord
from .._wire import BulkRequest, Report
from ._handler import HomeHandler


class JobsHandler(HomeHandler):
    """The store's jobs, page by page."""

    path = "/jobs"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with a page of `JobRow`s, the newest first."""
        self.answer(await self.done(self._page, self.arguments()))

    def _page(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        store = self.home.store
        found, records = find(store, asked)
        counts = dict(store.tally().counts)
        return {
            "found": found,
            "total": sum(counts.values()),
            "counts": counts,
            "rows": read_rows(store, records),
        }


class GroupsHandler(HomeHandler):
    """The store's groups, page by page."""

    path = "/groups"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with groups, the newest first, and how their jobs stand."""
        self.answer(await self.done(self._page, self.arguments()))

    def _page(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        store = self.home.store
        ids = tuple(asked["ids"]) or None
        found = store.groups(GroupQuery(limit=asked["limit"], skip=asked["skip"], group_ids=ids))
        return {
            "groups": [
                {"group": group_view(record), "counts": dict(store.tally(record.group_id).counts)} for record in found
            ]
        }


class BulkHandler(HomeHandler):
    """What is done to many jobs with one command."""

    path = "/commands"

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Do it, and answer with a `Report` of what became of each job."""
        order = await self.done(self.payload)
        self.answer(await self.done(self._obey, order))

    def _obey(self, order: Mapping[str, Any]) -> Report:
        request = cast("BulkRequest", {"type": "bulk", "request": 0, **order})
        return report_of(0, begin_bulk(self.home.store, request, self.home.retry, "server").finish())


def find(store: Store, asked: Mapping[str, Any]) -> tuple[int, list[JobRecord]]:
    """Return how many jobs are meant, and those of the page that was asked for."""
    query = parse(asked["query"])
    within = JobQuery(status=tuple(asked["status"]) or None, tags=tuple(asked["tag"]), group_id=asked.get("group"))
    skip, limit = asked["skip"], asked["limit"]
    if query.is_empty:
        return store.count(within), store.jobs(replace(within, skip=skip, limit=limit))
    found = query.find(store, within=within)
    return len(found), found[skip : skip + limit]

"""The routes about one job: what it is, what it has left so far, and what is done to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .._errors import JobNotFoundError
from .._feed import read_message_rows, read_output, read_view
from .._options import checked_tags, edited_tags
from .._wire import RANGE_LOG, RANGE_MESSAGES, CommandRequest, JobView, LogChunk, MessageRow, Reply
from ._handler import HomeHandler


class JobHandler(HomeHandler):
    """One job."""

    path = "/jobs/{id}"

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Answer with a `JobView`."""
        self.answer(await self.done(self._view, self.arguments(job_id)["id"]))

    @web.authenticated
    @authorized
    async def patch(self, job_id: str) -> None:
        """Change its tags and answer with a `JobView`."""
        asked, change = self.arguments(job_id), self.payload()
        self.answer(await self.done(self._tag, asked["id"], change))

    @web.authenticated
    @authorized
    async def delete(self, job_id: str) -> None:
        """Delete it; 409 while it runs."""
        asked = self.arguments(job_id)
        await self.done(lambda: self.home.store.delete_job(asked["id"]))
        self.set_status(204)
        self.finish()

    def _view(self, job_id: str) -> JobView:
        return read_view(self.home.store, job_id)

    def _tag(self, job_id: str, change: Mapping[str, list[str]]) -> JobView:
        store = self.home.store
        given = {key: checked_tags(tags) for key, tags in change.items()}
        tags = edited_tags(store.job(job_id).tags, given.get("tags"), given.get("add", ()), given.get("remove", ()))
        store.update_tags(job_id, tags)
        return read_view(store, job_id)


class MessagesHandler(HomeHandler):
    """A job's interim results by number."""

    path = "/jobs/{id}/messages"

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Answer with those of a range, up to the limits of one answer."""
        asked = self.arguments(job_id)
        start = asked["start"]
        stop = min(asked.get("stop", start + RANGE_MESSAGES), start + RANGE_MESSAGES)
        self.answer({"messages": await self.done(self._rows, asked["id"], start, stop)})

    def _rows(self, job_id: str, start: int, stop: int) -> list[MessageRow]:
        self.home.store.job(job_id)
        return read_message_rows(self.home.store, job_id, start, stop)


class MessageHandler(HomeHandler):
    """One message, whole."""

    path = "/jobs/{id}/messages/{seq}"

    @web.authenticated
    @authorized
    async def get(self, job_id: str, seq: str) -> None:
        """Answer with the JSON text that was published."""
        asked = self.arguments(job_id, seq)
        self.finish(await self.done(self._body, asked["id"], asked["seq"]))

    def _body(self, job_id: str, seq: int) -> str:
        self.home.store.job(job_id)
        found = self.home.store.messages(job_id, seq - 1, seq)
        if not found:
            raise JobNotFoundError(f"job {job_id} has no message {seq}")
        return found[0].body


class LogHandler(HomeHandler):
    """A job's captured output by bytes."""

    path = "/jobs/{id}/log"

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Answer with a `LogChunk`, up to the limits of one answer."""
        asked = self.arguments(job_id)
        start = asked["start"]
        stop = min(asked.get("stop", start + RANGE_LOG), start + RANGE_LOG)
        self.answer(await self.done(self._chunk, asked["id"], start, stop))

    def _chunk(self, job_id: str, start: int, stop: int) -> LogChunk:
        return read_output(self.home.store, job_id, start, stop)


class CommandsHandler(HomeHandler):
    """What is done to one job, whatever its kernel does just now."""

    path = "/jobs/{id}/commands"

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        """Write the command into the store and answer with a `Reply`; 409 where the job does not allow it."""
        asked, order = self.arguments(job_id), self.payload()
        self.answer(await self.done(self._obey, asked["id"], order))

    def _obey(self, job_id: str, order: Mapping[str, Any]) -> Reply:
        request: CommandRequest = {"type": "command", "request": 0, "id": job_id, "command": order["command"]}
        if "inputs" in order:
            request["inputs"] = order["inputs"]
        return {"type": "reply", "request": 0, "error": None, "job": self.home.obey(request)}

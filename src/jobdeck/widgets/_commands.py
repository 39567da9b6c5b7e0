"""Commands over a comm that the browser opens.

A kernel hands messages of a widget's comm to the thread that last published on it, which in ipykernel 7.4 is the main
one: a button would wait for the cell. On a comm that the browser has opened nothing is published but answers, so that
the front end's subshell takes its messages while a cell runs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from .._bulk import answer_bulk
from .._errors import JobdeckError
from .._feed import Answer, Refused, answer_command, parse
from .._service import JobService
from .._wire import RangeReply, Reply, Report

_log = logging.getLogger(__name__)

TARGET: Final = "jobdeck.commands"


class CommandComms:
    """What a kernel's pages may ask of the stores whose jobs it has shown."""

    def __init__(self) -> None:
        self._services: dict[str, JobService] = {}
        self._managers: set[int] = set()

    def attend(self, shell: Any, service: JobService) -> None:
        """Take commands for this store's jobs from now on."""
        self._services[service.store.store_id] = service
        manager = getattr(shell.kernel, "comm_manager", None)
        if manager is not None and id(manager) not in self._managers:
            manager.register_target(TARGET, self._opened)
            self._managers.add(id(manager))

    def _opened(self, comm: Any, opening: Mapping[str, Any]) -> None:
        data = opening["content"].get("data")
        store_id = data.get("store_id") if isinstance(data, Mapping) else None

        def receive(message: Mapping[str, Any]) -> None:
            comm.send(dict(self._answer(store_id, message["content"].get("data"))))

        comm.on_msg(receive)

    def _answer(self, store_id: object, frame: object) -> Reply | RangeReply | Report:
        try:
            request = parse(frame)
            if request["type"] != "command" and request["type"] != "bulk":
                raise Refused("reply", 0, "", "only commands are taken here")
            service = self._services.get(store_id) if isinstance(store_id, str) else None
            if service is None:
                kind: Answer = "reply" if request["type"] == "command" else "report"
                raise Refused(kind, request["request"], "", "this kernel has not shown jobs of that store")
            reply: Reply | Report
            if request["type"] == "command":
                reply = answer_command(service.store, request, service.retry_job, "notebook")
            else:
                reply = answer_bulk(service.store, request, service.retry_job, "notebook")
        except Refused as refused:
            return refused.answer()
        except JobdeckError as error:
            _log.exception("a command from the page failed")
            return {"type": "reply", "request": 0, "error": str(error), "job": None}
        service.look()
        return reply


COMMANDS: Final = CommandComms()

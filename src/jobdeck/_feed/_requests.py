"""What a view may ask: checked when it comes in, answered from the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeGuard, cast

from .._bulk import BulkReport, report_of
from .._errors import JobdeckError, JobError
from .._ports import Retry, Store
from .._status import JobStatus, is_final
from .._wire import (
    MAX_BODY,
    MOST_IDS,
    RANGE_BODY,
    RANGE_LOG,
    RANGE_MESSAGES,
    BulkRequest,
    CommandRequest,
    DeckRequest,
    JobView,
    LogChunk,
    MessageRow,
    RangeReply,
    RangeRequest,
    Reply,
    Report,
    Resync,
    Subscribe,
)
from ._views import job_view, log_size, message_row, read_log

_JOB_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_MOST_CARDS: Final = 2_000
_MOST_INPUTS: Final = 100
_LONGEST_INPUT: Final = 65_536
_MOST_TAGS: Final = 100
_LONGEST_TAG: Final = 1_000
_LONGEST_QUERY: Final = 10_000
_LARGEST: Final = 2**53
"""Above it a browser's numbers are not exact."""
_RANGE_BUDGET: Final = 1_000_000
_MESSAGES_AT_ONCE: Final = 50

Request = Subscribe | Resync | DeckRequest | RangeRequest | CommandRequest | BulkRequest


Answer = Literal["range", "reply", "report"]
_ANSWERS: Final[dict[str, Answer]] = {"range": "range", "command": "reply", "bulk": "report"}


class Refused(Exception):
    """A frame that is no valid request; `request` is its number where it has one, else 0."""

    def __init__(self, kind: Answer, request: int, job_id: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.request = request
        self.job_id = job_id
        self.words = words

    def answer(self) -> RangeReply | Reply | Report:
        """Return the frame that says so."""
        if self.kind == "range":
            return refuse_range(self.request, self.job_id, self.words)
        if self.kind == "report":
            return report_of(self.request, BulkReport(), self.words)
        return refuse(self.request, self.words)


def parse(frame: object) -> Request:
    """Return the frame as the request that it is; raise `Refused` otherwise."""
    if not isinstance(frame, Mapping):
        raise Refused("reply", 0, "", "a request has to be an object")
    kind = frame.get("type")
    number = frame.get("request")
    if kind == "resync":
        return {"type": "resync"}
    if kind == "subscribe":
        return {"type": "subscribe", "ids": _ids(frame)}
    if kind == "deck":
        return _deck(frame)
    if not isinstance(kind, str) or kind not in _ANSWERS:
        raise Refused("reply", number if _is_count(number) else 0, "", "unknown type of request")
    answer = _ANSWERS[kind]
    if not _is_count(number):
        raise Refused(answer, 0, "", "`request` has to be a whole number")
    if kind == "bulk":
        return _bulk(frame, number)
    job_id = frame.get("id")
    if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
        raise Refused(answer, number, "", "`id` has to be a job's id")
    if kind == "command":
        command = frame.get("command")
        if command not in ("cancel", "kill", "retry"):
            raise Refused("reply", number, job_id, "`command` has to be cancel, kill or retry")
        order: CommandRequest = {"type": "command", "request": number, "id": job_id, "command": command}
        if "inputs" in frame:
            order["inputs"] = _inputs(frame["inputs"], command, number, job_id)
        return order
    return _range(frame, number, job_id)


def _ids(frame: Mapping[str, object]) -> list[str] | None:
    ids = frame.get("ids", ())
    if ids is None:
        return None
    return _list_of_ids(ids, _MOST_CARDS, lambda words: Refused("reply", 0, "", words))


def _list_of_ids(ids: object, most: int, refused: Callable[[str], Refused]) -> list[str]:
    if not isinstance(ids, list) or not all(isinstance(i, str) and _JOB_ID.fullmatch(i) for i in ids):
        raise refused("`ids` has to be a list of job ids")
    if len(ids) > most:
        raise refused(f"at most {most} ids fit in one request")
    return list(dict.fromkeys(cast("list[str]", ids)))


def _inputs(inputs: object, command: str, number: int, job_id: str) -> dict[str, str]:
    if command != "retry":
        raise Refused("reply", number, job_id, "`inputs` can be given with retry alone")
    texts = [*inputs.keys(), *inputs.values()] if isinstance(inputs, dict) else [None]
    if not all(isinstance(text, str) and len(text) <= _LONGEST_INPUT for text in texts):
        raise Refused("reply", number, job_id, "`inputs` has to be an object of texts by name, none longer than 64 Ki")
    if len(texts) > 2 * _MOST_INPUTS:
        raise Refused("reply", number, job_id, f"at most {_MOST_INPUTS} inputs can be changed at once")
    return cast("dict[str, str]", inputs)


def _bulk(frame: Mapping[str, object], number: int) -> BulkRequest:
    def refused(words: str) -> Refused:
        return Refused("report", number, "", words)

    command, ids, query = frame.get("command"), frame.get("ids"), frame.get("query")
    if command not in ("cancel", "kill", "retry", "delete", "tag"):
        raise refused("`command` has to be cancel, kill, retry, delete or tag")
    request: BulkRequest = {"type": "bulk", "request": number, "command": command}
    if (ids is None) == (query is None):
        raise refused("either `ids` or `query` has to say which jobs")
    if ids is not None:
        request["ids"] = _list_of_ids(ids, MOST_IDS, refused)
    elif isinstance(query, str) and len(query) <= _LONGEST_QUERY:
        request["query"] = query
    else:
        raise refused(f"`query` has to be a text of at most {_LONGEST_QUERY} characters")
    given = {key: frame[key] for key in ("add", "remove") if key in frame}
    if (command == "tag") != bool(given):
        raise refused("`add` and `remove` say what to do with tags: one of them for tag, neither for anything else")
    for key, tags in given.items():
        if not isinstance(tags, list) or len(tags) > _MOST_TAGS or not all(map(_is_tag, tags)):
            raise refused(f"`{key}` has to be a list of at most {_MOST_TAGS} tags, which are texts that are not empty")
        request["add" if key == "add" else "remove"] = tags
    return request


def _is_tag(tag: object) -> bool:
    return isinstance(tag, str) and bool(tag.strip()) and len(tag) <= _LONGEST_TAG


def _deck(frame: Mapping[str, object]) -> DeckRequest:
    on, store_id, since, group = (frame.get(key) for key in ("on", "store_id", "since", "group"))
    if not isinstance(on, bool):
        raise Refused("reply", 0, "", "`on` has to be true or false")
    if store_id is not None and not (isinstance(store_id, str) and _JOB_ID.fullmatch(store_id)):
        raise Refused("reply", 0, "", "`store_id` has to be a store's id, or null")
    if since is not None and not _is_count(since):
        raise Refused("reply", 0, "", "`since` has to be a whole number, not negative, or null")
    if group is not None and not (isinstance(group, str) and _JOB_ID.fullmatch(group)):
        raise Refused("reply", 0, "", "`group` has to be a group's id, or null")
    return {"type": "deck", "on": on, "store_id": store_id, "since": since, "group": group}


def _range(frame: Mapping[str, object], number: int, job_id: str) -> RangeRequest:
    what, start, stop = frame.get("what"), frame.get("start"), frame.get("stop", 0)
    if what not in ("messages", "log", "body"):
        raise Refused("range", number, job_id, "`what` has to be messages, log or body")
    if not _is_count(start) or not _is_count(stop):
        raise Refused("range", number, job_id, "`start` and `stop` have to be whole numbers, not negative")
    return {"type": "range", "request": number, "id": job_id, "what": what, "start": start, "stop": stop}


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def answer_range(store: Store, request: RangeRequest) -> RangeReply:
    """Read what was asked for, up to the limits of one answer."""
    number, job_id, what = request["request"], request["id"], request["what"]
    start, stop = request["start"], request["stop"]
    reply = refuse_range(number, job_id, None)
    try:
        store.job(job_id)
        if what == "messages":
            reply["messages"] = read_message_rows(store, job_id, start, min(stop, start + RANGE_MESSAGES))
        elif what == "log":
            reply["log"] = read_output(store, job_id, start, min(stop, start + RANGE_LOG))
        else:
            found = store.messages(job_id, max(0, start - 1), start, longest=RANGE_BODY)
            if not found:
                return refuse_range(number, job_id, f"job {job_id} has no message {start}")
            reply["whole"] = found[0].body
    except JobdeckError as error:
        return refuse_range(number, job_id, str(error))
    return reply


def read_message_rows(store: Store, job_id: str, start: int, stop: int) -> list[MessageRow]:
    """Read from `start` on until the answer is full; whoever wants the rest asks on from its last row."""
    rows: list[MessageRow] = []
    spent = 0
    while start < stop and spent < _RANGE_BUDGET:
        some = store.messages(job_id, start, min(stop, start + _MESSAGES_AT_ONCE), longest=MAX_BODY)
        if not some:
            break
        for message in some:
            if not message.final:
                rows.append(message_row(message))
                spent += len(message.body)
        start = some[-1].seq
    return rows


def read_output(store: Store, job_id: str, start: int, stop: int) -> LogChunk:
    """Read what a job has printed, from byte `start` to byte `stop`."""
    return read_log(store.log_path(job_id), start, stop, final=is_final(store.job(job_id).status))


def answer_command(store: Store, request: CommandRequest, retry: Retry | None, origin: str) -> Reply:
    """Do what was asked for and say what became of it."""
    try:
        view = obey(store, request, retry, origin)
    except JobdeckError as error:
        return refuse(request["request"], str(error))
    return {"type": "reply", "request": request["request"], "error": None, "job": view}


def obey(store: Store, request: CommandRequest, retry: Retry | None, origin: str) -> JobView | None:
    """Do what was asked for; return the new job of a retry. JobdeckError says why it cannot be done."""
    job_id, command = request["id"], request["command"]
    if command != "retry":
        store.ask(job_id, command, origin)
        return None
    if retry is None:
        raise JobError("jobs cannot be run again from here")
    return read_view(store, retry(job_id, request.get("inputs", {})))


def read_view(store: Store, job_id: str) -> JobView:
    """Read one job's view alone."""
    record = store.job(job_id)
    place = store.queue_place(job_id) if record.status is JobStatus.QUEUED else None
    return job_view(record, place, log_size(store.log_path(job_id)))


def refuse(number: int, words: str) -> Reply:
    """Return a command's answer that says why it was not taken."""
    return {"type": "reply", "request": number, "error": words, "job": None}


def refuse_range(number: int, job_id: str, words: str | None) -> RangeReply:
    """Return an answer without anything in it but the reason."""
    return {
        "type": "range",
        "request": number,
        "id": job_id,
        "error": words,
        "messages": None,
        "log": None,
        "whole": None,
    }

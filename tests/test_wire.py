"""The frames that both languages' tests read are what `_wire` declares, and what `_feed` takes."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from jobdeck import _wire
from jobdeck._feed import Refused, parse

FRAMES = json.loads((Path(__file__).parent / "wire" / "frames.json").read_text(encoding="utf-8"))
FROM_KERNEL = {
    "snapshot": _wire.Snapshot,
    "delta": _wire.Delta,
    "range": _wire.RangeReply,
    "reply": _wire.Reply,
    "trouble": _wire.Trouble,
    "rows": _wire.Rows,
    "report": _wire.Report,
}
FROM_BROWSER = {
    "subscribe": _wire.Subscribe,
    "resync": _wire.Resync,
    "range": _wire.RangeRequest,
    "command": _wire.CommandRequest,
    "deck": _wire.DeckRequest,
    "bulk": _wire.BulkRequest,
}


def misfits(value: Any, declared: Any, path: str = "$") -> list[str]:
    """Return where `value` is not what the annotation says."""
    origin = get_origin(declared)
    if is_typeddict(declared):
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        hints = get_type_hints(declared)
        wrong = [f"{path}.{key}: unknown" for key in value.keys() - hints.keys()]
        wrong += [f"{path}.{key}: missing" for key in declared.__required_keys__ - value.keys()]
        return wrong + [
            bad for key in value.keys() & hints.keys() for bad in misfits(value[key], hints[key], f"{path}.{key}")
        ]
    if origin in (Union, types.UnionType):
        fits = any(not misfits(value, option, path) for option in get_args(declared))
        return [] if fits else [f"{path}: {value!r} is none of {declared}"]
    if origin is Literal:
        return [] if value in get_args(declared) else [f"{path}: {value!r} is not {declared}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [bad for i, item in enumerate(value) for bad in misfits(item, get_args(declared)[0], f"{path}[{i}]")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        return [bad for key, item in value.items() for bad in misfits(item, get_args(declared)[1], f"{path}.{key}")]
    if declared is object:
        return []
    if declared is type(None):
        return [] if value is None else [f"{path}: not null"]
    if declared is float:
        declared = (int, float)
    fits = isinstance(value, declared) and (declared is bool or not isinstance(value, bool))
    return [] if fits else [f"{path}: {value!r} is no {declared}"]


def conversations() -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in FRAMES["conversations"]]


@pytest.mark.parametrize("conversation", conversations())
def test_every_frame_of_a_conversation_is_as_declared(conversation):
    for frame in [*conversation["frames"], *conversation.get("then", [])]:
        assert misfits(frame, FROM_KERNEL[frame["type"]]) == []


@pytest.mark.parametrize("conversation", conversations())
def test_every_state_that_a_conversation_leads_to_is_as_declared(conversation):
    state = conversation["state"]
    assert [bad for job in state["jobs"] for bad in misfits(job, _wire.JobView)] == []
    assert misfits(state["messages"], dict[str, list[_wire.MessageRow]]) == []
    assert misfits(state["logs"], dict[str, _wire.LogChunk]) == []


@pytest.mark.parametrize("conversation", [pytest.param(c, id=c["name"]) for c in FRAMES["deck"]])
def test_every_frame_and_row_of_a_deck_is_as_declared(conversation):
    assert [bad for frame in conversation["frames"] for bad in misfits(frame, _wire.Rows)] == []
    assert [bad for row in conversation["rows"] for bad in misfits(row, _wire.JobRow)] == []
    assert [bad for group in conversation.get("groups", []) for bad in misfits(group, _wire.GroupView)] == []


@pytest.mark.parametrize("name", FRAMES["from_kernel"])
def test_every_frame_from_the_kernel_is_as_declared(name):
    frame = FRAMES["from_kernel"][name]
    assert misfits(frame, FROM_KERNEL[frame["type"]]) == []


@pytest.mark.parametrize("name", FRAMES["from_browser"])
def test_every_frame_from_the_browser_is_as_declared_and_taken(name):
    frame = FRAMES["from_browser"][name]
    assert misfits(frame, FROM_BROWSER[frame["type"]]) == []
    taken = parse(frame)
    assert {key: taken[key] for key in frame} == frame


@pytest.mark.parametrize("frame", FRAMES["malformed_from_browser"], ids=json.dumps)
def test_a_malformed_request_is_refused_in_words_that_fit_the_wire(frame):
    with pytest.raises(Refused) as refused:
        parse(frame)
    answer = refused.value.answer()
    assert misfits(answer, FROM_KERNEL[answer["type"]]) == []
    assert answer["error"]


@pytest.mark.parametrize("name", ["bundle", "group_bundle"])
def test_a_bundle_is_as_declared(name):
    assert misfits(FRAMES[name], _wire.Bundle) == []


@pytest.mark.parametrize("name", FRAMES["limits"])
def test_both_languages_have_the_same_limits(name):
    assert getattr(_wire, name) == FRAMES["limits"][name]


def test_log_chunks_are_as_long_as_they_say():
    for conversation in FRAMES["conversations"]:
        for frame in conversation["frames"]:
            for chunk in frame.get("logs", {}).values():
                assert len(chunk["text"].encode()) == chunk["end"] - chunk["start"]

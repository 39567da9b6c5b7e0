"""The OpenAPI document says what is there, and what is there is as it says."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from jobdeck._wire import PROTOCOL
from jobdeck.server import _document
from jobdeck.server._extension import HANDLERS
from jobdeck.server._handler import pattern_of

from .conftest import Answer
from .contract import CONTRACT
from .requests import REQUESTS


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_the_document_has_the_methods_of_every_route_and_no_other():
    routes = {
        (method, kind.path)
        for kind in HANDLERS
        for method in ("get", "post", "put", "patch", "delete")
        if method in vars(kind)
    }
    assert routes == CONTRACT.operations
    for kind in HANDLERS:
        sample = re.sub(r"\{\w+\}", "x", kind.path)
        assert re.fullmatch(pattern_of(kind.path), sample)


def test_the_document_is_served_as_it_is(server):
    assert server.ask("openapi.json").json == _document.document()


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    document = _document.document()
    for reference in set(references(document)):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_has_its_own_name():
    names = [CONTRACT.document["paths"][path][method]["operationId"] for method, path in CONTRACT.operations]
    assert len(names) == len(set(names))


def test_a_page_that_does_not_say_which_protocol_it_speaks_is_taken_for_an_old_one():
    assert _document.operation("/feed", "get").arguments({}) == {"protocol": 1}
    assert _document.operation("/feed", "get").arguments({"protocol": [str(PROTOCOL)]}) == {"protocol": PROTOCOL}


def test_there_is_a_request_to_try_for_every_operation():
    assert {(request.method.lower(), CONTRACT.path_of(request.path("x-1"))) for request in REQUESTS} | {
        ("get", "/feed")
    } == CONTRACT.operations


@pytest.mark.parametrize(
    ("status", "text", "headers"),
    [
        (200, '{"version": "1", "protocol": "1", "store_id": "a"}', {}),
        (200, '{"version": "1", "protocol": 1}', {}),
        (200, '{"version": "1", "protocol": 1, "store_id": "a", "more": 1}', {}),
        (200, '{"version": "1", "protocol": 1, "store_id": "a"}', {"Cache-Control": "public"}),
        (200, '{"version": "1", "protocol": 1, "store_id": "a"}', {"Content-Type": "text/html"}),
        (403, "{}", {}),
        (500, '{"error": "it failed"}', {}),
    ],
)
def test_an_answer_that_is_not_as_described_is_noticed(status, text, headers):
    usual = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "application/json"}
    good = Answer(200, '{"version": "1", "protocol": 1, "store_id": "a"}', usual)
    assert CONTRACT.misfits("GET", "", None, good) == []
    assert CONTRACT.misfits("GET", "", None, Answer(status, text, usual | headers)) != []


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_operation_answers_as_the_document_says(server, ended, request_):
    # The contract is held by `ask`.
    answer = request_.send(server, ended)
    assert answer.status == request_.status, answer.text
    if answer.status == 200:
        assert json.loads(answer.text) is not None

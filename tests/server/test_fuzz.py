"""Whatever is sent, the answer is a sentence or a result, and never a failure of the server."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .requests import REQUESTS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=15,
)
NAMES = st.lists(st.text(max_size=12), max_size=4)
ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "command": st.sampled_from(["cancel", "kill", "retry", "delete", "tag"]) | JSON,
        "inputs": st.dictionaries(st.sampled_from(["n", "m"]) | st.text(max_size=4), st.text(max_size=40) | JSON)
        | JSON,
        "ids": NAMES | JSON,
        "query": st.text(max_size=30) | JSON,
        "tags": NAMES | JSON,
        "add": NAMES | JSON,
        "remove": NAMES | JSON,
    },
)
BODIES = (JSON | ORDERS).map(lambda value: json.dumps(value).encode("utf-8", "replace")) | st.binary(max_size=200)
WITH_BODY = [request for request in REQUESTS if request.data is not None]
GENTLY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("request_", WITH_BODY, ids=str)
@GENTLY
@given(data=BODIES)
def test_no_body_makes_the_server_fail(server, ended, request_, data):
    # What the answer has to look like, and that it is no failure, is held by `ask`.
    assert request_.send(server, ended, data=data).status in {200, 400, 404, 409, 413}


@pytest.mark.parametrize("what", ["messages", "log"])
@GENTLY
@given(start=st.text(max_size=20) | st.integers(0, 2**53).map(str), stop=st.integers(-1, 2**60).map(str))
def test_no_range_makes_the_server_fail(server, ended, what, start, stop):
    path = f"jobs/{ended}/{what}?start={quote(start)}&stop={stop}"
    assert server.ask(path).status in {200, 400}

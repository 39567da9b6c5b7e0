"""Whoever may not, cannot: no route, no method, and nothing in the store is any different afterwards."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from tornado.websocket import websocket_connect

from jobdeck.store import open_store

from .conftest import TOKEN, Server, add_ended, unchanged
from .contract import CONTRACT
from .requests import REQUESTS

FOREIGN = "http://evil.example"
AUTHORIZER = """
from jupyter_server.auth import Authorizer
class Sieve(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "jobdeck" or action in {allowed!r}
c.ServerApp.authorizer_class = Sieve
"""
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
WRITES = [request for request in REQUESTS if request.is_write]
WITH_BODY = [request for request in WRITES if request.data is not None]


def raw(server, method, target, body=None, **headers):
    """Send a request to an address that is not put in order before; return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, f"/jobdeck/api/v1/{target}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def handshake(server, query="", **headers):
    return raw(server, "GET", f"feed{query}", **HANDSHAKE, **headers)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
class TestARequestIsRefused:
    """One for each operation; with the right token it works, as `test_document` shows."""

    @pytest.mark.parametrize("token", [None, "wrong", ""])
    def test_without_the_token(self, server, store, ended, request_, token):
        with unchanged(store):
            assert request_.send(server, ended, token=token).status == 403

    def test_from_another_origin_with_the_users_cookies(self, server, store, ended, request_):
        opener, cookies = server.log_in()
        with unchanged(store):
            for headers in ({}, {"X_XSRFToken": cookies["_xsrf"]}, {"Referer": f"{FOREIGN}/page"}):
                answer = request_.send(server, ended, token=None, opener=opener, Origin=FOREIGN, **headers)
                assert answer.status in {403, 404}
                assert answer.headers["Access-Control-Allow-Origin"] is None

    def test_by_an_authorizer_that_allows_nothing(self, sieves, request_):
        server, store, job_id = sieves["nothing"]
        with unchanged(store):
            assert request_.send(server, job_id).status == 403


@pytest.mark.parametrize("request_", WRITES, ids=str)
class TestAChangeIsRefused:
    def test_with_cookies_and_without_their_xsrf_token(self, server, store, ended, request_):
        opener, cookies = server.log_in()
        _, other = server.log_in()
        with unchanged(store):
            for headers in ({}, {"X_XSRFToken": "wrong"}, {"X_XSRFToken": other["_xsrf"]}):
                assert request_.send(server, ended, token=None, opener=opener, **headers).status == 403
        answer = request_.send(server, ended, token=None, opener=opener, X_XSRFToken=cookies["_xsrf"])
        assert answer.status == request_.status, answer.text

    def test_to_whoever_may_only_read(self, sieves, request_):
        server, store, job_id = sieves["read"]
        with unchanged(store):
            assert request_.send(server, job_id).status == 403


@pytest.mark.parametrize("request_", WITH_BODY, ids=str)
class TestABodyIsRefused:
    @pytest.mark.parametrize(
        "data",
        [
            *(b"", b"null", b"7", b"[]", b'"cancel"', b"{}", b"{", b"\xff\xfe", b"\x80\x04K\x07."),
            *(b'{"command": NaN}', b'{"tags": [NaN]}', b'{"tags": [Infinity]}', b'{"command": "rm"}', b'{"tags": "a"}'),
            *(b'{"command": ["cancel"]}', b'{"command": "cancel", "more": 1}', b'{"tags": [7], "ids": [7]}'),
            *(b'{"command": "cancel", "inputs": {"n": "1"}}', b'{"command": "retry", "inputs": ["n"]}'),
            *(b'{"command": "retry", "inputs": {"n": 1}}', b'{"command": "retry", "inputs": {"n": "no literal"}}'),
            *(b"[" * 30_000 + b"]" * 30_000, b'{"command": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
            *(b'{"tags": ' + b"[" * 900 + b"]" * 900 + b"}", b"9" * 5_000, b'{"tags": [' + b"9" * 5_000 + b"]}"),
            json.dumps({"tags": [str(n) for n in range(10_000)]}).encode(),
            json.dumps({"tags": ["x" * 10_000]}).encode(),
            json.dumps({"command": "retry", "inputs": {str(n): "1" for n in range(101)}}).encode(),
            json.dumps({"command": "cancel", "ids": ["a"] * 20_001}).encode(),
        ],
        ids=lambda data: data[:40].decode("latin-1"),
    )
    def test_that_is_not_what_it_has_to_be(self, server, store, ended, request_, data):
        with unchanged(store):
            assert request_.send(server, ended, data=data).status in {400, 413}

    def test_that_is_too_long(self, server, store, ended, request_):
        with unchanged(store):
            assert request_.send(server, ended, data=b" " * 2_000_000).status == 413


PATHS = [
    *("..%2f..%2fjobdeck.db", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "a%0a", "a%2fb", "x" * 129, "x" * 9_000),
    *("%3Cb%3E", "%ff", "a%20b", "%C3%A9", "a.b", "*", "~", "a;b", "-" * 200),
]


@pytest.mark.parametrize("request_", [request for request in REQUESTS if "jobs/{id}" in request.target], ids=str)
def test_no_path_can_be_smuggled_into_an_id(server, store, ended, request_):
    with unchanged(store):
        for job_id in PATHS:
            body = None if request_.data is None else json.dumps(request_.data)
            headers = {"Authorization": f"token {TOKEN}"}
            assert raw(server, request_.method, request_.path(job_id), body, **headers) == 400, job_id
        for job_id in ("../../../api", f"{ended}/..", "", f"{ended}//"):
            assert raw(server, request_.method, request_.path(job_id), body, **headers) in {302, 403, 404, 405}, job_id


@pytest.mark.parametrize(
    "query", ["start=-1", "start=1.5", "stop=x", "start=1e3", "stop=99999999999999999999", "start=%C2%B2"]
)
@pytest.mark.parametrize("what", ["messages", "log"])
def test_a_range_that_is_none_is_refused(server, ended, query, what):
    assert server.ask(f"jobs/{ended}/{what}?{query}").status == 400


@pytest.mark.parametrize("seq", ["0", "-1", "x", "1.0", "9" * 17])
def test_a_message_number_that_is_none_is_refused(server, ended, seq):
    assert server.ask(f"jobs/{ended}/messages/{seq}").status == 400


@pytest.mark.parametrize("count", [201, 10_000])
def test_more_ids_than_may_be_named_are_refused(server, count):
    assert server.ask("html?ids=" + ",".join(["a"] * count)).status == 400


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_a_method_that_is_not_there_is_refused(server, store, ended, method):
    with unchanged(store):
        for path in ("", "openapi.json", "html", f"jobs/{ended}/messages", f"jobs/{ended}/log"):
            assert server.ask(path, method=method, data={}).status == 405


class TestTheStream:
    def test_is_refused_without_the_token(self, server):
        assert handshake(server) == 403
        assert handshake(server, "?token=wrong") == 403
        assert handshake(server, Authorization="token wrong") == 403

    def test_is_refused_to_another_origin_with_the_users_cookies(self, server):
        _, cookies = server.log_in()
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        assert handshake(server, Cookie=cookie, Origin=FOREIGN) == 403
        own = "{0.scheme}://{0.netloc}".format(urlsplit(server.url))
        assert handshake(server, Cookie=cookie, Origin=own) == 101

    def test_is_refused_by_an_authorizer_that_allows_nothing(self, sieves):
        server, _, _ = sieves["nothing"]
        assert handshake(server, f"?token={TOKEN}") == 403

    async def test_takes_no_order_from_whoever_may_only_read(self, sieves):
        server, store, job_id = sieves["read"]
        orders = [
            {"type": "command", "request": 1, "id": job_id, "command": "retry"},
            {"type": "bulk", "request": 2, "command": "delete", "ids": [job_id]},
            {"type": "bulk", "request": 3, "command": "tag", "query": "", "add": ["a"]},
            {"type": "command", "request": "x"},
        ]
        with unchanged(store):
            socket = await websocket_connect(f"{server.api.replace('http', 'ws')}feed?token={TOKEN}")
            for order in orders:
                await socket.write_message(json.dumps(order))
            answers = [json.loads(await socket.read_message()) for _ in orders]
            await socket.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
            assert json.loads(await socket.read_message())["type"] == "snapshot"
            socket.close()
            while await socket.read_message() is not None:
                pass
        assert [(answer["type"], answer["request"]) for answer in answers] == [
            ("reply", 1),
            ("report", 2),
            ("report", 3),
            ("reply", 0),
        ]
        assert {answer["error"] for answer in answers} == {"you are not allowed to change jobs here"}

    def test_is_refused_to_a_page_that_says_nonsense_of_its_protocol(self, server):
        for protocol in ("x", "-1", "1.0", "9" * 30, "%00"):
            assert handshake(server, f"?token={TOKEN}&protocol={protocol}") == 400

    def test_is_no_answer_to_a_plain_request(self, server):
        assert server.ask("feed").status == 400


def test_every_operation_is_in_these_tests():
    covered = {(request.method.lower(), CONTRACT.path_of(request.path("x-1"))) for request in REQUESTS}
    assert CONTRACT.operations - covered == {("get", "/feed")}


@pytest.fixture(scope="module")
def sieves(tmp_path_factory):
    """Servers on homes of their own whose authorizers allow nothing, or reading alone."""
    found = {}
    for name, allowed in (("nothing", []), ("read", ["read"])):
        folder = tmp_path_factory.mktemp(name)
        server = Server(folder, folder / "home", AUTHORIZER.format(allowed=allowed))
        store = open_store(server.home)
        found[name] = (server, store, add_ended(store))
    yield found
    for server, store, _ in found.values():
        store.close()
        server.stop()

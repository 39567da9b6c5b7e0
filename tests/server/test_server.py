"""The server extension: jobs for whoever may ask, and for nobody else, kernel or no kernel."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from contextlib import asynccontextmanager, closing
from socket import SHUT_RDWR

import psutil
import pytest
from tornado.websocket import websocket_connect

from jobdeck._records import JobQuery, NewJob
from jobdeck._status import Exit
from jobdeck._version import __version__
from jobdeck._wire import MOST_IDS, PROTOCOL
from jobdeck.server._home import ServedHome
from jobdeck.server._socket import OTHER_PROTOCOL, mismatch
from jobdeck.store.home import DATABASE

from .conftest import TOKEN


@asynccontextmanager
async def connect(server, query=""):
    """A page's feed; closed to the end, so that nothing of it is left in the test's loop."""
    socket = await websocket_connect(f"{server.api.replace('http', 'ws')}feed?token={TOKEN}{query}")
    yield socket
    socket.close()
    while socket.close_code is None and await socket.read_message() is not None:
        pass


async def next_frame(socket, kind):
    while True:
        text = await socket.read_message()
        assert text is not None, "the server closed the connection"
        if (frame := json.loads(text))["type"] == kind:
            return frame


def test_it_says_which_store_it_serves(server, store):
    answer = server.ask("")
    assert answer.status == 200
    assert answer.json == {"version": __version__, "protocol": 1, "store_id": store.store_id}


def test_a_job_is_cancelled_while_no_kernel_exists(server, store, job_id):
    assert server.ask(f"jobs/{job_id}/commands", data={"command": "cancel"}).json["error"] is None
    assert [command.kind for command in store.commands("test", "agent") if command.job_id == job_id] == ["cancel"]


def test_a_command_that_the_job_does_not_allow_is_answered_in_words(server, store, job_id):
    answer = server.ask("jobs/nosuch-000000000000/commands", data={"command": "cancel"})
    assert answer.status == 404
    assert "nosuch-000000000000" in answer.json["error"]
    store.finish({job_id: Exit(code=0)})
    answer = server.ask(f"jobs/{job_id}/commands", data={"command": "cancel"})
    assert answer.status == 409
    assert job_id in answer.json["error"]


def test_jobs_are_told_as_escaped_html_and_text(server, job_id):
    answer = server.ask(f"html?ids={job_id}&layout=card").json
    assert "&lt;img src=x&gt;" in answer["html"]
    assert "<img" not in answer["html"]
    assert job_id in answer["text"]


async def test_a_feed_tells_what_happens_and_takes_commands(server, store, job_id):
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        assert [job["id"] for job in (await next_frame(socket, "snapshot"))["jobs"]] == [job_id]
        store.add_message(job_id, '{"energy": 1}')
        assert (await next_frame(socket, "delta"))["messages"][job_id][0][2] == '{"energy": 1}'
        await socket.write_message(json.dumps({"type": "command", "request": 4, "id": job_id, "command": "kill"}))
        assert await next_frame(socket, "reply") == {"type": "reply", "request": 4, "error": None, "job": None}
        assert store.job(job_id).cancel_state == "requested"


@pytest.mark.parametrize("spoken", [PROTOCOL - 1, PROTOCOL + 1, 1_000_000])
async def test_a_page_of_another_protocol_is_told_which_version_it_needs(server, spoken):
    async with connect(server, f"&protocol={spoken}") as socket:
        words = (await next_frame(socket, "trouble"))["error"]
        assert f"speaks protocol {spoken}" in words
        assert f"jobdeck {__version__} (protocol {PROTOCOL})" in words
        assert ("reload the page" in words) == (spoken < PROTOCOL)
        assert await socket.read_message() is None
        assert socket.close_code == OTHER_PROTOCOL
        assert __version__ in socket.close_reason


async def test_a_page_of_the_same_protocol_is_served(server, job_id):
    async with connect(server, f"&protocol={PROTOCOL}") as socket:
        await socket.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        assert await next_frame(socket, "snapshot")


def test_a_reason_fits_into_the_frame_that_closes_a_connection(monkeypatch):
    monkeypatch.setattr("jobdeck.server._socket.__version__", "10.20.30.dev1234+g0123456789abcdef")
    assert len(mismatch(10**6)[1].encode()) <= 123


async def test_a_feed_that_was_cut_goes_on_with_the_state_as_it_is(server, store, job_id):
    async with connect(server) as first:
        await first.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        await next_frame(first, "snapshot")
    for number in range(5):
        store.add_message(job_id, str(number))
    async with connect(server) as again:
        await again.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        assert [row[0] for row in (await next_frame(again, "snapshot"))["messages"][job_id]] == [1, 2, 3, 4, 5]


async def test_a_stream_that_is_cut_a_hundred_times_loses_nothing(server, store, until):
    new = NewJob("one of some", "test", b"", b"", b"{}")
    made = [store.add_job(new).job_id for _ in range(3)]
    process = psutil.Process(server.process.pid)
    rows: dict[str, dict] = {}
    known: dict[str, object] = {"store_id": None, "since": None}
    resets = 0

    def take(frame):
        nonlocal resets
        if frame.get("reset"):
            resets += 1
            rows.clear()
        rows.update({row["id"]: row for row in frame.get("rows", [])})
        for job_id, changes in frame.get("changes", {}).items():
            merged = rows[job_id] | changes
            rows[job_id] = {key: value for key, value in merged.items() if value is not None}
        for job_id in frame.get("removed", []):
            rows.pop(job_id, None)
        if not frame.get("more"):
            known.update(store_id=frame["store_id"], since=frame["change"])

    for number in range(100):
        socket = await websocket_connect(f"{server.api.replace('http', 'ws')}feed?token={TOKEN}")
        await socket.write_message(json.dumps({"type": "deck", "on": True, **known}))
        while True:
            frame = await next_frame(socket, "rows")
            take(frame)
            if not frame.get("more"):
                break
        store.update_tags(made[number % 3], [f"tag {number}"])
        if number % 10 == 9:
            store.delete_job(made[number % 3])
            made[number % 3] = store.add_job(new).job_id
        # In the middle of what the server is about to tell, without a word.
        socket.protocol.stream.socket.shutdown(SHUT_RDWR)
        while await socket.read_message() is not None:
            pass
        socket.close()
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "deck", "on": True, **known}))
        take(await next_frame(socket, "rows"))
    assert rows.keys() == {record.job_id for record in store.jobs(JobQuery())}
    assert [rows[job_id].get("tags", []) for job_id in made] == [list(store.job(job_id).tags) for job_id in made]
    assert resets == 1
    until(lambda: len([c for c in process.net_connections("tcp") if c.status == "ESTABLISHED"]) == 0)


@pytest.mark.parametrize("message", ["", "null", "[", '{"type": "subscribe", "ids": "all"}', b"\xff\x00", "[" * 5_000])
async def test_nonsense_is_answered_and_does_not_end_the_feed(server, job_id, message):
    async with connect(server) as socket:
        await socket.write_message(message, binary=isinstance(message, bytes))
        assert (await next_frame(socket, "reply"))["error"]
        await socket.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        assert await next_frame(socket, "snapshot")


async def test_as_many_jobs_as_one_request_may_name_fit_in_a_message(server, job_id):
    ids = [*(f"aaaaaa-{number:012}" for number in range(MOST_IDS - 1)), job_id]
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "bulk", "request": 3, "command": "cancel", "ids": ids}))
        report = await next_frame(socket, "report")
        assert report["counts"] == {"missing": MOST_IDS - 1, "asked": 1}
        await socket.write_message(json.dumps({"type": "bulk", "request": 4, "command": "cancel", "ids": [*ids, "b"]}))
        assert str(MOST_IDS) in (await next_frame(socket, "report"))["error"]


async def test_a_page_follows_the_deck_and_goes_on_where_it_was_cut_off(server, store, job_id):
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "deck", "on": True}))
        frame = await next_frame(socket, "rows")
        assert job_id in {row["id"] for row in frame["rows"]}
        while frame["more"]:
            frame = await next_frame(socket, "rows")
    store.add_message(job_id, '{"energy": 1}')
    async with connect(server) as socket:
        known = {"store_id": frame["store_id"], "since": frame["change"]}
        await socket.write_message(json.dumps({"type": "deck", "on": True, **known}))
        answer = await next_frame(socket, "rows")
        assert (answer["seq"], answer["reset"]) == (0, False)
        assert {row["id"]: row for row in answer["rows"]}[job_id]["latest"] == "energy 1"


def test_the_deck_is_told_as_escaped_html_and_text(server, job_id):
    answer = server.ask("html?layout=deck").json
    assert "&lt;img src=x&gt;" in answer["html"]
    assert "<img" not in answer["html"]
    assert job_id in answer["text"]


async def test_a_message_that_is_too_big_ends_the_feed(server):
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "subscribe", "ids": ["x" * 1_100_000]}))
        while (text := await socket.read_message()) is not None:
            assert json.loads(text)["type"] == "reply"
        assert socket.close_code == 1009


async def test_the_last_feed_that_closes_takes_the_threads_with_it(server, job_id, until):
    async with connect(server) as socket:
        await socket.write_message(json.dumps({"type": "subscribe", "ids": [job_id]}))
        await next_frame(socket, "snapshot")
        process = psutil.Process(server.process.pid)
        open_now = process.num_threads()
    until(lambda: process.num_threads() <= open_now - 2)


def test_a_server_that_nobody_asks_opens_nothing_and_ends_cleanly(tmp_path, serve):
    server = serve(tmp_path / "home")
    assert not server.home.exists()
    assert server.stop() == 0


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
def test_a_home_that_cannot_be_used_is_an_answer_and_the_server_runs(tmp_path, serve):
    home = tmp_path / "home"
    home.write_text("a file, where a folder should be")
    server = serve(home)
    answer = server.ask("")
    assert answer.status == 503
    assert str(home) in answer.json["error"]
    home.unlink()
    assert server.ask("").status == 200
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert server.stop() == 0


def test_a_store_that_is_locked_is_waited_for_and_keeps_nobody_from_reading(server, store, job_id):
    locker = sqlite3.connect(server.home / DATABASE, isolation_level=None)
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(server.ask(f"jobs/{job_id}/commands", data={"command": "cancel"}))
    )
    with closing(locker):
        locker.execute("BEGIN IMMEDIATE")
        asking.start()
        for _ in range(20):
            assert server.ask(f"jobs/{job_id}").json["cancel_state"] is None
        asking.join(0.5)
        assert not answers
        locker.execute("COMMIT")
    asking.join(60)
    assert [answer.status for answer in answers] == [200]
    assert server.ask(f"jobs/{job_id}").json["cancel_state"] == "requested"


def test_a_home_that_vanishes_is_an_answer_too_and_comes_back(tmp_path, serve):
    server = serve(tmp_path / "home")
    known = server.ask("").json["store_id"]
    server.home.rename(tmp_path / "away")
    server.home.write_text("a file, where a folder should be")
    for path in ("", "jobs/a-1", "jobs/a-1/messages", "jobs/a-1/log"):
        answer = server.ask(path)
        assert answer.status == 503
        assert str(server.home) in answer.json["error"]
    server.home.unlink()
    (tmp_path / "away").rename(server.home)
    assert server.ask("").json["store_id"] == known
    assert server.stop() == 0


def test_a_served_home_leaves_nothing_when_it_is_closed(home, until):
    before = set(threading.enumerate())
    served = ServedHome()
    frames = []
    feed = served.open_feed(frames.append)
    feed.receive({"type": "subscribe", "ids": []})
    feed.receive({"type": "deck", "on": True})
    until(lambda: frames)
    assert served.open_feeds == 1
    served.close()
    assert served.open_feeds == 0
    assert set(threading.enumerate()) == before

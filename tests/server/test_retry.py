"""A job is run again with other inputs, by a server that cannot open the ones that it had."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

from jobdeck import Deck
from jobdeck._records import NewJob

from .conftest import TOKEN, unchanged
from .programs import scaled


class Trap:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def deck(server):
    with Deck(server.home) as opened:
        yield opened


def retry(server, job_id, inputs):
    return server.ask(f"jobs/{job_id}/commands", data={"command": "retry", "inputs": inputs})


def test_a_job_runs_again_with_the_inputs_that_were_changed(server, deck):
    job = deck.submit(scaled, [1, 2], label="first")
    assert job.result(timeout=60) == ["first", [2, 4]]
    told = retry(server, job.job_id(), {"numbers": "[3, 4]", "label": '"second"'}).json["job"]
    assert told["retry_of"] == job.job_id()
    assert told["inputs"] == {"numbers": "[3, 4]", "label": "'second'"}
    again = deck.job(told["id"])
    assert again.result(timeout=60) == ["second", [6, 8]]
    assert again.inputs == {"numbers": [3, 4], "label": "second"}
    once_more = deck.job(retry(server, told["id"], {"label": "null"}).json["job"]["id"])
    assert once_more.result(timeout=60) == [None, [6, 8]]
    assert once_more.retry(factor=10).result(timeout=60) == [None, [30, 40]]
    assert job.inputs == {"numbers": [1, 2], "label": "first"}


async def test_the_same_goes_over_the_stream(server, deck):
    job = deck.submit(scaled, [1], label="first")
    job.wait_for_final_state(60)
    socket = await websocket_connect(f"{server.api.replace('http', 'ws')}feed?token={TOKEN}")
    order = {"type": "command", "id": job.job_id(), "command": "retry"}
    await socket.write_message(json.dumps({**order, "request": 1, "inputs": {"numbers": "[7]"}}))
    await socket.write_message(json.dumps({**order, "request": 2, "inputs": {"numbers": "seven"}}))
    await socket.write_message(json.dumps({**order, "request": 3, "command": "kill", "inputs": {}}))
    replies = [json.loads(await socket.read_message()) for _ in range(3)]
    socket.close()
    while await socket.read_message() is not None:
        pass
    assert [reply["request"] for reply in replies] == [1, 2, 3]
    assert deck.job(replies[0]["job"]["id"]).result(timeout=60) == ["first", [14]]
    assert "input 'numbers': 'seven' is neither a Python literal nor JSON" in replies[1]["error"]
    assert "`inputs` can be given with retry alone" in replies[2]["error"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"numbers": "one"}, "input 'numbers': 'one' is neither a Python literal nor JSON"),
        ({"numbers": "[1", "label": "'a'"}, "input 'numbers'"),
        ({"factor": "3"}, "no input 'factor' to change; its inputs are: numbers, label"),
        ({"": "3"}, "no input '' to change"),
        ({"numbers": "..."}, "input 'numbers' cannot be changed to this"),
    ],
)
def test_what_cannot_be_an_input_is_said_before_anything_is_queued(server, store, inputs, words):
    previews = {"numbers": "[1]", "label": "'a'"}
    new = NewJob("j", "local", b"", b"", b"{}", inputs_preview=previews, submitted=False)
    job_id = store.add_job(new).job_id
    with unchanged(store):
        answer = retry(server, job_id, inputs)
    assert answer.status == 400
    assert words in answer.json["error"]


def test_the_server_unpickles_nothing(server, store, tmp_path):
    left = tmp_path / "unpickled"
    trap = pickle.dumps(Trap(left))
    new = NewJob("trap", "none", trap, trap, trap, inputs_preview={"a": "…"}, submitted=False)
    job_id = store.add_job(new).job_id
    # Its engine does not exist, so that nothing runs what was kept.
    assert retry(server, job_id, {"a": "1"}).status == 503
    for path in ("", "/messages", "/log"):
        assert server.ask(f"jobs/{job_id}{path}").status == 200
    assert server.ask(f"html?ids={job_id}").status == 200
    assert not left.exists()

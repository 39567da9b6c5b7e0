"""A job in a cell: one output that follows it, from a real kernel to what a front end gets."""

from __future__ import annotations

from typing import Any

from jobdeck._still import WIDGET_VIEW
from jobdeck._wire import MIME_TYPE


def of(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in messages if message["msg_type"] == kind]


def models(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The widgets of ours that were opened."""
    opened = (message["content"] for message in of(messages, "comm_open"))
    return [content for content in opened if content["data"]["state"].get("_model_module") == "anywidget"]


def frame_of(message: dict[str, Any]) -> dict[str, Any]:
    """The frame that a widget's custom message carries, if it is one."""
    data = message["content"].get("data", {}) if message["msg_type"] == "comm_msg" else {}
    return data.get("content", {}) if data.get("method") == "custom" else {}


def is_update(message: dict[str, Any]) -> bool:
    return message["msg_type"] == "update_display_data"


def test_a_job_is_shown_as_one_output_in_four_forms_behind_one_widget(kernel):
    messages = kernel.run("job = jobdeck.run(work)\njob")
    outputs = of(messages, "display_data") + of(messages, "execute_result")
    assert len(outputs) == 1
    forms = outputs[0]["content"]["data"]
    assert forms.keys() == {MIME_TYPE, WIDGET_VIEW, "text/html", "text/plain"}
    cards = [model for model in models(messages) if "_snapshot" in model["data"]["state"]]
    assert [model["comm_id"] for model in cards] == [forms[WIDGET_VIEW]["model_id"]]
    assert forms[MIME_TYPE]["snapshot"]["jobs"][0]["name"] == "work"


def test_what_happens_goes_over_the_comm_and_the_output_is_updated_once_at_the_end(kernel):
    opened = kernel.run("job = jobdeck.run(work, inputs={'messages': 100})\njob")
    first = next(
        model["data"]["state"]["_snapshot"] for model in models(opened) if "_snapshot" in model["data"]["state"]
    )
    kernel.run("job.result()")
    kernel.run("1 + 1")
    kernel.hear_until(lambda message: frame_of(message).get("jobs", {}) and "DONE" in str(frame_of(message)["jobs"]))
    frames = [frame_of(message) for message in kernel.messages if frame_of(message)]
    rows = [row for frame in [first, *frames] for rows in frame.get("messages", {}).values() for row in rows]
    assert [row[0] for row in rows] == list(range(1, 101))
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    updates = [message["content"] for message in kernel.messages if is_update(message)]
    assert len(updates) == 1
    shown = of(kernel.messages, "display_data") + of(kernel.messages, "execute_result")
    assert updates[0]["transient"]["display_id"] == shown[0]["content"]["transient"]["display_id"]
    forms = updates[0]["data"]
    assert forms[MIME_TYPE]["snapshot"]["jobs"][0]["status"] == "DONE"
    assert "finished" in forms["text/html"]
    assert WIDGET_VIEW in forms


def test_a_job_that_ends_while_no_cell_runs_is_told_at_once_and_again_within_the_next_cell(kernel):
    kernel.run("job = jobdeck.run(work, inputs={'messages': 20})\njob")
    kernel.hear_until(is_update)
    messages = kernel.run("'next'")
    assert len([message for message in messages if is_update(message)]) == 1
    assert not [message for message in kernel.run("'after'") if is_update(message)]


def test_a_page_that_is_loaded_again_gets_the_state_as_it_is_by_then(kernel):
    messages = kernel.run("job = jobdeck.run(work, inputs={'messages': 30})\njob")
    comm_id = next(model["comm_id"] for model in models(messages) if "_snapshot" in model["data"]["state"])
    kernel.run("job.result()")
    kernel.send(comm_id, {"method": "request_state"})
    answer = kernel.hear_until(
        lambda m: m["msg_type"] == "comm_msg" and "_esm" in m["content"]["data"].get("state", {})
    )
    snapshot = answer["content"]["data"]["state"]["_snapshot"]
    assert snapshot["jobs"][0]["status"] == "DONE"
    assert [row[0] for row in next(iter(snapshot["messages"].values()))] == list(range(1, 31))


def test_a_cancel_over_the_comm_stops_the_job(kernel):
    messages = kernel.run("job = jobdeck.run(work, inputs={'messages': 100000})\njob")
    comm_id = next(model["comm_id"] for model in models(messages) if "_snapshot" in model["data"]["state"])
    kernel.hear_until(lambda message: frame_of(message).get("messages"))
    request = {"type": "command", "request": 1, "id": kernel_id(messages), "command": "cancel"}
    kernel.send(comm_id, {"method": "custom", "content": request})
    reply = kernel.hear_until(lambda message: frame_of(message).get("type") == "reply")
    assert frame_of(reply) == {"type": "reply", "request": 1, "error": None, "job": None}
    kernel.hear_until(lambda message: "CANCELLED" in str(frame_of(message).get("jobs")))


def test_a_retry_over_the_comm_shows_the_new_job_beside_the_old_one(kernel):
    messages = kernel.run("job = jobdeck.run(work, inputs={'fail': True})\njob")
    comm_id = next(model["comm_id"] for model in models(messages) if "_snapshot" in model["data"]["state"])
    kernel.hear_until(is_update)
    request = {"type": "command", "request": 1, "id": kernel_id(messages), "command": "retry"}
    kernel.send(comm_id, {"method": "custom", "content": request})
    reply = frame_of(kernel.hear_until(lambda message: frame_of(message).get("type") == "reply"))
    assert reply["job"]["retry_of"] == kernel_id(messages)
    added = frame_of(kernel.hear_until(lambda message: frame_of(message).get("added")))
    assert [view["id"] for view in added["added"]] == [reply["job"]["id"]]
    last = kernel.hear_until(lambda m: is_update(m) and len(m["content"]["data"][MIME_TYPE]["ids"]) == 2)
    statuses = [view["status"] for view in last["content"]["data"][MIME_TYPE]["snapshot"]["jobs"]]
    assert statuses == ["ERROR", "ERROR"]


def test_a_retry_over_the_comm_takes_edited_inputs(kernel):
    messages = kernel.run("job = jobdeck.run(work, inputs={'messages': 1, 'fail': True})\njob")
    comm_id = next(model["comm_id"] for model in models(messages) if "_snapshot" in model["data"]["state"])
    kernel.hear_until(is_update)
    request = {"type": "command", "request": 1, "id": kernel_id(messages), "command": "retry"}
    kernel.send(comm_id, {"method": "custom", "content": {**request, "inputs": {"fail": "maybe"}}})
    refused = frame_of(kernel.hear_until(lambda message: frame_of(message).get("request") == 1))
    assert "input 'fail': 'maybe' is neither a Python literal nor JSON" in refused["error"]
    kernel.send(comm_id, {"method": "custom", "content": {**request, "request": 2, "inputs": {"fail": "false"}}})
    reply = frame_of(kernel.hear_until(lambda message: frame_of(message).get("request") == 2))
    assert reply["job"]["inputs"] == {"messages": "1", "fail": "False"}
    last = kernel.hear_until(lambda m: is_update(m) and len(m["content"]["data"][MIME_TYPE]["ids"]) == 2)
    statuses = [view["status"] for view in last["content"]["data"][MIME_TYPE]["snapshot"]["jobs"]]
    assert statuses == ["ERROR", "DONE"]


def test_a_page_cannot_write_the_state_of_a_card(kernel):
    messages = kernel.run("job = jobdeck.run(work)\njob")
    comm_id = next(model["comm_id"] for model in models(messages) if "_snapshot" in model["data"]["state"])
    kernel.send(comm_id, {"method": "update", "state": {"_snapshot": {"jobs": []}, "_esm": "alert(1)"}})
    kernel.run("job.result()")
    kernel.send(comm_id, {"method": "request_state"})
    answer = kernel.hear_until(
        lambda m: m["msg_type"] == "comm_msg" and "_esm" in m["content"]["data"].get("state", {})
    )
    assert answer["content"]["data"]["state"]["_esm"] != "alert(1)"
    assert answer["content"]["data"]["state"]["_snapshot"]["jobs"]


def test_a_closed_widget_leaves_neither_feed_nor_comm(kernel):
    kernel.run("job = jobdeck.run(work)\njob")
    kernel.run("job.result()")
    kernel.run("import ipywidgets\nipywidgets.Widget.close_all()")
    messages = kernel.run(
        "import threading, comm\nprint([t.name for t in threading.enumerate()], len(comm.get_comm_manager().comms))"
    )
    told = "".join(message["content"]["text"] for message in of(messages, "stream"))
    assert "jobdeck-feeds" not in told
    assert told.strip().endswith(" 0")


def kernel_id(messages: list[dict[str, Any]]) -> str:
    shown = of(messages, "display_data") + of(messages, "execute_result")
    return str(shown[0]["content"]["data"][MIME_TYPE]["ids"][0])

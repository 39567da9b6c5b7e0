"""The whole deck in a cell: one output, live, small whatever the number of jobs, and true when it is saved."""

from __future__ import annotations

import json

import pytest

from jobdeck._feed import read_deck
from jobdeck._records import JobQuery, NewJob
from jobdeck._still import WIDGET_VIEW, render_deck_html, render_deck_text
from jobdeck._wire import FIRST_ROWS, MIME_TYPE
from jobdeck.store import open_store

from .test_kernel import frame_of, is_update, models, of

FIRST_PAINT = 300_000


def add(store, number, **more):
    """Add jobs that have ended before they began, of an engine that nobody runs."""
    like = {"engine": "none", "program": b"p", "inputs": b"i", "context": b"{}"}
    ids = [store.add_job(NewJob(**like, **{"name": f"job {n}", **more})).job_id for n in range(number)]
    store.ask_many(ids, "cancel", "test")
    return ids


@pytest.fixture
def kernels_store(kernel):
    """The store of the kernel's home, emptied of what other tests left in it."""
    opened = open_store(kernel.home)
    opened.delete_many([record.job_id for record in opened.jobs(JobQuery())])
    yield opened
    opened.close()


def shown(messages):
    """What was displayed, and the one model behind it."""
    (output,) = of(messages, "display_data")
    (model,) = models(messages)
    return output["content"]["data"], model


def ask_for_deck(kernel, comm_id, **known):
    kernel.send(comm_id, {"method": "custom", "content": {"type": "deck", "on": True, **known}})


def rows_frames(kernel):
    return [frame for frame in map(frame_of, kernel.messages) if frame.get("type") == "rows"]


@pytest.mark.parametrize("code", ["jobdeck.dashboard()", "%load_ext jobdeck\n%jobdeck", "jobdeck.Deck()"])
def test_the_deck_is_one_output_with_all_jobs_behind_one_model(kernel, kernels_store, code):
    ids = add(kernels_store, 5)
    forms, model = shown(kernel.run(code))
    assert forms.keys() == {MIME_TYPE, WIDGET_VIEW, "text/html", "text/plain"}
    bundle = forms[MIME_TYPE]
    assert (bundle["layout"], bundle["ids"], bundle["snapshot"]["jobs"]) == ("deck", [], [])
    assert [row["id"] for row in bundle["deck"]["rows"]] == ids[::-1]
    state = model["data"]["state"]
    assert state["_layout"] == "deck"
    assert [row["id"] for row in state["_deck"]["rows"]] == ids[::-1]
    assert model["comm_id"] == forms[WIDGET_VIEW]["model_id"]


def test_ten_thousand_jobs_open_one_comm_and_send_little_before_the_first_paint(kernel, kernels_store):
    tags, inputs = ("h2", "sweep"), {"bond": "0.74", "shots": "1024", "basis": "'sto-3g'"}
    add(kernels_store, 10_000, tags=tags, inputs_preview=inputs, group_id="a-group")
    messages = kernel.run("jobdeck.dashboard()")
    (opened,) = [message["content"] for message in messages if message["msg_type"] == "comm_open"]
    assert opened["data"]["state"]["_deck"]["total"] == 10_000
    contents = [message["content"] for message in messages]
    assert len(json.dumps(contents, ensure_ascii=False).encode()) <= FIRST_PAINT


def test_a_page_that_asks_gets_the_older_rows_and_then_what_changes(kernel, kernels_store):
    ids = add(kernels_store, FIRST_ROWS + 20)
    _, model = shown(kernel.run("jobdeck.dashboard()"))
    ask_for_deck(kernel, model["comm_id"])
    kernel.hear_until(lambda message: frame_of(message).get("more") is False)
    assert {row["id"] for frame in rows_frames(kernel) for row in frame.get("rows", [])} == set(ids)
    kernels_store.update_tags(ids[0], ["kept"])
    kernel.hear_until(lambda message: "kept" in json.dumps(frame_of(message).get("rows", [])))


def test_a_busy_kernel_tells_the_deck_what_changes_with_nobody_asking(kernel, kernels_store):
    add(kernels_store, 3)
    kernel.run("jobdeck.dashboard()\njob = jobdeck.run(work)\njob.result()")
    told = rows_frames(kernel)
    assert any(row["name"] == "work" for frame in told for row in frame.get("rows", []))
    assert [frame["seq"] for frame in told] == list(range(1, len(told) + 1))


def test_a_page_that_is_loaded_again_gets_the_deck_as_it_is_by_then(kernel, kernels_store):
    add(kernels_store, 1)
    _, model = shown(kernel.run("jobdeck.dashboard()"))
    (new,) = add(kernels_store, 1)
    kernel.send(model["comm_id"], {"method": "request_state"})
    answer = kernel.hear_until(
        lambda m: m["msg_type"] == "comm_msg" and "_esm" in m["content"]["data"].get("state", {})
    )
    deck = answer["content"]["data"]["state"]["_deck"]
    assert [deck["rows"][0]["id"], deck["total"]] == [new, 2]


def test_a_job_of_the_deck_is_shown_as_a_card_over_the_same_comm(kernel, kernels_store):
    (job_id,) = add(kernels_store, 1)
    _, model = shown(kernel.run("jobdeck.dashboard()"))
    kernel.send(model["comm_id"], {"method": "custom", "content": {"type": "subscribe", "ids": [job_id]}})
    snapshot = frame_of(kernel.hear_until(lambda message: frame_of(message).get("type") == "snapshot"))
    assert [view["id"] for view in snapshot["jobs"]] == [job_id]
    request = {"type": "bulk", "request": 5, "command": "delete", "query": "ended"}
    kernel.send(model["comm_id"], {"method": "custom", "content": request})
    report = frame_of(kernel.hear_until(lambda message: frame_of(message).get("type") == "report"))
    assert report["outcomes"] == {job_id: "deleted"}


def test_a_comm_that_the_page_opens_takes_bulk_requests_of_stores_that_were_shown(kernel, kernels_store):
    ids = add(kernels_store, 3)
    kernel.run("jobdeck.dashboard()")
    for number, store_id in enumerate((kernels_store.store_id, "aaaaaa")):
        opening = {"target_name": "jobdeck.commands", "comm_id": f"c{number}", "data": {"store_id": store_id}}
        kernel.client.shell_channel.send(kernel.client.session.msg("comm_open", opening))
        kernel.send(f"c{number}", {"type": "bulk", "request": number, "command": "tag", "ids": ids, "add": ["seen"]})
    told = kernel.hear_until(lambda m: m["content"].get("data", {}).get("request") == 1)["content"]["data"]
    assert (told["type"], told["outcomes"]) == ("report", {})
    assert "has not shown" in told["error"]
    done = kernel.hear_until(lambda m: m["content"].get("data", {}).get("request") == 0)["content"]["data"]
    assert done["counts"] == {"tagged": 3}
    assert kernels_store.job(ids[0]).tags == ("seen",)


def test_a_deck_waits_for_no_last_state(kernel, kernels_store):
    kernel.run("jobdeck.dashboard()\njob = jobdeck.run(work)")
    kernel.run("job.result()")
    kernel.run("1 + 1")
    assert not [message for message in kernel.messages if is_update(message)]


def test_without_a_page_the_deck_is_a_table_of_the_newest_jobs_with_how_many_there_are(store):
    hostile = "<img src=x onerror=alert(1)>\x1b[31m"
    add(store, 300, name=hostile, backend=hostile)
    deck = read_deck(store)
    html, text = render_deck_html(deck), render_deck_text(deck)
    shown_rows = html.count("<tr>") - 1
    assert 50 < shown_rows <= FIRST_ROWS
    assert f"and {300 - shown_rows} older jobs" in html
    assert "300 jobs: 300 cancelled" in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "\x1b" not in html + text
    assert text.splitlines()[0] == "300 jobs: 300 cancelled"
    assert text.splitlines()[-1] == "and 280 older jobs"


def test_an_empty_deck_says_so(store):
    assert "no jobs" in render_deck_html(read_deck(store))
    assert render_deck_text(read_deck(store)) == "no jobs"

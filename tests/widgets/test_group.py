"""A group in a cell: one output, live, and true when it is saved."""

from __future__ import annotations

import re

import pytest

from jobdeck import Deck
from jobdeck._feed import read_deck, read_group
from jobdeck._records import JobQuery, NewGroup, NewJob
from jobdeck._status import Exit
from jobdeck._still import WIDGET_VIEW, make_bundle, render_group_html, render_group_text
from jobdeck._still._html import SHAPES
from jobdeck._wire import MIME_TYPE
from jobdeck.store import open_store
from jobdeck.widgets._presenter import NotebookPresenter

from .conftest import WORK
from .test_kernel import frame_of, is_update, models, of


@pytest.fixture
def kernels_store(kernel):
    opened = open_store(kernel.home)
    yield opened
    opened.close()


def add_group(store, count, name="scan", **more):
    """Add a group of jobs of an engine that nobody runs, and return it with their ids."""
    group = store.add_group(NewGroup("sweep", name, total=count, **more))
    new = [
        NewJob(f"{name}[{place}]", "none", b"p", b"i", b"{}", group_id=group.group_id, place=place)
        for place in range(count)
    ]
    return group, [job.job_id for job in store.add_jobs(new)]


def shown(messages):
    """What was displayed, and the one model behind it."""
    (output,) = of(messages, "display_data")
    (model,) = models(messages)
    return output["content"]["data"], model


def rows_frames(kernel, comm_id):
    mine = [message for message in kernel.messages if message["content"].get("comm_id") == comm_id]
    return [frame for frame in map(frame_of, mine) if frame.get("type") == "rows"]


def test_a_group_is_one_output_with_its_jobs_behind_one_model(kernel, kernels_store):
    group, ids = add_group(kernels_store, 3)
    forms, model = shown(kernel.run(f"import jobdeck; jobdeck.group({group.group_id!r})"))
    assert forms.keys() == {MIME_TYPE, WIDGET_VIEW, "text/html", "text/plain"}
    bundle = forms[MIME_TYPE]
    assert (bundle["layout"], bundle["ids"], bundle["snapshot"]["jobs"]) == ("group", [], [])
    assert bundle["group"] == read_group(kernels_store, group.group_id)
    assert [row["id"] for row in bundle["deck"]["rows"]] == ids[::-1]
    state = model["data"]["state"]
    assert (state["_layout"], state["_group"]) == ("group", bundle["group"])
    assert [row["id"] for row in state["_deck"]["rows"]] == ids[::-1]
    assert model["comm_id"] == forms[WIDGET_VIEW]["model_id"]
    kernels_store.ask_many(ids, "cancel", "test")


def test_a_group_tells_what_changes_and_its_output_is_updated_once_when_the_last_job_has_ended(kernel):
    kernel.run(WORK)
    messages = kernel.run("group = jobdeck.map(work, [1, 2, 3], inputs={'pause': 0}); display(group); group.wait(60)")
    _, model = shown(messages)
    (update,) = [message for message in messages if is_update(message)]
    comm_id = model["comm_id"]
    kernel.hear_until(lambda _: any(frame["counts"] == {"DONE": 3} for frame in rows_frames(kernel, comm_id)))
    data = update["content"]["data"]
    assert data[MIME_TYPE]["layout"] == "group"
    assert {row["status"] for row in data[MIME_TYPE]["deck"]["rows"]} == {"DONE"}
    assert "3 jobs: 3 done" in data["text/plain"]
    assert data[WIDGET_VIEW]["model_id"] == comm_id


def test_a_group_that_was_shown_at_its_end_is_updated_once_more_when_its_retries_have_ended(kernel):
    kernel.run("def odd(x, folder):\n    from pathlib import Path\n    return x if Path(folder).exists() else 1 / 0")
    folder = kernel.home / "retries"
    kernel.run(f"again = jobdeck.map(odd, [1, 2], inputs={{'folder': {str(folder)!r}}}); again.wait(60)")
    shown_late = kernel.run("display(again)")
    assert "2 jobs: 2 error" in of(shown_late, "display_data")[0]["content"]["data"]["text/plain"]
    assert not any(map(is_update, shown_late))
    folder.mkdir()
    messages = kernel.run("again.retry_failed(); again.wait(60)")
    updates = [message["content"]["data"]["text/plain"] for message in messages if is_update(message)]
    assert ["2 jobs: 2 done" in text for text in updates] == [True]
    # And so it is when they were asked for elsewhere, while no cell runs.
    (said,) = of(kernel.run("print(again.group_id)"), "stream")
    begin = len(kernel.messages)
    with Deck(kernel.home) as deck:
        job = deck.retry_job(deck.group(said["content"]["text"].strip()).job_ids()[0])
        job.wait_for_final_state(60)
    while not any(map(is_update, kernel.messages[begin:])):
        kernel.hear()
    (update,) = [message for message in kernel.messages[begin:] if is_update(message)]
    rows = {row["id"]: row["status"] for row in update["content"]["data"][MIME_TYPE]["deck"]["rows"]}
    assert rows[job.job_id()] == "DONE"


def test_a_page_that_is_loaded_again_gets_the_group_as_it_is_by_then(kernel, kernels_store):
    group, ids = add_group(kernels_store, 2)
    _, model = shown(kernel.run(f"jobdeck.group({group.group_id!r})"))
    kernels_store.update_group(group.group_id, name="bond scan")
    kernels_store.ask_many(ids, "cancel", "test")
    begin = len(kernel.messages)
    kernel.send(model["comm_id"], {"method": "request_state"})

    def tells_state(message):
        data = message["content"].get("data", {})
        return message["msg_type"] == "comm_msg" and data.get("method") == "update" and "_group" in data["state"]

    while not any(map(tells_state, kernel.messages[begin:])):
        kernel.hear()
    (state,) = [message["content"]["data"]["state"] for message in kernel.messages[begin:] if tells_state(message)]
    assert state["_group"]["name"] == "bond scan"
    assert state["_deck"]["counts"] == {"CANCELLED": 2}


def test_a_page_asks_for_the_rows_of_the_group_alone_and_for_a_card_over_the_same_comm(kernel, kernels_store):
    group, ids = add_group(kernels_store, 100)
    add_group(kernels_store, 3, "other")
    _, model = shown(kernel.run(f"jobdeck.group({group.group_id!r})"))
    comm_id = model["comm_id"]
    ask = {"type": "deck", "on": True, "group": group.group_id}
    kernel.send(comm_id, {"method": "custom", "content": ask})
    kernel.hear_until(
        lambda message: message["content"].get("comm_id") == comm_id and frame_of(message).get("more") is False
    )
    rows = [row["id"] for frame in rows_frames(kernel, comm_id) for row in frame.get("rows", [])]
    assert list(dict.fromkeys(rows)) == ids[::-1]
    kernel.send(comm_id, {"method": "custom", "content": {"type": "subscribe", "ids": [ids[0]]}})
    card = kernel.hear_until(
        lambda message: message["content"].get("comm_id") == comm_id and frame_of(message).get("type") == "snapshot"
    )
    assert [job["id"] for job in frame_of(card)["jobs"]] == [ids[0]]
    kernels_store.ask_many([record.job_id for record in kernels_store.jobs(JobQuery(engine="none"))], "cancel", "test")


def test_a_group_that_is_still_is_a_table_with_how_far_it_is(store):
    group, _ = add_group(store, 70, "<img src=x onerror=alert(1)>", tags=("<b>bold</b>",))
    store.finish({job.job_id: Exit(code=3) for job in store.claim("none", "agent", 7)})
    view, deck = read_group(store, group.group_id), read_deck(store, group.group_id)
    html, text = render_group_html(view, deck), render_group_text(view, deck)
    for form in (html, text):
        assert "70 jobs: 63 queued" in form
        assert "7 error" in form
    assert "7 / 70" in html
    assert "width:10.0%" in html
    assert html.count("<tr>") == 71
    assert "and 50 more jobs" in text
    assert "<img" not in html
    assert "<b>" not in html
    assert "<script" not in html
    assert text.splitlines()[0].startswith(f"<img src=x onerror=alert(1)> ({group.group_id}): ")
    assert len(text.splitlines()) == 22


def test_a_group_that_is_still_tells_how_it_ended_by_the_newest_runs_of_its_jobs(store):
    group, (first, second) = add_group(store, 2, "sweep")

    def told():
        html = render_group_html(read_group(store, group.group_id), read_deck(store, group.group_id))
        return re.findall(r"(\w+)</span><strong>sweep", html)

    assert told() == ["Queued"]
    store.claim("none", "agent", 1)
    store.finish({first: Exit(code=3)})
    store.ask(second, "cancel", "test")
    assert told() == ["Error"]
    new = NewJob("sweep[0]", "none", b"p", b"i", b"{}", group_id=group.group_id, place=0, retry_of=first)
    store.ask(store.add_jobs([new])[0].job_id, "cancel", "test")
    assert told() == ["Cancelled"]


def test_the_bar_of_a_group_that_is_still_tells_how_its_jobs_ended(store):
    group, ids = add_group(store, 4)
    store.finish({job.job_id: Exit(code=3) for job in store.claim("none", "agent", 1)})
    for job_id in ids[1:3]:
        store.ask(job_id, "cancel", "test")
    html = render_group_html(read_group(store, group.group_id), read_deck(store, group.group_id))
    parts = re.findall(r"width:([0-9.]+)%;height:2px;background:(#\w+)", html)
    assert parts == [("25.0", SHAPES["ERROR"][1]), ("50.0", SHAPES["CANCELLED"][1])]


def test_a_group_without_jobs_says_so(store):
    group = store.add_group(NewGroup("session", "calibration"))
    view, deck = read_group(store, group.group_id), read_deck(store, group.group_id)
    assert "no jobs" in render_group_html(view, deck)
    assert render_group_text(view, deck) == f"calibration ({group.group_id}): no jobs"


def test_without_a_kernel_a_group_is_shown_as_text(store, capsys):
    group, _ = add_group(store, 2)
    presenter = NotebookPresenter()
    presenter.display(store, (), "group", group.group_id)
    said = capsys.readouterr().out
    assert said.splitlines()[0] == f"scan ({group.group_id}): 2 jobs: 2 queued"
    bundle = presenter.mimebundle(store, (), "group", group.group_id)
    assert bundle["text/plain"] == said.rstrip("\n")
    assert bundle.keys() == make_bundle(bundle[MIME_TYPE]["snapshot"], (), "deck", deck=read_deck(store)).keys()
    store.close()

"""What a script gets and does over HTTP."""

from __future__ import annotations

import json

import pytest

from jobdeck._records import NewJob, Outcome
from jobdeck._status import Exit
from jobdeck._wire import MAX_BODY, RANGE_LOG, RANGE_MESSAGES


def test_a_job_is_told_as_it_stands(server, store, job_id):
    store.set_progress(job_id, 3, 10, "halfway")
    job = server.ask(f"jobs/{job_id}").json
    assert (job["id"], job["status"], job["final"]) == (job_id, "RUNNING", False)
    assert job["progress"] == {"done": 3, "total": 10, "message": "halfway"}
    store.finish({job_id: Exit(code=3)})
    assert server.ask(f"jobs/{job_id}").json["exit_code"] == 3


def test_messages_are_read_in_ranges_until_the_last(server, store, job_id):
    for number in range(RANGE_MESSAGES + 5):
        store.add_message(job_id, json.dumps({"n": number + 1}))
    rows = server.ask(f"jobs/{job_id}/messages").json["messages"]
    assert [row[0] for row in rows] == list(range(1, RANGE_MESSAGES + 1))
    rest = server.ask(f"jobs/{job_id}/messages?start={rows[-1][0]}").json["messages"]
    assert [json.loads(row[2])["n"] for row in rest] == list(range(RANGE_MESSAGES + 1, RANGE_MESSAGES + 6))
    assert [row[0] for row in server.ask(f"jobs/{job_id}/messages?start=3&stop=5").json["messages"]] == [4, 5]
    assert server.ask(f"jobs/{job_id}/messages?start={10**15}").json == {"messages": []}
    assert server.ask(f"jobs/{job_id}/messages?start=5&stop=3").json == {"messages": []}


def test_a_long_message_is_cut_in_a_range_and_whole_by_its_number(server, store, job_id):
    body = json.dumps({"long": "ä" * 3_000_000}, ensure_ascii=False)
    store.add_message(job_id, body)
    ((number, _, first, length),) = server.ask(f"jobs/{job_id}/messages").json["messages"]
    assert body.startswith(first)
    assert len(first) <= MAX_BODY < len(body) <= length
    answer = server.ask(f"jobs/{job_id}/messages/{number}")
    assert answer.text == body
    assert answer.headers["Content-Type"] == "application/json"


def test_a_message_that_is_not_there_is_missed_in_words(server, store, job_id):
    answer = server.ask(f"jobs/{job_id}/messages/7")
    assert answer.status == 404
    assert answer.json["error"] == f"job {job_id} has no message 7"


def test_the_final_message_is_the_result_and_no_interim_one(server, store, job_id):
    store.add_message(job_id, "1")
    store.add_message(job_id, '{"result": 2}', final=True)
    store.set_outcome(job_id, Outcome(ok=True))
    store.finish({job_id: Exit(code=0)})
    assert [row[0] for row in server.ask(f"jobs/{job_id}/messages").json["messages"]] == [1]
    assert server.ask(f"jobs/{job_id}/messages/2").json == {"result": 2}


def test_output_is_read_in_ranges_without_cutting_a_character(server, store, job_id):
    text = "ä" * RANGE_LOG
    store.log_path(job_id).write_text(text, "utf-8")
    assert server.ask(f"jobs/{job_id}").json["log_size"] == 2 * RANGE_LOG
    found, start = "", 1
    while chunk := server.ask(f"jobs/{job_id}/log?start={start}").json:
        found += chunk["text"]
        if chunk["end"] <= start:
            break
        start = chunk["end"]
    assert found == text[1:]
    assert server.ask(f"jobs/{job_id}/log?start=0&stop=3").json == {"start": 0, "end": 2, "text": "ä"}
    assert server.ask(f"jobs/{job_id}/log?start={10**15}").json["text"] == ""


def test_tags_are_replaced_then_added_then_removed(server, store, ended):
    def tags(change):
        return server.ask(f"jobs/{ended}", method="PATCH", data=change).json["tags"]

    assert tags({"add": ["a", "b", "a"]}) == ["a", "b"]
    assert tags({"tags": ["c", "d"], "add": ["e"], "remove": ["c", "nowhere"]}) == ["d", "e"]
    assert tags({"remove": ["d"]}) == ["e"]
    assert tags({"tags": []}) == []
    assert store.job(ended).tags == ()
    hostile = ["<img src=x onerror=alert(1)>", "\u202eabc", "a" * 1_000, "ü\ud800"]
    assert tags({"tags": hostile}) == [*hostile[:3], "ü?"]


def test_a_tag_without_a_letter_is_refused(server, ended):
    answer = server.ask(f"jobs/{ended}", method="PATCH", data={"add": ["  "]})
    assert answer.status == 400
    assert "a tag is a text that is not empty" in answer.json["error"]


def test_a_job_that_has_ended_is_deleted_with_all_that_it_left(server, store, ended):
    path = store.log_path(ended)
    assert server.ask(f"jobs/{ended}", method="DELETE").status == 204
    assert not path.exists()
    for what in ("", "/messages", "/messages/1", "/log"):
        assert server.ask(f"jobs/{ended}{what}").status == 404
    assert server.ask(f"jobs/{ended}", method="DELETE").status == 404


def test_a_job_that_runs_is_not_deleted(server, store, job_id):
    answer = server.ask(f"jobs/{job_id}", method="DELETE")
    assert answer.status == 409
    assert "cancel it first" in answer.json["error"]
    assert store.job(job_id).status == "RUNNING"


@pytest.mark.parametrize("what", ["", "/messages", "/messages/1", "/log"])
def test_a_job_of_another_home_is_recognised(server, what):
    answer = server.ask(f"jobs/aaaaaa-aaaaaaaaaaaa{what}")
    assert answer.status == 404
    assert "of another jobdeck home" in answer.json["error"]


def test_a_name_of_ten_thousand_characters_is_told_cut(server, store):
    name = "\u202e<b>" + "x" * 10_000
    record = store.add_job(NewJob(name=name, engine="test", program=b"", inputs=b"", context=b"{}"))
    told = server.ask(f"jobs/{record.job_id}").json["name"]
    assert told.startswith("\u202e<b>x")
    assert len(told) == 1_000


def test_an_answer_is_json_that_no_cache_keeps_and_nothing_takes_for_a_page(server, job_id):
    headers = server.ask(f"jobs/{job_id}").headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]

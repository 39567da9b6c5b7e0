"""Many jobs over HTTP: which there are, and what is done to them at once."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote

import pytest

from jobdeck._records import JobQuery, NewGroup, NewJob
from jobdeck._status import Exit
from jobdeck._wire import MOST_IDS

from .conftest import Server, unchanged


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on a home with nothing in it but this module's jobs."""
    folder = tmp_path_factory.mktemp("server")
    started = Server(folder, folder / "home")
    yield started
    started.stop()


@pytest.fixture
def jobs(store):
    """Twelve jobs for an agent that does not exist, the newest first: every third has failed, the next ones run."""
    records = [
        store.add_job(
            NewJob(
                f"job {n}", "test", b"", b"", b"{}", tags=("even",) if n % 2 == 0 else (), inputs_preview={"n": str(n)}
            )
        )
        for n in range(12)
    ]
    store.claim("test", "agent", 8)
    store.finish({record.job_id: Exit(code=1) for record in records[:8:3]})
    for n, record in enumerate(records[:8]):
        if n % 3:
            store.add_message(record.job_id, f'{{"energy": {-n}}}')
    yield [record.job_id for record in reversed(records)]
    store.finish({record.job_id: Exit(code=0) for record in records})
    store.prune(None, 0)
    for record in store.jobs(JobQuery()):
        store.delete_job(record.job_id)


@pytest.fixture
def group(store):
    """A group of four jobs for an agent that does not exist, one of which has failed and was run again."""
    made = store.add_group(NewGroup("sweep", "scan", ("h2",), total=4))
    new = [NewJob(f"scan[{n}]", "test2", b"", b"", b"{}", group_id=made.group_id, place=n) for n in range(4)]
    first, *_ = store.add_jobs(new)
    (claimed,) = store.claim("test2", "agent", 1)
    store.finish({claimed.job_id: Exit(code=1)})
    again = NewJob("scan[0]", "test2", b"", b"", b"{}", group_id=made.group_id, place=0, retry_of=first.job_id)
    store.add_job(again)
    yield made
    for record in store.jobs(JobQuery(group_id=made.group_id)):
        store.delete_job(record.job_id)


def ids(page):
    return [row["id"] for row in page.json["rows"]]


def test_jobs_are_listed_page_by_page_the_newest_first(server, jobs):
    pages = [server.ask(f"jobs?limit=5&skip={skip}") for skip in (0, 5, 10, 15)]
    assert [job_id for page in pages for job_id in ids(page)] == jobs
    for page in pages:
        assert (page.json["found"], page.json["total"]) == (12, 12)
        assert page.json["counts"] == {"ERROR": 3, "QUEUED": 4, "RUNNING": 5}
    assert all(one["number"] > other["number"] for one, other in pairwise(pages[0].json["rows"]))
    assert ids(server.ask("jobs?limit=0")) == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("query=status:error", [6, 3, 0]),
        ("query=energy%3C-4", [7, 5]),
        ("query=energy%3C-4&limit=1&skip=1", [5]),
        ("query=input.n%3E9", [11, 10]),
        ("status=ERROR", [6, 3, 0]),
        ("status=ERROR,RUNNING&tag=even", [6, 4, 2, 0]),
        ("tag=even&tag=odd", []),
        ("query=status:error&tag=even", [6, 0]),
        ("query=%22job%203%22", [3]),
        ("status=NOSUCH", []),
    ],
)
def test_jobs_are_found_by_query_status_and_tag(server, jobs, asked, names):
    page = server.ask(f"jobs?{asked}")
    assert [row["name"] for row in page.json["rows"]] == [f"job {n}" for n in names]
    assert page.json["total"] == 12


def test_how_many_were_found_does_not_depend_on_the_page(server, jobs):
    for asked in ("tag=even", "query=tag:even", "query=input.n%3E%3D6"):
        assert server.ask(f"jobs?{asked}&limit=2&skip=3").json["found"] == 6


@pytest.mark.parametrize(("query", "bad"), [("status:", "status:"), ("energy<<3", "<3"), ("name:x nosuch:3", "nosuch")])
def test_a_query_that_cannot_be_read_is_refused_with_the_place_of_the_bad_word(server, jobs, store, query, bad):
    with unchanged(store):
        answers = [
            server.ask(f"jobs?query={quote(query)}"),
            server.ask("commands", data={"command": "cancel", "query": query}),
        ]
    for answer in answers:
        assert answer.status == 400
        assert answer.json["error"]
        assert bad in query[answer.json["start"] : answer.json["end"] + 1]


def test_one_command_stops_all_that_a_query_finds_and_tells_what_became_of_each(server, jobs, store):
    report = server.ask("commands", data={"command": "cancel", "query": "input.n>=4"}).json
    assert report["counts"] == {"cancelled": 4, "asked": 3, "ended": 1}
    assert {store.job(job_id).status for job_id in jobs[:4]} == {"CANCELLED"}
    assert store.job(jobs[-1]).cancel_state is None


def test_one_command_names_many_jobs_and_tells_which_are_not_there(server, jobs, store):
    order = {"command": "tag", "ids": [*jobs[:2], "aaaaaa-aaaaaaaaaaaa"], "add": ["new"], "remove": ["even"]}
    report = server.ask("commands", data=order).json
    assert report["counts"] == {"tagged": 2, "missing": 1}
    assert store.job(jobs[1]).tags == ("new",)


def test_jobs_that_run_are_not_deleted_with_the_others(server, jobs, store):
    report = server.ask("commands", data={"command": "delete", "ids": jobs}).json
    assert report["counts"] == {"deleted": 7, "refused": 5}
    assert set(report["reasons"].values()) == {"it is under way: cancel it first"}
    assert server.ask("jobs").json["total"] == 5


def test_a_thousand_jobs_are_stopped_by_one_command(server, store):
    made = [store.add_job(NewJob("one of many", "test", b"", b"", b"{}")).job_id for _ in range(1_000)]
    report = server.ask("commands", data={"command": "cancel", "ids": made}).json
    assert report["counts"] == {"cancelled": 1_000}
    assert list(report["outcomes"]) == made
    assert server.ask("jobs?status=CANCELLED&limit=1").json["found"] == 1_000
    assert server.ask("commands", data={"command": "delete", "query": "cancelled"}).json["counts"] == {"deleted": 1_000}


@pytest.mark.parametrize(
    "order",
    [
        {"command": "cancel"},
        {"command": "cancel", "ids": [], "query": ""},
        {"command": "tag", "ids": []},
        {"command": "cancel", "ids": [], "add": ["a"]},
        {"command": "cancel", "ids": ["../../etc"]},
        {"command": "cancel", "ids": ["a\n"]},
        {"command": "cancel", "ids": [[]]},
        {"command": "cancel", "ids": "all"},
        {"command": "cancel", "query": "x" * 10_001},
        {"command": "cancel", "ids": ["a"] * (MOST_IDS + 1)},
        {"command": "tag", "query": "", "add": [" "]},
        {"command": "retry", "ids": [], "inputs": {}},
    ],
    ids=lambda order: str(order)[:60],
)
def test_an_order_that_is_none_changes_nothing(server, jobs, store, order):
    with unchanged(store):
        assert server.ask("commands", data=order).status == 400


def test_groups_are_listed_with_how_their_jobs_stand(server, group):
    (found,) = server.ask("groups").json["groups"]
    assert found["group"]["id"] == group.group_id
    assert (found["group"]["name"], found["group"]["tags"], found["group"]["total"]) == ("scan", ["h2"], 4)
    assert found["counts"] == {"QUEUED": 4}
    assert server.ask("groups?skip=1").json == {"groups": []}
    assert server.ask(f"groups?ids={group.group_id},nonsense").json == {"groups": [found]}
    assert server.ask("groups?ids=nonsense").json == {"groups": []}


def test_jobs_of_one_group_are_listed(server, jobs, group):
    page = server.ask(f"jobs?group={group.group_id}&limit=2").json
    assert (page["found"], [row["name"] for row in page["rows"]]) == (5, ["scan[0]", "scan[3]"])
    assert server.ask(f"jobs?group={group.group_id}&query=failed").json["found"] == 1
    assert server.ask(f"jobs?query=group:{group.group_id}").json["found"] == 5


def test_a_group_comes_in_the_forms_of_a_saved_notebook(server, group):
    forms = server.ask(f"html?layout=group&group={group.group_id}").json
    assert forms["text"].splitlines()[0] == f"scan ({group.group_id}): 4 jobs: 4 queued"
    assert "0 / 4" in forms["html"]
    missing, unsaid = server.ask("html?layout=group&group=nonsense"), server.ask("html?layout=group")
    assert (missing.status, missing.json["error"][:17]) == (404, "there is no group")
    assert (unsaid.status, unsaid.json["error"]) == (400, "with the layout group, `group` has to say which one")

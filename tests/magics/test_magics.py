"""The magics in a real kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from decks import close_all, stop_agent
from jobdeck import Deck
from jobdeck.cli import main
from kernels import Kernel, kernel
from programs import nothing

SETUP = """
%load_ext jobdeck
import math as m
import threading
from math import sin
import numpy as np
data = [1, 2, 3]
lock = threading.Lock()
offset = 10
label = 'x'
def square(x):
    return x * x + offset
class Point:
    def __init__(self, x):
        self.x = x
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("magics")
    with kernel(folder / "home", folder) as started:
        assert started.run(SETUP) == ""
        yield started
    stop_agent(folder / "home")


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, notebook: Kernel) -> Iterator[Deck]:
    """A deck of this process on the notebook's home."""
    home = Path(notebook.run("import os; print(os.environ['JOBDECK_HOME'])").strip())
    with Deck(home) as deck:
        yield deck
    close_all()


def test_what_is_given_wrongly_is_told_below_the_line_that_gives_it(notebook: Kernel):
    assert notebook.run("import jobdeck\n\njobdeck.jobs(limit='x')").splitlines() == [
        "  Cell, line 3, in <module>",
        "    jobdeck.jobs(limit='x')",
        "InvalidInputError: limit is a whole number of at least 0, not 'x'",
    ]


def test_a_query_that_cannot_be_read_is_shown_below_the_line_that_has_it(notebook: Kernel):
    said = notebook.run("import jobdeck\ndef mine(query):\n    return jobdeck.jobs(query=query)\n\nmine('status:')")
    place, line, inner, inner_line, *told = said.splitlines()
    assert (line.strip(), inner_line.strip()) == ("mine('status:')", "return jobdeck.jobs(query=query)")
    assert (place, inner) == ("  Cell, line 5, in <module>", "  Cell, line 3, in mine")
    assert told == ['QueryError: "status:" lacks what comes after it', "  status:", "  ^^^^^^^"]


def test_a_cell_runs_as_a_job_and_its_last_expression_is_the_result(notebook: Kernel):
    said = notebook.run("%%job first -t a -t b\nprint('in the job')\npublish(1)\nprogress(1, 2)\n6 * 7")
    assert "first" in said
    said = notebook.run(
        "print(_job.result(30), _job.name, _job.tags, _job.interim_results(), _job.logs(), _job.progress.fraction)"
    )
    assert said == "42 first ['a', 'b'] [1] in the job\n 0.5\n"


def test_a_job_without_a_name_has_the_number_that_stands_beside_its_cell(notebook: Kernel):
    notebook.run("%%job\n1")
    name, here = notebook.run("print(_job.name, len(In) - 1)").rsplit(maxsplit=1)
    assert name == f"cell {int(here) - 1}"


def test_code_of_the_notebook_comes_along_and_data_by_name(notebook: Kernel):
    cell = "[square(x) for x in data], m.sqrt(16), sin(0), Point(3).x, int(np.arange(offset).sum())"
    notebook.run(f"%%job -i data,offset -i label\n{cell}, label")
    said = notebook.run("print(_job.result(30)); print(_job.inputs)")
    assert said.splitlines() == [
        "([11, 14, 19], 4.0, 0.0, 3, 45, 'x')",
        "{'data': [1, 2, 3], 'offset': 10, 'label': 'x'}",
    ]


def test_data_that_was_not_named_is_missing_with_advice(notebook: Kernel):
    notebook.run("%%job\n\n\nsum(data)")
    said = notebook.run("_job.wait_for_final_state(30); print(_job.error_message())")
    assert "pass it with: %%job -i data" in said
    assert "line 4, in <module>" in said
    assert "sum(data)" in said


def test_a_name_that_the_notebook_does_not_have_is_an_ordinary_error(notebook: Kernel):
    notebook.run("%%job\nno_such_name")
    said = notebook.run("_job.wait_for_final_state(30); print(_job.error_message())")
    assert said.rstrip().endswith("NameError: name 'no_such_name' is not defined")


def test_the_notebooks_variables_do_not_change_under_a_job(notebook: Kernel):
    notebook.run("%%job -i data\ndata.append(4)\nsum(data)")
    assert notebook.run("print(_job.result(30), data)") == "10 [1, 2, 3]\n"


def test_variables_come_back_before_the_next_cell(notebook: Kernel):
    cell = "total = 5\npoint = Point(7)\nbad = threading.Lock()\nif total == 6:\n    missing = 1\n'value'"
    notebook.run(f"%%job back -o total,point,bad -o missing\n{cell}")
    # The line that says so may still come with the cell that waited.
    said = notebook.run("_job.wait_for_final_state(30)")
    said += notebook.run("print(total, point.x, 'missing' in globals(), _job.result())")
    told, shown = said.splitlines()
    assert told.startswith("job 'back' is done: total is set; point is set; bad cannot be brought back")
    assert told.endswith("it did not set missing")
    assert shown == "5 7 False value"
    assert notebook.run("print('nothing more')") == "nothing more\n"


def test_nothing_comes_back_from_a_job_that_failed(notebook: Kernel):
    notebook.run("kept = 1")
    notebook.run("%%job -o kept\nkept = 2\n1/0")
    notebook.run("_job.wait_for_final_state(30)")
    said = notebook.run("print(kept)")
    assert said.splitlines()[0].startswith("kept not set: job")
    assert "ZeroDivisionError" in said
    assert said.splitlines()[-1] == "1"


def test_a_cell_may_await(notebook: Kernel):
    notebook.run("%%job\nimport asyncio\nx = await asyncio.sleep(0, 3)\nawait asyncio.sleep(0, x + 1)")
    assert notebook.run("print(_job.result(30))") == "4\n"


def test_a_variable_called_backend_can_be_passed(notebook: Kernel):
    notebook.run("backend = 'simulator'")
    notebook.run("%%job -i backend\nbackend + '!'")
    assert notebook.run("print(_job.result(30), _job.backend())") == "simulator! simulator\n"


def test_a_cell_runs_on_the_engine_that_it_names_else_on_the_homes(notebook: Kernel, elsewhere: Deck):
    cell = "import os\nos.getpid()"
    told = "import os; print(_job.engine, _job.result(30) == os.getpid())"
    notebook.run(f"%%job -e threads\n{cell}")
    assert notebook.run(told) == "threads True\n"
    words = ["--home", str(elsewhere.home), "config", "engine", "threads"]
    assert CliRunner().invoke(main, words).output == "threads\n"
    try:
        notebook.run(f"%%job\n{cell}")
        assert notebook.run(told) == "threads True\n"
        notebook.run(f"%%job -e local\n{cell}")
        assert notebook.run(told) == "local False\n"
    finally:
        del elsewhere.settings["engine"]
    notebook.run(f"%%job\n{cell}")
    assert notebook.run(told) == "local False\n"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%job --fast\n1", ["--fast", "usage: %%job"]),
        ("%%job -i nothing_of_that_name\n1", ["nothing_of_that_name", "-i"]),
        ("%%job -i 'a b'\n1", ["'a b'", "usage: %%job"]),
        ("%%job -i publish\n1", ["publish"]),
        ("%%job -i lock\n1", ["lock", "cannot"]),
        ("%%job -o nothing_sets_it\n1", ["nothing_sets_it", "-o"]),
        ("%%job --timeout soon\n1", ["soon", "--timeout", "usage: %%job"]),
        ("%%job --timeout -1\n1", ["--timeout", "usage: %%job"]),
        ("%%job -e slurm\n1", ["slurm", "local"]),
        ("%%job one two\n1", ["two", "usage: %%job"]),
        ("%%job 'one\n1", ["'one", "usage: %%job"]),
        ("%%job\nfor", ["SyntaxError", "line 2"]),
        ("%%job\n!ls", ["!"]),
        ("%%job\n%time 1", ["magics"]),
        ("%job", ["ID", "usage: %job"]),
        ("%job -v", ["-v", "usage: %job"]),
        ("%job nonsense", ["nonsense"]),
        ("%jobs colour:red", ["colour", "tag"]),
        ("%jobs tag:a nmae:x", ["did you mean name?", "\n  tag:a nmae:x\n        ^^^^"]),
        ("%cancel energy<<3", ['no "<<" in queries', "\n        ^^"]),
        ("%jobs --all", ["--all", "usage: %jobs [QUERY]"]),
        ("%cancel", ["usage: %cancel"]),
        ("%cancel status:running --all", ["--all", "usage: %cancel"]),
        ("%cancel nonsense", ["nonsense"]),
        ("%jobdeck 1", ["1", "usage: %jobdeck"]),
        ("%watch", ["usage: %watch EXPRESSION"]),
        ("%watch 1 + 1", ["int", "nothing that can be watched", "concurrent.futures.Future"]),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_queued(notebook: Kernel, cell: str, words: list[str]):
    before = notebook.run("import jobdeck; print(len(jobdeck.jobs()))")
    said = re.sub(r"\x1b\[[0-9;]*m", "", notebook.run(cell))
    assert said.startswith("UsageError: ")
    assert "Traceback" not in said
    for word in words:
        assert word in said
    assert notebook.run("print(len(jobdeck.jobs()))") == before


def test_what_an_expression_gives_is_watched(notebook: Kernel):
    notebook.run("from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)")
    shown = notebook.run("%watch pool.submit(lambda: 6 * 7)")
    assert notebook.run("print(_job.job_id())").strip() in shown
    assert notebook.run("print(_job.result(30), _job.engine)") == "42 futures\n"


def test_jobs_are_shown_by_id_and_found_by_words(notebook: Kernel):
    notebook.run("%%job findable -t paper\n1")
    job_id = notebook.run("_job.wait_for_final_state(30); print(_job.job_id())").strip()
    assert job_id in notebook.run(f"%job {job_id[-8:]}")
    assert notebook.run(f"j = %job {job_id}\nprint(j.job_id() == _job.job_id())") == "True\n"
    for query in (
        "findable",
        "tag:paper",
        "name:find*",
        "done tag:paper",
        "ended FIND",
        "status:done findable",
        'name:"findable"',
        "(tag:paper OR tag:none) -running started:<1h",
        "value.result=1 findable",
    ):
        assert notebook.run(f"found = %jobs {query}\nprint([j.job_id() for j in found])") == f"{[job_id]}\n", query
    for query in ("running findable", "tag:other", "name:x*"):
        assert notebook.run(f"found = %jobs {query}\nprint(found)") == "no jobs\n", query
    assert "findable" in notebook.run("%jobs")
    assert "findable" in notebook.run("%jobdeck")


def test_ids_and_words_are_completed(notebook: Kernel, elsewhere: Deck):
    job = elsewhere.prepare(nothing, tags=["complete-me"], name="two words")

    def complete(line: str) -> list[str]:
        return notebook.client.complete(line, reply=True, timeout=30)["content"]["matches"]

    assert job.job_id() in complete("%job ")
    assert job.job_id() in complete("%cancel " + job.job_id()[:8])
    assert "tag:" in complete("%cancel ")
    assert complete("%%job -e th") == ["threads"]
    assert complete("%%job name --ti") == ["--timeout"]
    notebook.run("somewhere = 1")
    assert complete("%%job -i somew") == complete("%watch somew") == ["somewhere"]
    assert "running" in complete("%jobs ru")
    assert "complete-me" in complete("%jobs -done tag:comp")
    assert "cancelled" in complete("%jobs status:error,canc")
    assert '"two words"' in complete("%jobs name:")
    assert job.job_id() not in complete("%jobs ")
    assert job.job_id() not in complete("%cancel tag:complete-me ")
    job.cancel()
    assert job.job_id() not in complete("%cancel ")


def test_jobs_are_cancelled_by_id_and_by_query(notebook: Kernel, elsewhere: Deck):
    ids = []
    for number in range(3):
        notebook.run(f"%%job sleeper-{number} -t sleepers\nimport time\ntime.sleep(100)")
        ids.append(notebook.run("print(_job.job_id())").strip())
    said = notebook.run(f"%cancel {ids[0]}")
    assert said == f"asked to stop: sleeper-0 ({ids[0]})\n"
    assert elsewhere.job(ids[0]).wait_for_final_state(15) is None
    assert notebook.run(f"%cancel {ids[0]}") == f"had ended before: sleeper-0 ({ids[0]}, CANCELLED)\n"
    said = notebook.run("%cancel tag:sleepers")
    assert said.count("asked to stop") == 2
    for job_id in ids:
        elsewhere.job(job_id).wait_for_final_state(15)
        assert elsewhere.job(job_id).cancelled()
    assert "UsageError" in notebook.run("%cancel tag:sleepers")


def test_many_jobs_are_cancelled_with_one_line_about_them(notebook: Kernel, elsewhere: Deck):
    jobs = [elsewhere.prepare(nothing, tags=["many"]) for _ in range(40)]
    assert notebook.run("%cancel tag:many") == "40 cancelled\n"
    assert all(job.cancelled() for job in jobs)


def test_the_magics_can_be_loaded_again_and_taken_away(notebook: Kernel):
    assert notebook.run("%reload_ext jobdeck") == ""
    notebook.run("%%job -o once\nonce = 1")
    notebook.run("_job.wait_for_final_state(30)")
    assert notebook.run("print(once)").count("once is set") == 1
    assert notebook.run("%unload_ext jobdeck") == ""
    assert "not found" in notebook.run("%jobs")
    assert notebook.run("%load_ext jobdeck") == ""
    assert "Show jobs" in notebook.run("print(get_ipython().find_magic('jobs').__doc__)")

"""marimo shows jobs live: it has no IPython kernel, but shows anywidgets by itself."""

import subprocess
import sys
from textwrap import dedent, indent

import pytest
from playwright.sync_api import expect

import jobdeck

from .conftest import end_jobs
from .notebook import PRELUDE, badge
from .served import CARDS, DECK, Served, card_of, expect_live_cards, expect_live_deck


@pytest.fixture(scope="module")
def marimo(tmp_path_factory):
    base = tmp_path_factory.mktemp("marimo")
    settings = base / "config" / "marimo" / "marimo.toml"
    settings.parent.mkdir(parents=True)
    # Run the cells when a page opens the notebook, as marimo's own setting has it.
    settings.write_text("[runtime]\nauto_instantiate = true\n")
    options = ["--headless", "--no-token", "--skip-update-check", "--no-sandbox", "--host", "127.0.0.1"]
    server = Served(
        base, lambda port: [sys.executable, "-m", "marimo", "-q", "edit", ".", *options, "--port", str(port)], "health"
    )
    yield server
    server.close()


@pytest.fixture
def open_cells(marimo, open_page, request):
    """Open a notebook of these cells in marimo's editor, which runs them."""

    def open_them(*cells):
        name = f"{request.node.name}.py"
        write_notebook(marimo.folder / name, cells)
        return open_page(f"{marimo.url}?file={name}")

    yield open_them
    end_jobs(marimo.home)


def write_notebook(path, cells):
    """Write cells as marimo keeps them: functions, with the variables of the others as arguments."""
    code = [indent(dedent(cell).strip(), "    ") for cell in cells]
    body = "\n\n".join(f"@app.cell\ndef _():\n{cell}\n    return" for cell in code)
    path.write_text(f"import marimo\n\napp = marimo.App()\n\n\n{body}\n")


def test_a_card_streams_and_its_job_ends_or_is_cancelled(marimo, open_cells):
    page = open_cells(*CARDS)
    expect_live_cards(marimo, page)
    page.reload()
    expect(badge(card_of(page, "climbing"))).to_have_text("Done")
    expect(badge(card_of(page, "gate"))).to_have_text("Cancelled")


def test_the_dashboard_finds_and_cancels_jobs(open_cells):
    expect_live_deck(open_cells(*DECK))


def test_a_cell_that_runs_again_leaves_nothing_behind(open_cells):
    page = open_cells(
        PRELUDE,
        "job = jobdeck.submit(gate, 'never')",
        """
        import threading

        with open("runs", "a") as _file:
            _file.write(".")
        _feeds = [thread.name for thread in threading.enumerate() if thread.name == "jobdeck-feeds"]
        print(f"run {pathlib.Path('runs').stat().st_size} found {len(_feeds)} feeds")
        job
        """,
    )
    expect(page.get_by_text("run 1 found 0 feeds")).to_be_visible()
    expect(badge(card_of(page, "gate"))).to_have_text("Running")
    # marimo shows the button while the mouse is over the cell.
    page.get_by_test_id("run-button").nth(2).dispatch_event("click")
    expect(page.get_by_text("run 2 found 0 feeds")).to_be_visible()
    expect(badge(card_of(page, "gate"))).to_have_text("Running")


def test_an_exported_notebook_tells_how_its_jobs_ended(marimo):
    notebook = marimo.folder / "exported.py"
    write_notebook(
        notebook,
        [
            PRELUDE,
            "shown = jobdeck.submit(gate, 'exported')._display_()\nshown",
            """
            assert not shown._snapshot["jobs"][0]["final"]
            pathlib.Path("exported").touch()
            while not shown._snapshot["jobs"][0]["final"]:
                time.sleep(0.01)
            """,
        ],
    )
    command = [sys.executable, "-m", "marimo", "-q", "export", "html", notebook.name, "-o", "exported.html"]
    subprocess.run(command, cwd=marimo.folder, env=marimo.environment, check=True, timeout=60, capture_output=True)
    assert '"status": "DONE"' in (marimo.folder / "exported.html").read_text()


def test_outside_of_marimo_its_question_is_answered_in_words(home):
    deck = jobdeck.Deck(home)
    assert deck.jobs()._display_() == "no jobs"
    assert deck._display_() == repr(deck)
    job = deck.prepare(dict)
    assert job._display_() == repr(job)
    deck.close()

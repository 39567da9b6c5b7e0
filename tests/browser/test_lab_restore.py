"""Cards and decks in outputs are live again at once, whatever became of the kernel; a saved notebook keeps the last."""

import json

from playwright.sync_api import expect

from .notebook import PRELUDE, badge

MIME_TYPE = "application/vnd.jobdeck.jobs.v1+json"
STEADY = """
def steady(user_messenger):
    user_messenger.publish({"i": 1})
    gate("more")
    user_messenger.publish({"i": 2})
    gate("end")
"""


def run(name):
    return f"job = jobdeck.run(steady, name={name!r})\njob"


def line(notebook, cell, name):
    """A job's line in the deck that a cell shows."""
    return notebook.output(cell).locator(".jobdeck-grid-row[data-status]").filter(has_text=name)


def test_a_deck_and_a_card_are_live_after_a_reload_while_a_cell_is_busy_and_after_the_kernel_is_gone(open_notebook):
    notebook = open_notebook(
        [PRELUDE + STEADY, run("busy one"), "jobdeck.dashboard()", "pathlib.Path('busy').touch(); time.sleep(600)"]
    )
    notebook.run_and_wait(0, 1, 2)
    expect(line(notebook, 2, "busy one")).to_have_attribute("data-status", "RUNNING")
    notebook.save()
    kernel = notebook.kernel_id()
    notebook.run(3)
    notebook.wait_for_mark("busy")
    notebook.reload()
    notebook.open_gate("more")
    expect(notebook.card(1).get_by_text('{"i": 2}')).to_be_visible()
    expect(line(notebook, 2, "busy one")).to_contain_text("i 2")
    assert notebook.lab.get(f"api/kernels/{kernel}")["execution_state"] == "busy"

    notebook.lab.delete(f"api/kernels/{kernel}")
    notebook.open_gate("end")
    expect(badge(notebook.card(1))).to_have_text("Done")
    expect(line(notebook, 2, "busy one")).to_have_attribute("data-status", "DONE")


def test_a_notebook_that_is_opened_later_without_a_kernel_is_live_and_keeps_the_newest_jobs(open_notebook, deck):
    notebook = open_notebook([PRELUDE + STEADY, run("later one"), "jobdeck.dashboard()"])
    notebook.run_and_wait(0, 1, 2)
    notebook.save()
    notebook.close()
    again = open_notebook(notebook.path, kernel=False)
    expect(line(again, 2, "later one")).to_have_attribute("data-status", "RUNNING")
    again.card(1).get_by_role("button", name="Cancel").click()
    expect(line(again, 2, "later one")).to_have_attribute("data-status", "CANCELLED")

    deck.submit(max, 1, 2).result(30)
    expect(line(again, 2, "max")).to_have_attribute("data-status", "DONE")
    again.save()
    cell = json.loads(again.file.read_text())["cells"][2]
    saved = cell["outputs"][0]["data"][MIME_TYPE]["deck"]
    assert saved["rows"][0]["name"] == "max"
    assert saved["counts"]["DONE"] >= 1


def test_a_page_with_another_store_than_the_kernel_says_so_and_asks_the_kernel(open_notebook, tmp_path):
    elsewhere = f"import os\nos.environ['JOBDECK_HOME'] = {str(tmp_path / 'elsewhere')!r}\n"
    notebook = open_notebook([elsewhere + PRELUDE + STEADY, run("other one"), "jobdeck.dashboard()", "job.cancel()"])
    notebook.run_and_wait(0, 1, 2)
    for cell in (1, 2):
        expect(notebook.output(cell)).to_contain_text("another store of jobs than this output's")
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    expect(line(notebook, 2, "other one")).to_have_attribute("data-status", "RUNNING")
    notebook.open_gate("more")
    expect(card.get_by_text('{"i": 2}')).to_be_visible()
    expect(line(notebook, 2, "other one")).to_contain_text("i 2")
    # The widgets alone know it, and what is saved has it from them.
    notebook.save()
    cells = json.loads(notebook.file.read_text())["cells"]
    one, deck = (cells[cell]["outputs"][0]["data"][MIME_TYPE] for cell in (1, 2))
    (rows,) = one["snapshot"]["messages"].values()
    assert '{"i": 2}' in json.dumps(rows).replace("\\", "")
    assert deck["deck"]["rows"][0]["latest"] == "i 2"
    expect(card.get_by_text('{"i": 2}')).to_be_visible()
    notebook.run_and_wait(3)
    expect(badge(card)).to_have_text("Cancelled")

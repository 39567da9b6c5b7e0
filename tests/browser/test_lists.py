"""Many jobs in one output, and the magics."""

from playwright.sync_api import expect

from .notebook import PRELUDE, badge


def test_thirty_jobs_are_one_list_that_opens_by_the_line(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE
            + "jobs = [jobdeck.submit(abs, -i, ) for i in range(30)]\nfor job in jobs: job.wait_for_final_state()",
            "jobdeck.jobs(limit=30)",
            "%load_ext jobdeck",
            "%jobdeck",
            "%jobs",
        ]
    )
    notebook.run_and_wait(0, 1)
    expect(notebook.cards(1).first).to_be_visible()
    notebook.run_and_wait(2, 3, 4)
    expect(notebook.cards(3).first).to_be_visible()
    expect(notebook.cards(4).first).to_be_visible()


def test_a_cell_runs_in_the_background_with_its_output_in_the_card(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE + "%load_ext jobdeck\nx = 20",
            "%%job doubled -i x -o y\nprint('from the cell')\npublish({'x': x})\ny = 2 * x\ny + 2",
            "y",
        ]
    )
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Done")
    expect(card).to_contain_text("doubled")
    card.get_by_role("tab", name="Output", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("from the cell")
    card.get_by_role("tab", name="Result", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("42")
    notebook.run_and_wait(2)
    assert notebook.text(2) == "40"

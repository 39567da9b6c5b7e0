"""Many jobs in one output, and the magics."""

from playwright.sync_api import expect

from .notebook import PRELUDE, badge, unfold

SQUARE = """
def square(x, user_messenger):
    user_messenger.publish({"x": x})
    gate("go")
    return x * x
"""


def test_thirty_jobs_are_one_list_that_counts_them_and_opens_by_the_line(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE
            + "def square(x, user_messenger):\n    user_messenger.publish({'x': x})\n    gate('go')\n    return x * x",
            "jobs = [jobdeck.run(square, inputs={'x': i}, name=f'square-{i}', tags=['thirty']) for i in range(30)]",
            "jobdeck.jobs(tags=['thirty'])",
            "%load_ext jobdeck",
            "%jobs tag:thirty",
            "%jobdeck",
            "later = jobdeck.run(gate, inputs={'name': 'go'}, name='came later')",
        ]
    )
    notebook.run_and_wait(0, 1, 2)
    counts = notebook.output(2).locator(".jobdeck-counts")
    expect(counts).to_contain_text("All 30")
    expect(counts).to_contain_text("Running 2")
    assert notebook.cards(2).count() < 30, "only what can be seen is in the page"
    last = notebook.cards(2).filter(has_text="square-29")
    expect(badge(last)).to_have_text("Queued")
    notebook.open_gate("go")
    expect(counts).to_contain_text("Done 30")
    expect(badge(last)).to_have_text("Done")
    unfold(last)
    expect(last).to_contain_text('{"x": 29}')

    notebook.run_and_wait(3, 4, 5)
    expect(notebook.output(4).locator(".jobdeck-counts")).to_contain_text("All 30")
    rows = notebook.output(5).locator(".jobdeck-grid-row[data-status]")
    expect(rows.filter(has_text="square-29")).to_have_attribute("data-status", "DONE")
    notebook.run_and_wait(6)
    expect(rows.first).to_contain_text("came later")


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
    unfold(card)
    card.get_by_role("tab", name="Output", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("from the cell")
    card.get_by_role("tab", name="Result", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("42")
    notebook.run_and_wait(2)
    assert notebook.text(2).endswith("40")

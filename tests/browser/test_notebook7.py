"""Notebook 7 has less room than JupyterLab: what it has a place for works there, too."""

import pytest
from playwright.sync_api import expect

import programs

from .notebook import PRELUDE, badge


@pytest.fixture
def gate(tmp_path):
    return programs.Gate(tmp_path)


def test_the_palette_opens_panel_and_deck_beside_a_notebook_with_live_outputs(open_notebook):
    notebook = open_notebook(
        [PRELUDE, "job = jobdeck.run(gate, inputs={'name': 'go'}, name='here')\njob", "jobdeck.dashboard()"],
        app="notebook",
    )
    notebook.run_and_wait(0, 1, 2)
    expect(badge(notebook.card(1))).to_have_text("Running")
    line = notebook.page.locator(".jobdeck-grid-row[data-status='RUNNING']").filter(has_text="here")
    expect(notebook.output(2).locator(line)).to_have_count(1)

    notebook.choose("Open the Deck of Jobs")
    expect(notebook.deck.locator(line)).to_have_count(1)
    heights = [
        notebook.deck.locator(part).evaluate("(e) => e.clientHeight") for part in (".jobdeck-grid", ".jobdeck-lanes")
    ]
    assert heights[0] > heights[1], "below a notebook there is little room, and the table has the most of it"
    notebook.choose("Show Jobs Panel")
    row = notebook.panel.locator("[data-status='RUNNING']").filter(has_text="here")
    expect(row).to_be_visible()
    row.get_by_role("button", name="here", exact=True).click()
    expect(notebook.page.locator(".jobdeck-tab-view:visible [data-job-id]")).to_contain_text("here")

    notebook.save()
    notebook.reload()
    notebook.open_gate("go")
    expect(badge(notebook.card(1))).to_have_text("Done")


def test_the_page_of_files_has_the_deck_too(open_window, deck, gate):
    deck.run(programs.count_to, inputs={"number": 3, "gate": gate, "first": 2}, name="from elsewhere")
    window = open_window("tree")
    window.choose("Open the Deck of Jobs")
    line = window.deck.locator(".jobdeck-grid-row[data-status]").filter(has_text="from elsewhere")
    expect(line).to_have_attribute("data-status", "RUNNING")
    gate.open()
    expect(line).to_have_attribute("data-status", "DONE")

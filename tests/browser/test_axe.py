"""axe finds nothing to object to in what jobdeck shows, in both themes."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from .notebook import PRELUDE, badge

AXE = (Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
SOME = """
def some(user_messenger):
    for i in range(5):
        user_messenger.publish({"i": i, "energy": -i})
    user_messenger.progress(1, 2)
    gate("end")
def failing():
    raise ValueError("too bad")
"""


def objections(page, *selectors):
    """What axe has against the parts of a page that match; each must be there."""
    for selector in selectors:
        expect(page.locator(selector).first).to_be_visible()
    found = page.evaluate("selectors => axe.run({ include: selectors })", list(selectors))
    nodes = [(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]
    return [f"{rule}: {node['html'][:200]} {node['failureSummary']}" for rule, node in nodes]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wrong_with_cards_panel_deck_status_bar_and_dialogs(dark, open_notebook):
    notebook = open_notebook(
        [
            PRELUDE + SOME,
            "job = jobdeck.run(some, name='seen', tags=['a tag'])\nbad = jobdeck.run(failing)\njob",
            "bad.wait_for_final_state(60)\nbad",
            "jobdeck.dashboard()",
        ]
    )
    page = notebook.page
    try:
        notebook.use_theme(dark)
        notebook.run_and_wait(0, 1, 2, 3)
        expect(badge(notebook.card(2))).to_have_text("Error")
        page.evaluate(AXE)
        notebook.command("jobdeck:show-panel")
        expect(notebook.panel.locator("[data-status='RUNNING']").first).to_be_visible()
        assert objections(page, ".jp-NotebookPanel .jobdeck-root", "#jobdeck-panel", ".jobdeck-status") == []

        notebook.command("jobdeck:open")
        row = notebook.deck.locator(".jobdeck-grid-row[data-status='RUNNING']").filter(has_text="seen").first
        row.click()
        expect(notebook.deck).to_be_visible()
        assert objections(page, ".jobdeck-deck-view .jobdeck-root") == []
        notebook.deck.get_by_role("button", name="Actions").click()
        assert objections(page, ".jobdeck-deck-view .jobdeck-root") == []
        notebook.deck.get_by_role("menuitem", name="Tag", exact=False).first.click()
        assert objections(page, "dialog.jobdeck-dialog") == []
        page.keyboard.press("Escape")
        notebook.open_gate("end")
    finally:
        notebook.use_theme(dark=False)

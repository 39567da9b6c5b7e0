"""The deck in a cell: found, read, selected and stopped in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .notebook import PRELUDE, Notebook

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

CODE = """
def scan(user_messenger, r):
    user_messenger.publish({"iteration": 1, "energy": -r})
    user_messenger.progress(1, 4)
    gate("end")
    return {"energy": -r}
def failing():
    raise ValueError("bond length must be positive")
"""
START = """
failed = jobdeck.run(failing, name="scan-05", tags=["TAG"])
failed.wait_for_final_state()
jobs = [jobdeck.run(scan, inputs={"r": r}, name=f"scan[{r}]", tags=["TAG"]) for r in (1, 2)]
"""


def cells(tag: str) -> list[str]:
    """A notebook's; the tests share a home, so that each has a tag of its own."""
    return [PRELUDE + CODE, START.replace("TAG", tag), "jobdeck.dashboard()"]


def show(notebook: Notebook, tag: str) -> Locator:
    notebook.run_and_wait(0, 1, 2)
    deck = notebook.output(2).locator(".jobdeck-deck:visible")
    find(deck, f"tag:{tag}")
    return deck


def find(deck: Locator, query: str) -> None:
    box = deck.get_by_role("combobox", name="Find jobs")
    box.fill(query)
    box.press("Tab")


def row(deck: Locator, name: str) -> Locator:
    return deck.locator("[data-id]").filter(has=deck.page.get_by_text(name, exact=True))


def cell(deck: Locator, name: str, column: str) -> Locator:
    return row(deck, name).locator(f"[data-column={column}]")


@pytest.mark.parametrize("with_extension", [True, False], ids=["by the server", "by the kernel"])
def test_the_deck_finds_jobs_follows_them_and_stops_those_that_are_selected(
    with_extension, open_notebook, request, lab
):
    server = lab if with_extension else request.getfixturevalue("lab_without_extension")
    notebook = open_notebook(cells("stopped"), server=server)
    deck = show(notebook, "stopped")
    expect(deck.locator("[data-id]")).to_have_count(3)
    expect(cell(deck, "scan[2]", "latest")).to_have_text("energy -2")
    expect(cell(deck, "scan[2]", "progress")).to_have_text("25%")
    expect(cell(deck, "scan-05", "latest")).to_have_text("ValueError: bond length must be positive")
    find(deck, "tag:stopped energy<-1.5")
    expect(deck.locator("[data-id]")).to_have_count(1)
    find(deck, "tag:stopped status:running energy<<3")
    expect(deck.get_by_role("alert").locator("u")).to_have_text("<<")
    find(deck, "tag:stopped")
    row(deck, "scan[1]").click()
    pane = deck.get_by_role("region", name="Details")
    expect(pane.get_by_role("option").first).to_contain_text('{"iteration": 1, "energy": -1}')
    grid = deck.get_by_role("grid")
    grid.press("Escape")
    expect(pane).to_have_count(0)
    grid.press("Control+a")
    deck.get_by_role("button", name="Cancel 2 of 3 selected").click()
    expect(deck.locator(".jobdeck-report")).to_contain_text("2 asked to stop")
    expect(cell(deck, "scan[1]", "status")).to_contain_text("Cancelled")
    expect(cell(deck, "scan[2]", "status")).to_contain_text("Cancelled")


def test_keys_in_the_deck_are_not_the_notebooks(open_notebook):
    notebook = open_notebook(cells("keys"))
    deck = show(notebook, "keys")
    grid = deck.get_by_role("grid")
    grid.focus()
    for key in ("Home", "d", "d", "x", "ArrowDown", "Enter"):
        grid.press(key)
    expect(deck.locator(".jobdeck-pane strong.jobdeck-name")).to_have_text("scan[1]")
    assert notebook.page.locator(".jp-CodeCell").count() == 3
    notebook.open_gate("end")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_the_deck_and_every_word_stands_out(dark, open_notebook):
    tag = "dark" if dark else "light"
    notebook = open_notebook(cells(tag))
    try:
        notebook.use_theme(dark)
        deck = show(notebook, tag)
        row(deck, "scan[1]").click()
        expect(deck.get_by_role("region", name="Details").get_by_role("tablist")).to_be_visible()
        notebook.page.evaluate(AXE.read_text())
        violations = deck.evaluate(
            """async deck => (await axe.run(deck, {rules: {region: {enabled: false}}})).violations
                .map(({id, nodes}) => [id, ...nodes.map(node => node.html)])"""
        )
        assert violations == []
        assert deck.evaluate(CONTRAST) == []
        notebook.open_gate("end")
    finally:
        notebook.use_theme(dark=False)

"""A set of jobs as a reader has it: a card of its own, one line of the deck, one thing of the side panel."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .conftest import ARTIFACTS
from .notebook import PRELUDE, badge

AXE = (Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")

CODE = """
def energy(user_messenger, r, layers):
    if r > 0.8:
        gate("end")
    if r == 0.7 and layers == 2:
        raise ValueError("too far apart")
    return {"energy": -1.1 + (r - 0.74) ** 2 / layers}
"""
SWEEP = """
group = jobdeck.sweep(energy, {"r": [0.5, 0.6, 0.7, 0.9], "layers": [1, 2]}, name="NAME", tags=["TAG"])
group
"""


def cells(name: str) -> list[str]:
    """A notebook's; the tests share a home, so that each has a name of its own."""
    return [PRELUDE + CODE, SWEEP.replace("NAME", name).replace("TAG", name)]


def violations(page, *selectors: str) -> list[tuple[str, str]]:
    """What axe has against these parts of a page."""
    page.evaluate(AXE)
    found = page.evaluate("selectors => axe.run({ include: selectors })", list(selectors))
    return [(rule["id"], node["html"][:200]) for rule in found["violations"] for node in rule["nodes"]]


def card(notebook, cell: int) -> Locator:
    return notebook.output(cell).locator(".jobdeck-group:visible")


@pytest.mark.parametrize("place", ["by the server", "by the kernel", "in Notebook 7"])
def test_a_sweep_in_a_cell_is_followed_and_stopped(place, open_notebook, request, lab):
    server = request.getfixturevalue("lab_without_extension") if place == "by the kernel" else lab
    app = "notebook" if place == "in Notebook 7" else "lab"
    notebook = open_notebook(cells("stopped-sweep"), server=server, app=app)
    notebook.run_and_wait(0, 1)
    shown = card(notebook, 1)
    expect(shown.locator(".jobdeck-summary")).to_contain_text("6 / 8 · 1 failed")
    expect(shown.locator("[data-id]")).to_have_count(8)
    expect(shown.locator("[role=columnheader][data-column='value:r']")).to_have_text("r")
    shown.get_by_role("button", name="Cancel all").click()
    expect(badge(shown).first).to_have_text("Error")
    expect(shown.get_by_role("button", name="Cancelled 2")).to_be_visible()
    shown.get_by_role("button", name="Error 1").click()
    expect(shown.locator("[data-id]")).to_have_count(1)
    shown.locator("[data-id]").click()
    expect(shown.locator(".jobdeck-pane .jobdeck-error")).to_contain_text("too far apart")
    shown.get_by_role("button", name="Retry 1 failed").click()
    expect(shown.locator(".jobdeck-report")).to_contain_text("1 started again")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_in_a_sweep_its_plot_its_line_and_the_panel(dark, open_notebook):
    name = "dark-sweep" if dark else "light-sweep"
    theme = "dark" if dark else "light"
    notebook = open_notebook(cells(name))
    try:
        notebook.use_theme(dark)
        notebook.run_and_wait(0, 1)
        shown = card(notebook, 1)
        expect(shown.locator(".jobdeck-summary")).to_contain_text("6 / 8 · 1 failed")
        assert violations(notebook.page, ".jp-NotebookPanel .jobdeck-group") == []
        assert shown.evaluate(CONTRAST) == []
        notebook.screenshot(ARTIFACTS / f"sweep-{theme}.png")
        shown.get_by_role("tab", name="Plot").click()
        expect(shown.locator("canvas[data-points='5']")).to_be_visible()
        picture = shown.get_by_role("application")
        picture.press("End")
        expect(shown.locator(".jobdeck-reading")).to_contain_text("r 0.7 · energy")
        assert violations(notebook.page, ".jp-NotebookPanel .jobdeck-group") == []
        notebook.screenshot(ARTIFACTS / f"sweep-plot-{theme}.png")
        notebook.command("jobdeck:show-panel")
        line = notebook.panel.locator("[data-group]").filter(has_text=name)
        expect(line).to_contain_text("6 / 8")
        assert violations(notebook.page, "#jobdeck-panel") == []
        line.get_by_role("button", name=name, exact=True).click()
        row = notebook.deck.locator("[data-group]").filter(has_text=name)
        expect(row).to_have_attribute("aria-expanded", "true")
        expect(notebook.deck.locator("[aria-level='2']").first).to_contain_text(name)
        assert violations(notebook.page, ".jobdeck-deck-view .jobdeck-root") == []
        notebook.screenshot(ARTIFACTS / f"sweep-deck-{theme}.png")
        notebook.deck.get_by_role("treegrid").press("Escape")
        notebook.open_gate("end")
    finally:
        notebook.use_theme(dark=False)


def test_a_set_is_opened_and_closed_by_the_keyboard(open_notebook):
    notebook = open_notebook([*cells("keyed-sweep"), "jobdeck.dashboard()"])
    notebook.run_and_wait(0, 1, 2)
    notebook.open_gate("end")
    deck = notebook.output(2).locator(".jobdeck-deck:visible")
    row = deck.locator("[data-group]").filter(has_text="keyed-sweep")
    expect(row).to_have_attribute("aria-expanded", "false")
    grid = deck.get_by_role("treegrid")
    grid.focus()
    grid.press("Home")
    active = deck.locator(".jobdeck-is-active")
    for _ in range(40):
        if active.get_attribute("data-line") == row.get_attribute("data-line"):
            break
        grid.press("ArrowDown")
    grid.press("ArrowRight")
    expect(row).to_have_attribute("aria-expanded", "true")
    grid.press("ArrowDown")
    expect(active).to_have_attribute("aria-level", "2")
    grid.press("Enter")
    expect(deck.locator(".jobdeck-pane strong.jobdeck-name")).to_contain_text("keyed-sweep")
    grid.press("ArrowLeft")
    grid.press("ArrowLeft")
    expect(row).to_have_attribute("aria-expanded", "false")
    # The keys were not the notebook's.
    assert notebook.page.locator(".jp-CodeCell").count() == 3


def test_a_saved_notebook_tells_how_a_set_stood(open_notebook, lab):
    notebook = open_notebook(cells("saved-sweep"))
    notebook.run_and_wait(0, 1)
    notebook.open_gate("end")
    expect(badge(card(notebook, 1)).first).to_have_text("Error")
    expect(card(notebook, 1).locator(".jobdeck-summary")).to_contain_text("1 failed · took")
    notebook.save()
    saved = [output for output in notebook.outputs(1) if "text/html" in output.get("data", {})]
    bundle = saved[0]["data"]["application/vnd.jobdeck.jobs.v1+json"]
    assert bundle["layout"] == "group"
    assert bundle["deck"]["counts"] == {"DONE": 7, "ERROR": 1}
    assert bundle["group"]["name"] == "saved-sweep"
    path = notebook.path
    notebook.close()
    again = open_notebook(path, kernel=False)
    expect(card(again, 1).locator("[data-id]")).to_have_count(8)
    expect(card(again, 1).locator(".jobdeck-summary")).to_contain_text("1 failed · took")


def test_what_cannot_be_stopped_says_so_on_its_button(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE + "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)",
            "future = pool.submit(gate, 'end')\njob = jobdeck.watch(future, name='foreign')\njob",
        ]
    )
    notebook.run_and_wait(0, 1)
    shown = notebook.card(1)
    expect(badge(shown)).to_have_text("Running")
    expect(shown.locator(".jobdeck-facts")).to_contain_text("futures")
    button = shown.get_by_role("button", name="Cancel")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_accessible_description("cannot be stopped once it runs")
    assert violations(notebook.page, ".jp-NotebookPanel .jobdeck-root") == []
    notebook.screenshot(ARTIFACTS / "watched.png")
    notebook.open_gate("end")
    expect(badge(shown)).to_have_text("Done")

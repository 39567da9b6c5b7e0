"""The card without a mouse, in the dark, and for those who listen to it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .notebook import PRELUDE, Notebook, badge

SOME = """
def some(user_messenger):
    for i in range(5):
        user_messenger.publish({"i": i, "energy": -i})
    user_messenger.progress(1, 2)
    print("\\x1b[33myellow\\x1b[0m")
    gate("end")
def failing():
    raise ValueError("too bad")
"""

LAYOUT_COLOR = {False: "rgb(255, 255, 255)", True: "rgb(33, 33, 33)"}
"""Lab's own ``--jp-layout-color1``."""
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_word_stands_out_from_its_background(dark, open_notebook):
    notebook = open_notebook(
        [PRELUDE + SOME, "job = jobdeck.run(some, tags=['a tag'])\njob", "bad = jobdeck.run(failing)\nbad"]
    )
    try:
        notebook.use_theme(dark)
        notebook.run_and_wait(0, 1, 2)
        card, bad = notebook.card(1), notebook.card(2)
        expect(badge(bad)).to_have_text("Error")
        expect(card.get_by_text('{"i": 4', exact=False)).to_be_visible()
        assert card.evaluate("card => getComputedStyle(card).backgroundColor") == LAYOUT_COLOR[dark]
        assert card.evaluate(CONTRAST) == []
        assert bad.evaluate(CONTRAST) == []
        card.get_by_role("tab", name="Output", exact=True).click()
        expect(card.get_by_text("yellow")).to_be_visible()
        assert card.evaluate(CONTRAST) == []
    finally:
        notebook.use_theme(dark=False)


def tab_to(notebook: Notebook, target: Locator) -> None:
    """Press Tab until the keyboard is there."""
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            return
        notebook.page.keyboard.press("Tab")
    raise AssertionError("Tab never gets there")


def test_the_keyboard_alone_reads_the_tabs_and_cancels(open_notebook):
    notebook = open_notebook([PRELUDE + SOME, "job = jobdeck.run(some)\njob"])
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    notebook.page.locator(".jp-Notebook .jp-Cell").nth(1).focus()

    cancel = card.get_by_role("button", name="Cancel")
    tab_to(notebook, cancel)
    first = card.get_by_role("tab", name="Interim results")
    tab_to(notebook, first)
    notebook.page.keyboard.press("ArrowRight")
    output = card.get_by_role("tab", name="Output", exact=True)
    expect(output).to_be_focused()
    expect(output).to_have_attribute("aria-selected", "true")
    expect(card.get_by_role("tabpanel")).to_contain_text("yellow")
    notebook.page.keyboard.press("End")
    expect(card.get_by_role("tab", name="Result", exact=True)).to_be_focused()
    notebook.page.keyboard.press("Home")
    expect(first).to_be_focused()

    while not cancel.evaluate("element => element === document.activeElement"):
        notebook.page.keyboard.press("Shift+Tab")
    notebook.page.keyboard.press("Enter")
    expect(badge(card)).to_have_text("Cancelled")
    # The keys were meant for the card alone: Enter did not begin to edit the cell.
    expect(notebook.page.locator(".jp-Notebook.jp-mod-editMode")).to_have_count(0)


def test_roles_and_names_say_what_is_there(open_notebook):
    notebook = open_notebook([PRELUDE + SOME, "job = jobdeck.run(some, name='spoken')\njob", "job"])
    notebook.run_and_wait(0, 1, 2)
    expect(notebook.card(2).get_by_role("tablist")).to_be_visible()
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    expect(card).to_have_accessible_name("spoken")
    expect(card.get_by_role("progressbar")).to_have_accessible_name("Progress")
    expect(card.get_by_role("tablist")).to_be_visible()
    assert card.get_by_role("tab").count() == 4
    for button in card.get_by_role("button").all():
        expect(button).to_have_accessible_name(re.compile(r"\w"))
    ids = notebook.page.locator(".jobdeck-root [id]").evaluate_all("elements => elements.map(element => element.id)")
    assert len(ids) == len(set(ids)), "what a tab controls is its own card's panel"

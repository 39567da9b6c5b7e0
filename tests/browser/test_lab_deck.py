"""The deck in a tab of JupyterLab, and in a cell."""

import pytest
from playwright.sync_api import expect

import programs

from .notebook import PRELUDE, badge


@pytest.fixture
def gate(tmp_path):
    return programs.Gate(tmp_path)


def run(deck, gate, name):
    """Start a job that publishes two messages and waits at the gate."""
    return deck.run(programs.count_to, inputs={"number": 3, "gate": gate, "first": 2}, name=name)


def rows(deck_view):
    return deck_view.locator(".jobdeck-grid-row[data-status]")


def test_launcher_menu_and_shortcut_open_one_deck_that_is_as_it_was_after_a_reload(open_window, deck, gate):
    jobs = [run(deck, gate, name) for name in ("alpha", "beta")]
    window = open_window()
    window.page.locator(".jp-LauncherCard[data-category='Other']").filter(has_text="Jobs").click()
    expect(rows(window.deck).filter(has_text="alpha")).to_have_count(1)
    window.page.keyboard.press("Control+Shift+J")
    window.page.get_by_role("menuitem", name="View", exact=True).click()
    window.page.get_by_role("menu").get_by_text("Open the Deck of Jobs").click()
    expect(window.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").filter(has_text="Jobs")).to_have_count(1)

    search = window.deck.get_by_role("combobox")
    search.fill("name:beta")
    expect(rows(window.deck)).to_have_count(1)
    window.wait_until_kept("jobdeck-deck:deck")
    window.wait_until_state("jobdeck:deck", "name:beta")
    window.reload()
    expect(search).to_have_value("name:beta")
    expect(rows(window.deck)).to_have_count(1)

    # A second window agrees, and both are live.
    gate.open()
    jobs[1].result(30)
    expect(rows(window.deck).and_(window.page.locator("[data-status='DONE']"))).to_have_count(1)


def test_a_job_is_shown_in_the_deck_from_its_menu(open_window, deck, gate):
    job = run(deck, gate, "pointed")
    window = open_window()
    window.command("jobdeck:show-panel")
    window.panel.locator(f"[data-job-id='{job.job_id()}']").click(button="right")
    window.page.get_by_role("menu").get_by_text("Show in the Deck").click()
    card = window.deck.locator(f".jobdeck-pane [data-job-id='{job.job_id()}']")
    expect(badge(card)).to_have_text("Running")
    # Its line in the deck has the same menu.
    rows(window.deck).filter(has_text="pointed").first.click(button="right")
    window.page.get_by_role("menu").get_by_text("Cancel Job").click()
    expect(badge(card)).to_have_text("Cancelled")
    gate.open()


def test_keys_that_are_pressed_inside_of_a_card_or_a_deck_do_not_reach_the_notebook(open_notebook):
    notebook = open_notebook(
        [PRELUDE, "job = jobdeck.run(gate, inputs={'name': 'go'}, name='keys')\njob", "jobdeck.dashboard()"]
    )
    notebook.run_and_wait(0, 1, 2)
    kinds = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type)"
    before = notebook.page.evaluate(kinds)
    for target in (
        notebook.card(1).get_by_role("tab", name="Inputs"),
        notebook.output(2).get_by_role("combobox"),
        notebook.output(2).get_by_role("grid"),
    ):
        target.focus()
        for key in ("a", "b", "d", "d", "m", "x", "ArrowDown", "0", "0"):
            notebook.page.keyboard.press(key)
    expect(notebook.page.get_by_role("dialog")).to_have_count(0)
    assert notebook.page.evaluate(kinds) == before
    # With a modifier they are the application's, as ever.
    notebook.page.keyboard.press("Control+Shift+J")
    expect(notebook.deck).to_be_visible()
    notebook.open_gate("go")

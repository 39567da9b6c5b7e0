"""A saved notebook tells its jobs' last known status, log and result, with nobody to ask."""

import shutil

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from .notebook import PRELUDE, Notebook, badge, unfold, write_notebook

PROGRAM = """
def told(user_messenger):
    print("a line of output")
    user_messenger.publish({"energy": -1.1})
    return {"answer": 42, "text": "<img src=x onerror=alert(1)>"}
def failing():
    raise ValueError("<img src=x onerror=alert(2)>")
"""


@pytest.fixture(scope="module")
def saved(window, lab):
    """A notebook that was run, saved and closed."""
    cells = [PRELUDE + PROGRAM, "done = jobdeck.run(told, name='told')\ndone", "bad = jobdeck.run(failing)\nbad"]
    write_notebook(lab.root / "saved" / "notebook.ipynb", cells)
    notebook = Notebook(window, lab, "saved/notebook.ipynb")
    notebook.run_and_wait(0, 1, 2)
    expect(badge(notebook.card(1))).to_have_text("Done")
    expect(badge(notebook.card(2))).to_have_text("Error")
    notebook.save()
    notebook.close()
    return notebook


def test_it_tells_in_lab_without_a_kernel(saved, open_notebook):
    again = open_notebook(saved.path, kernel=False)
    card = again.card(1)
    expect(badge(card)).to_have_text("Done")
    unfold(card)
    expect(card).to_contain_text('{"energy": -1.1}')
    card.get_by_role("tab", name="Result", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("42")
    expect(again.card(2)).to_contain_text("ValueError: <img src=x onerror=alert(2)>")


def test_it_tells_on_another_machine(saved, open_notebook, lab_without_extension):
    elsewhere = lab_without_extension.root / "copied" / "notebook.ipynb"
    elsewhere.parent.mkdir()
    shutil.copy(saved.file, elsewhere)
    again = open_notebook("copied/notebook.ipynb", server=lab_without_extension)
    card = again.card(1)
    expect(badge(card)).to_have_text("Done")
    unfold(card)
    expect(card).to_contain_text('{"energy": -1.1}')
    card.get_by_role("tab", name="Output", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("a line of output")
    card.get_by_role("tab", name="Result", exact=True).click()
    expect(card.get_by_role("tabpanel")).to_contain_text("42")
    expect(card.get_by_role("button", name="Retry")).to_have_count(0)


def test_it_tells_as_html_without_a_script(saved, window, tmp_path):
    html, _ = HTMLExporter(embed_images=True).from_notebook_node(nbformat.read(saved.file, as_version=4))
    page_file = tmp_path / "notebook.html"
    page_file.write_text(html)
    context = window.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    body = page.locator("body")
    for text in (
        "Done",
        "told",
        '{"energy": -1.1}',
        "a line of output",
        "42",
        "ValueError: <img src=x onerror=alert(2)>",
    ):
        expect(body).to_contain_text(text)
    expect(page.locator(".jp-OutputArea img")).to_have_count(0)
    expect(page.locator(".jp-OutputArea script")).to_have_count(0)
    context.close()

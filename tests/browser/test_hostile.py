"""Whatever a job says, its card shows it as text and the page stays usable."""

import re

from playwright.sync_api import expect

from .notebook import PRELUDE, badge, unfold

TEXT = "<img src=x onerror=alert(1)>"


def test_markup_shows_as_its_characters_wherever_it_comes_from(open_notebook):
    program = f"""
TEXT = {TEXT!r}
def hostile(argument, user_messenger):
    print(TEXT, "in the output")
    user_messenger.publish(TEXT + " in a message")
    user_messenger.publish({{TEXT: 1.0}})
    user_messenger.publish({{TEXT: 2.0}})
    user_messenger.progress(1, 2, TEXT + " in the progress")
    gate("end")
    return [TEXT, "in the result"]
def failing():
    raise ValueError(TEXT)
"""
    notebook = open_notebook(
        [
            PRELUDE + program,
            "job = jobdeck.run(hostile, inputs={'argument': TEXT}, name=TEXT + ' as name', tags=[TEXT + ' as tag'])",
            "job",
            "bad = jobdeck.run(failing)\nbad",
        ]
    )
    notebook.run_and_wait(0, 1, 2, 3)
    card = notebook.card(2)
    for place in ("as name", "as tag", "in a message"):
        expect(card).to_contain_text(f"{TEXT} {place}")
    panel = card.get_by_role("tabpanel")
    card.get_by_role("tab", name="Output", exact=True).click()
    expect(panel).to_contain_text(f"{TEXT} in the output")
    card.get_by_role("tab", name="Inputs", exact=True).click()
    expect(panel).to_contain_text(TEXT)
    notebook.open_gate("end")
    card.get_by_role("tab", name="Result", exact=True).click()
    expect(panel).to_contain_text("in the result")
    expect(panel).to_contain_text(TEXT)
    expect(notebook.card(3)).to_contain_text(f"ValueError: {TEXT}")
    assert notebook.page.locator('img[src="x"]').count() == 0


def test_a_flood_of_messages_and_one_endless_line_leave_the_page_usable(open_notebook):
    flood = """
def flood(user_messenger):
    for i in range(100_000):
        user_messenger.publish({"i": i})
    print("x" * 10_000_000)
    print("after the long line")
    return "x" * 10_000_000
"""
    notebook = open_notebook([PRELUDE + flood, "job = jobdeck.run(flood)\njob", "print('still', 'here')"])
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    notebook.run_and_wait(2)
    notebook.wait_for_text(2, "still here")

    expect(badge(card)).to_have_text("Done", timeout=90_000)
    unfold(card)
    expect(card.get_by_role("tab", name="Interim results")).to_contain_text("100,000")
    expect(card.get_by_text('{"i": 99999}')).to_be_visible()
    for name in ("Output", "Result", "Interim results"):
        tab = card.get_by_role("tab").filter(has_text=re.compile(f"^{name}"))
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        assert card.locator("*").count() < 1000
        assert len(card.inner_text()) < 200_000

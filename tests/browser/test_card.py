"""What the card of a job shows, from its first line to its last."""

import re

from playwright.sync_api import Locator, expect

from .notebook import PRELUDE, badge
from .waiting import until

VQE = """
def vqe(start, note, user_messenger):
    print("\\x1b[31mwarming up\\x1b[0m")
    time.sleep(0.5)  # so that a little progress promises some time to come
    for i in range(1, 41):
        user_messenger.publish({"iteration": i, "energy": start - i / 100})
        user_messenger.progress(i, 400)
        print(f"\\rstep {i} of 40", end="", flush=True)
        if i == 20:
            gate("more")
    gate("end")
    return {"ground state": -1.1375}
"""

SCAN = """
def scan(r):
    if not pathlib.Path("mended").exists():
        raise ValueError("bond length must be positive")
    return r
"""


def ink(card: Locator) -> str:
    """The picture that the plot has drawn."""
    return str(card.locator("canvas").evaluate("canvas => canvas.toDataURL()"))


def coloured_pixels(card: Locator) -> int:
    return int(
        card.locator("canvas").evaluate(
            """canvas => {
                const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                let count = 0;
                for (let i = 0; i < pixels.length; i += 4)
                    if (pixels[i + 3] > 128 && Math.abs(pixels[i] - pixels[i + 2]) > 60) count += 1;
                return count;
            }"""
        )
    )


def test_a_running_job_streams_plots_prints_and_ends_with_its_result(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE + VQE,
            "job = jobdeck.run(vqe, inputs={'start': -0.6, 'note': 'STO-3G'}, name='vqe-h2', tags=['h2'])\njob",
        ]
    )
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)

    expect(badge(card)).to_have_text("Running")
    expect(card).to_contain_text("vqe-h2")
    expect(card.get_by_text("h2", exact=True)).to_be_visible()
    expect(card.get_by_text('"iteration": 20', exact=False)).to_be_visible()
    expect(card.get_by_role("tab", name="Interim results")).to_contain_text("20")
    bar = card.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "5")
    expect(card).to_contain_text("20 / 400")
    expect(card).to_contain_text(re.compile(r"\d:\d\d elapsed · \d+:\d\d left"))

    until(lambda: coloured_pixels(card) > 20, "the plot's line")
    before = ink(card)
    notebook.open_gate("more")
    expect(card.get_by_text('"iteration": 40', exact=False)).to_be_visible()
    expect(bar).to_have_attribute("aria-valuenow", "10")
    notebook.page.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before", arg=[card.locator("canvas").element_handle(), before]
    )

    card.get_by_role("tab", name="Output", exact=True).click()
    panel = card.get_by_role("tabpanel")
    expect(panel).to_contain_text("step 40 of 40")
    expect(panel).not_to_contain_text("step 39")
    colour = "element => getComputedStyle(element).color"
    assert panel.get_by_text("warming up").evaluate(colour) != panel.get_by_text("step 40 of 40").evaluate(colour)

    card.get_by_role("tab", name="Inputs", exact=True).click()
    expect(panel).to_contain_text("STO-3G")
    expect(panel).to_contain_text("-0.6")

    card.get_by_role("tab", name="Result", exact=True).click()
    notebook.open_gate("end")
    expect(badge(card)).to_have_text("Done")
    expect(panel).to_contain_text("-1.1375")
    expect(card).to_contain_text(re.compile(r"took (\d+:\d\d|0\.\d+ s)"))
    expect(card.get_by_role("button", name="Cancel")).to_have_count(0)
    card.get_by_role("button", name="Copy result").click()
    copied = notebook.page.evaluate("() => navigator.clipboard.readText()")
    assert "-1.1375" in copied


def test_a_failed_job_shows_its_traceback_unfolded_and_runs_again_on_retry(open_notebook):
    notebook = open_notebook(
        [
            PRELUDE + SCAN,
            "job = jobdeck.run(scan, inputs={'r': -1}, name='scan-05')\njob",
        ]
    )
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Error")
    expect(card.get_by_text("ValueError: bond length must be positive").first).to_be_visible()
    expect(card.get_by_text("in scan", exact=False).first).to_be_visible()
    expect(card).to_contain_text(re.compile(r"failed after (\d+:\d\d|0\.\d+ s)"))

    notebook.open_gate("mended")
    card.get_by_role("button", name="Retry").click()
    cards = notebook.cards(1)
    expect(cards).to_have_count(2)
    expect(badge(cards.nth(1))).to_have_text("Done")
    expect(badge(cards.nth(0))).to_have_text("Error")


def test_a_queued_job_says_how_many_are_before_it(open_notebook, deck):
    notebook = open_notebook(
        [
            PRELUDE
            + "jobs = [jobdeck.submit(gate, 'go') for _ in range(2 * len(__import__('os').sched_getaffinity(0)))]",
            "last = jobdeck.submit(gate, 'go')\nlast",
        ]
    )
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Queued")
    expect(card).to_contain_text(re.compile(r"\d+(st|nd|rd|th) in line · local"))
    notebook.open_gate("go")
    expect(badge(card)).to_have_text("Done")

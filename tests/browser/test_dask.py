"""A job on a Dask cluster has the card that any job has."""

from playwright.sync_api import expect

from .notebook import PRELUDE, badge
from .test_card import coloured_pixels
from .waiting import until

CLUSTER = """
from distributed import LocalCluster
cluster = LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None, host="127.0.0.1")
here = str(pathlib.Path.cwd())

def relax(here, user_messenger):
    print("on a worker")
    value = 1.0
    for step in range(1, 21):
        value /= 2
        user_messenger.publish({"step": step, "value": value})
        user_messenger.progress(step, 40)
    while not pathlib.Path(here, "end").exists():
        time.sleep(0.01)
    return {"value": value}
"""


def test_a_job_on_a_cluster_streams_plots_prints_and_is_cancelled(open_notebook):
    run = "job = jobdeck.run(relax, inputs={'here': here}, engine=cluster, name='relax')\njob"
    notebook = open_notebook([PRELUDE + CLUSTER, run, run, "cluster.close()"])
    notebook.run_and_wait(0, 1, 2)
    first, second = notebook.card(1), notebook.card(2)

    for card in (first, second):
        expect(badge(card)).to_have_text("Running")
        expect(card.get_by_text('"step": 20', exact=False)).to_be_visible()
        expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    until(lambda: coloured_pixels(first) > 20, "the plot's line")
    first.get_by_role("tab", name="Output", exact=True).click()
    expect(first.get_by_role("tabpanel")).to_contain_text("on a worker")

    second.get_by_role("button", name="Cancel").click()
    expect(badge(second)).to_have_text("Cancelled")
    expect(badge(first)).to_have_text("Running")

    first.get_by_role("tab", name="Result", exact=True).click()
    notebook.open_gate("end")
    expect(badge(first)).to_have_text("Done")
    expect(first.get_by_role("tabpanel")).to_contain_text("9.5367")
    notebook.run_and_wait(3)
    expect(badge(first)).to_have_text("Done")

"""What a result and its way there look like: a histogram and a convergence plot, in both themes."""

from __future__ import annotations

import csv
import struct
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import ARTIFACTS
from .notebook import PRELUDE, badge, unfold
from .waiting import PATIENCE

AXE = (Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")

CODE = """
def bell():
    from qiskit import QuantumCircuit
    from qiskit.primitives import StatevectorSampler

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return StatevectorSampler(seed=7).run([circuit], shots=1000).result()

def vqe(user_messenger):
    for i in range(60):
        user_messenger.publish({"iteration": i, "energy": -1.137 + 0.6 * 0.9**i})
    return {"energy": -1.137}
"""
CELLS = [
    PRELUDE + CODE,
    "job = jobdeck.run(bell, name='bell', tags=['qiskit'])\njob.result()\njob",
    "job = jobdeck.run(vqe, name='vqe-h2')\njob.result()\njob",
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_histogram_and_a_convergence_plot_are_read_by_pointer_and_keys(dark, open_notebook):
    notebook = open_notebook(CELLS)
    page = notebook.page
    try:
        notebook.use_theme(dark)
        notebook.run_and_wait(0, 1, 2)
        for cell in (1, 2):
            expect(badge(notebook.card(cell))).to_have_text("Done")
            unfold(notebook.card(cell))
        bell, vqe = notebook.card(1), notebook.card(2)
        drawing = bell.get_by_role("application")
        expect(drawing.locator("rect")).to_have_count(2)
        drawing.press("ArrowRight")
        expect(bell.locator(".jobdeck-reading")).to_contain_text("00 · ")
        drawing.locator("rect").nth(1).hover()
        expect(bell.locator(".jobdeck-reading")).to_contain_text("11 · ")
        expect(vqe.locator(".jobdeck-plot canvas")).to_be_visible()
        page.evaluate(AXE)
        found = page.evaluate("() => axe.run({ include: ['.jp-NotebookPanel .jobdeck-root'] })")
        assert [(rule["id"], node["html"]) for rule in found["violations"] for node in rule["nodes"]] == []
        assert bell.evaluate(CONTRAST) == []
        bell.scroll_into_view_if_needed()
        notebook.screenshot(ARTIFACTS / f"results-{'dark' if dark else 'light'}.png")
    finally:
        notebook.use_theme(dark=False)


def test_a_histogram_is_saved_as_a_picture_and_as_numbers(open_notebook, tmp_path):
    notebook = open_notebook(
        ["import jobdeck\njob = jobdeck.run(lambda: {'00': 495, '11': 529}, name='counts')\njob.result()\njob"]
    )
    notebook.run_and_wait(0)
    unfold(notebook.card(0))
    card = notebook.card(0)
    with notebook.page.expect_download(timeout=PATIENCE) as saved:
        card.get_by_role("button", name="Save as PNG").click()
    assert saved.value.suggested_filename == "counts.png"
    saved.value.save_as(tmp_path / "counts.png")
    head = (tmp_path / "counts.png").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert head.startswith(b"\x89PNG")
    assert width > height > 300
    with notebook.page.expect_download(timeout=PATIENCE) as saved:
        card.get_by_role("button", name="Save as CSV").click()
    saved.value.save_as(tmp_path / "counts.csv")
    rows = list(csv.reader((tmp_path / "counts.csv").read_text().splitlines()))
    assert rows == [["outcome", "count", "probability"], ["00", "495", str(495 / 1024)], ["11", "529", str(529 / 1024)]]

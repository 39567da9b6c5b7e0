"""One notebook, open in a page of a real browser."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import BrowserContext, Locator, expect

from .lab import Lab
from .waiting import PATIENCE, until
from .window import App, Window

# Lab asks for a kernel first where a notebook does not name one.
METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}

# Begins most notebooks here. A gate is a file in the notebook's folder: programs go on when the test wants them to.
PRELUDE = """
import pathlib, time
import jobdeck

def gate(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)
"""

PANEL = "(window.jupyterapp?.shell?.currentWidget)"


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=METADATA), path)


def badge(card: Locator) -> Locator:
    """The word of a card's status, without the shape beside it."""
    return card.get_by_role("status").locator(".jobdeck-word")


def unfold(card: Locator) -> None:
    """Open a card that is one line, as those of ended jobs are."""
    card.get_by_role("button", expanded=False).first.click()


class Notebook(Window):
    """A notebook as its reader has it: cells to run, outputs and cards to look at.

    Parameters
    ----------
    context
        The browser's window; every notebook is a page of it.
    lab
        The server that holds the notebook.
    path
        Relative to the server's root.
    app
        JupyterLab or Notebook 7.
    kernel
        False to look at it without one.
    """

    def __init__(self, context: BrowserContext, lab: Lab, path: str, app: App = "lab", *, kernel: bool = True) -> None:
        super().__init__(context, lab)
        self.path = path
        # A workspace of its own for each page: what one test left open is not opened again in the next one.
        place = f"lab/workspaces/{abs(hash(self))}" if app == "lab" else "notebooks"
        tree = "" if app == "notebook" else "/tree"
        if kernel:
            self.page.goto(f"{lab.url}{place}{tree}/{path}?token={lab.token}")
        else:
            # What is opened before the workspace is restored may end up behind the launcher.
            self.go(place)
            self.command("docmanager:open", path=path, kernel={"name": None})
        self._wait_for_cells()
        if kernel:
            self.wait_for_kernel()

    # --- what a person does

    def run(self, cell: int) -> None:
        """Start a cell and do not wait for it."""
        self.page.evaluate(
            f"""cell => {{
                const notebook = {PANEL}.content;
                notebook.activeCellIndex = cell;
                notebook.deselectAll();
                window.jupyterapp.commands.execute('notebook:run-cell');
            }}""",
            cell,
        )

    def run_and_wait(self, *cells: int) -> None:
        """Run cells one after the other, each to its end; a cell that raises is an error."""
        for cell in cells:
            self.run(cell)
            self.wait_for_cell(cell)
            raised = [output for output in self.outputs(cell) if output["output_type"] == "error"]
            assert not raised, f"cell {cell} raised:\n{self.text(cell)}"

    def run_all(self) -> None:
        self.run_and_wait(*range(self.page.evaluate(f"() => {PANEL}.content.widgets.length")))

    def save(self) -> None:
        self.command("docmanager:save")

    def reload(self) -> None:
        """Load the page again, as F5 does."""
        self.page.reload()
        self._wait_for_cells()

    def interrupt(self) -> None:
        self.page.evaluate(f"() => {PANEL}.sessionContext.session.kernel.interrupt()")

    def restart_kernel(self) -> None:
        self.page.evaluate(f"() => {PANEL}.sessionContext.restartKernel()")
        self.wait_for_kernel()

    def kill_kernel(self) -> None:
        """SIGKILL to the kernel; the server starts another one, and Lab tells the reader so."""
        old = self.lab.kernel_process(self.kernel_id())
        old.send_signal(signal.SIGKILL)
        until(lambda: not old.is_running(), "the kernel to be gone")
        self.page.get_by_role("dialog").get_by_role("button", name="Ok").click(timeout=PATIENCE)
        self.wait_for_kernel()

    # --- what a person sees

    def output(self, cell: int) -> Locator:
        """The output area of a cell."""
        return self.page.locator(f'.jp-NotebookPanel:visible [data-windowed-list-index="{cell}"] .jp-Cell-outputArea')

    def cards(self, cell: int) -> Locator:
        """The jobs that a cell's output shows."""
        return self.output(cell).locator("[data-job-id]:visible")

    def card(self, cell: int) -> Locator:
        """The only job that a cell's output shows, once it is there."""
        cards = self.cards(cell)
        expect(cards).to_have_count(1)
        return cards

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """The cell's outputs as they would be saved."""
        return list(self.page.evaluate(f"cell => {PANEL}.content.widgets[cell].model.outputs.toJSON()", cell))

    def text(self, cell: int) -> str:
        """What the cell printed, and its last value."""
        parts = []
        for output in self.outputs(cell):
            piece = output.get("text") or output.get("data", {}).get("text/plain") or output.get("traceback", "")
            parts.append(piece if isinstance(piece, str) else "".join(piece))
        return "".join(parts)

    def is_busy(self, cell: int) -> bool:
        """Whether the cell is still running, as its prompt says."""
        return bool(
            self.page.evaluate(f"cell => {PANEL}.content.widgets[cell].model.executionState === 'running'", cell)
        )

    def wait_for_cell(self, cell: int) -> None:
        """Wait until a cell that was started has ended."""
        self.page.wait_for_function(
            f"""cell => {{
                const model = {PANEL}.content.widgets[cell].model;
                return model.executionState === 'idle' && model.executionCount !== null;
            }}""",
            arg=cell,
            timeout=PATIENCE,
        )

    def wait_for_text(self, cell: int, text: str) -> None:
        until(lambda: text in self.text(cell), f"{text!r} in the output of cell {cell}")

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(
            f"() => {PANEL}?.sessionContext?.session?.kernel?.status === 'idle'", timeout=PATIENCE
        )

    def kernel_id(self) -> str:
        return str(self.page.evaluate(f"() => {PANEL}.sessionContext.session.kernel.id"))

    @property
    def file(self) -> Path:
        return self.lab.root / self.path

    @property
    def folder(self) -> Path:
        """The working directory of its kernel and its jobs."""
        return self.file.parent

    def open_gate(self, name: str) -> None:
        """Let programs go on that wait at ``gate(name)``; see PRELUDE."""
        (self.folder / name).touch()

    def wait_for_mark(self, name: str) -> None:
        """Wait until something in the notebook has made a file of that name."""
        until((self.folder / name).exists, f"the file {name}")

    def close(self) -> None:
        """Close the page and end the kernel, for two cores do not hold many."""
        super().close()
        for session in self.lab.get("api/sessions"):
            if session["path"] == self.path:
                self.lab.delete(f"api/sessions/{session['id']}")

    def _wait_for_cells(self) -> None:
        self.page.wait_for_function(f"() => {PANEL}?.content?.widgets?.length > 0", timeout=PATIENCE)
        self._wait_for_splash()

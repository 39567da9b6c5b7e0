"""A notebook that another program than JupyterLab serves as a page."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from .lab import START_WITHIN, free_port
from .notebook import PRELUDE, badge
from .processes import end, end_all_of

CARDS = (
    PRELUDE,
    """
def climb(user_messenger):
    user_messenger.publish({"step": 1})
    gate("second")
    user_messenger.publish({"step": 2})
    gate("top")
    return "the top"
""",
    "climbing = jobdeck.run(climb, name='climbing')\nclimbing",
    "waiting = jobdeck.submit(gate, 'never')\nwaiting",
)
"""Cells that show two cards, as `expect_live_cards` wants them."""

DECK = (
    PRELUDE,
    """
quick = [jobdeck.run(gate, inputs={"name": "."}, name=f"quick {n}", tags=["deck"]) for n in range(2)]
held = jobdeck.run(gate, inputs={"name": "never"}, name="held", tags=["deck"])
jobdeck.dashboard()
""",
)
"""Cells that show the deck, with three jobs more in it, as `expect_live_deck` wants it."""


class Served:
    """A server as a child process; nothing of the user's own settings is read or written.

    Parameters
    ----------
    base
        A directory for all that the server keeps; `base/work` is where it runs, `base/home` is jobdeck's home.
    command
        Makes the command line for a port.
    probe
        A path that the server answers once it is ready, and that starts nothing.
    """

    def __init__(self, base: Path, command: Callable[[int], Sequence[str]], probe: str) -> None:
        self.folder = base / "work"
        self.home = base / "home"
        self._log = base / "server.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "HOME": str(base),
            "XDG_CONFIG_HOME": str(base / "config"),
            "XDG_STATE_HOME": str(base / "state"),
            "XDG_CACHE_HOME": str(base / "cache"),
            "JUPYTER_CONFIG_DIR": str(base / "config"),
            "JUPYTER_DATA_DIR": str(base / "data"),
            "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
            "IPYTHONDIR": str(base / "ipython"),
            "JOBDECK_HOME": str(self.home),
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command(port),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            self._wait_until_ready(self.url + probe)
        except BaseException:
            self.close()
            raise

    def open_gate(self, name: str) -> None:
        """Let programs go on that wait at ``gate(name)``; see PRELUDE."""
        (self.folder / name).touch()

    def log(self) -> str:
        """All that the server has printed."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """End the server, its kernels, and the agents and jobs that outlive them by design."""
        end(self._process)
        end_all_of(self.home)

    def _wait_until_ready(self, probe: str) -> None:
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with exit code {self._process.returncode}:\n{self.log()}")
            try:
                urllib.request.urlopen(probe, timeout=30).close()
            except OSError:  # not listening yet
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"the server was not ready within {START_WITHIN:g} s:\n{self.log()}")


def card_of(page: Page, name: str) -> Locator:
    """The card of the job of that name."""
    return page.locator("[data-job-id]").filter(has_text=name)


def expect_live_cards(server: Served, page: Page) -> None:
    """Hold a page with the outputs of `CARDS` to what a card promises everywhere."""
    climbing, waiting = card_of(page, "climbing"), card_of(page, "gate")
    expect(badge(climbing)).to_have_text("Running")
    expect(climbing).to_contain_text('{"step": 1}')
    server.open_gate("second")
    expect(climbing).to_contain_text('{"step": 2}')

    expect(badge(waiting)).to_have_text("Running")
    waiting.get_by_role("button", name="Cancel").click()
    expect(badge(waiting)).to_have_text("Cancelled")

    server.open_gate("top")
    expect(badge(climbing)).to_have_text("Done")


def expect_live_deck(page: Page) -> None:
    """Hold a page with the outputs of `DECK` to what the dashboard promises everywhere."""
    rows = page.get_by_role("grid", name="Jobs").locator("[data-id]")
    held = rows.filter(has_text="held")
    search = page.get_by_role("combobox", name="Find jobs")
    search.press_sequentially("tag:deck")
    expect(rows).to_have_count(3)
    expect(held).to_contain_text("Running")
    expect(rows.filter(has_text="Done")).to_have_count(2)

    search.press_sequentially(" name:held")
    expect(rows).to_have_count(1)
    held.click()
    page.get_by_role("button", name="Cancel 1 selected").click()
    expect(held).to_contain_text("Cancelled")

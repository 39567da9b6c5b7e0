"""One page of JupyterLab or Notebook 7, with or without a notebook in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Dialog, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from .lab import Lab
from .waiting import PATIENCE, until

App = Literal["lab", "notebook"]


class Window:
    """What a person sees and does in any page of the application.

    Parameters
    ----------
    context
        The browser's window; this is a page of it.
    lab
        The server.
    """

    def __init__(self, context: BrowserContext, lab: Lab) -> None:
        self.lab = lab
        self.page: Page = context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda said: self._note(said.type, f"console: {said.text} [{said.location['url']}]"))
        self.page.on("pageerror", lambda error: self._note("error", f"uncaught: {error.stack or error}"))
        self.page.on("dialog", self._answer)

    def go(self, place: str) -> None:
        """Open one of the application's addresses, and wait until all that was open there is open again."""
        self.page.goto(f"{self.lab.url}{place}?token={self.lab.token}")
        self.wait_until_restored()

    def reload(self) -> None:
        """Load the page again, as F5 does."""
        self.page.reload()
        self.wait_until_restored()

    def wait_until_kept(self, name: str) -> None:
        """Wait until the server keeps that something of this name is open, as JupyterLab has it do after a change."""
        until(lambda: name in json.dumps(self._workspace().get("layout-restorer:data")), f"{name} in the workspace")

    def wait_until_state(self, key: str, words: str) -> None:
        """Wait until the server keeps a plugin's state with these words in it."""
        until(lambda: words in json.dumps(self._workspace().get(key)), f"{words} in what is kept as {key}")

    def _workspace(self) -> dict[str, Any]:
        place = urlsplit(self.page.url).path.split("/workspaces/")[1]
        kept: dict[str, Any] = self.lab.get(f"lab/api/workspaces/{place}")["data"]
        return kept

    def wait_until_restored(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp?.restored", timeout=PATIENCE)
        self.page.evaluate("() => window.jupyterapp.restored.then(() => undefined)")
        self._wait_for_splash()

    def command(self, command: str, **arguments: Any) -> Any:
        """Execute one of the application's commands, as its menu would, and wait for it."""
        # What a command returns may be a widget, which cannot leave the page.
        return self.page.evaluate(
            "async ([command, arguments_]) => { await window.jupyterapp.commands.execute(command, arguments_) }",
            [command, arguments],
        )

    def choose(self, words: str, at: Locator | None = None) -> None:
        """Choose a command in the palette, by its label; of what is at a place, with the focus there before."""
        palette = self.page.locator(".lm-CommandPalette:visible")
        box = palette.get_by_role("searchbox").or_(palette.locator("input")).first

        def is_chosen() -> bool:
            # As a dialog it closes when something else takes the focus, as a page does that is not at rest yet.
            try:
                if at is not None:
                    self.page.keyboard.press("Escape")
                    at.focus(timeout=5_000)
                self.command("apputils:activate-command-palette")
                box.fill(words, timeout=5_000)
                palette.locator(".lm-CommandPalette-item").filter(has_text=words).first.click(timeout=5_000)
            except PlaywrightTimeout:
                return False
            return True

        until(is_chosen, f"{words!r} in the palette")

    def use_theme(self, dark: bool) -> None:
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.command("apputils:change-theme", theme=name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", "false" if dark else "true")
        self._wait_for_splash()

    @property
    def panel(self) -> Locator:
        """The side panel of jobs."""
        return self.page.locator("#jobdeck-panel")

    @property
    def deck(self) -> Locator:
        """The deck in the tab that is in front."""
        return self.page.locator(".jobdeck-deck-view:visible")

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def close(self) -> None:
        self.page.close()

    def _wait_for_splash(self) -> None:
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def _answer(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # the browser's own, where something is not saved
            dialog.accept()
        else:
            self._note("error", f"a dialog opened: {dialog.message}")
            dialog.dismiss()

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.troubles.append(text)

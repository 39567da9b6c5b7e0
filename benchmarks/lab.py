"""A real JupyterLab in a real Chromium, for the rows that end in the page."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, WebSocket

_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_TOKEN = secrets.token_hex(16)

# Contenders write their marks as @<seconds since the epoch>@; the observer runs where the change to the page is made.
_OBSERVE = """
window.marksSeen = [];
window.markTimes = new Set();
const note = (node) => {
  const now = Date.now();
  for (const [, sent] of (node.textContent || '').matchAll(/@(\\d+\\.\\d+)@/g)) {
    if (!window.markTimes.has(sent)) {
      window.markTimes.add(sent);
      window.marksSeen.push([Number(sent), now / 1000]);
    }
  }
};
new MutationObserver((records) => {
  for (const record of records) {
    if (record.type === 'characterData') note(record.target);
    for (const node of record.addedNodes) note(node);
  }
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


_KERNEL_READY = """() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


class Traffic:
    """Bytes that reached the page over WebSockets, by the last part of their path."""

    def __init__(self) -> None:
        self.received: dict[str, int] = {}

    def watch(self, page: Page) -> None:
        page.on("websocket", self._opened)

    def total(self) -> int:
        return sum(self.received.values())

    def _opened(self, websocket: WebSocket) -> None:
        path = websocket.url.split("?")[0]

        def count(payload: str | bytes) -> None:
            size = len(payload.encode()) if isinstance(payload, str) else len(payload)
            self.received[path] = self.received.get(path, 0) + size

        websocket.on("framereceived", count)


@contextmanager
def lab_server(root: Path, home: Path) -> Iterator[str]:
    """Run JupyterLab on a free port with `root` as its folder and `home` as the deck's; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"JOBDECK_HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), environment.get("PYTHONPATH", "")])
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"]
    options += ["--no-browser", "--ip=127.0.0.1", f"--IdentityProvider.token={_TOKEN}", "--allow-root"]
    options += [
        "--expose-app-in-browser",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log = root / "lab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_server(f"{address}/api/status", server, log)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's or Playwright's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def notebook_page(
    browser: Browser, address: str, root: Path, name: str, cells: list[str], *, script: str = ""
) -> Iterator[tuple[Page, Traffic]]:
    """Open a new notebook of these cells with a fresh kernel; nothing in it has run yet but `script`, in the page."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, root / f"{name}.ipynb")
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.add_init_script(script)
        traffic = Traffic()
        traffic.watch(page)
        page.goto(f"{address}/lab/workspaces/{name}/tree/{name}.ipynb?reset&token={_TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_function(_KERNEL_READY, timeout=60_000)
        page.evaluate(_OBSERVE)
        yield page, traffic
    finally:
        context.close()
        with _ask(f"{address}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            if session["path"] == f"{name}.ipynb":
                _ask(f"{address}/api/sessions/{session['id']}", "DELETE").close()


def run_cell(page: Page) -> None:
    """Run the notebook's active cell, as its button would; it may still be running when this returns."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")


def marks_seen(page: Page) -> list[tuple[float, float]]:
    """Every mark seen since the last call: when it was sent, and how many seconds later it was in the page."""
    seen = page.evaluate("() => { const seen = window.marksSeen; window.marksSeen = []; return seen; }")
    return [(sent, shown - sent) for sent, shown in seen]


def _ask(address: str, method: str = "GET") -> http.client.HTTPResponse:
    request = urllib.request.Request(address, method=method, headers={"Authorization": f"token {_TOKEN}"})
    return urllib.request.urlopen(request, timeout=30)


def _wait_for_server(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            _ask(address).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)

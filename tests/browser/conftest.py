"""A real JupyterLab in a real Chromium; see `lab` and `notebook` for what they can do."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

import jobdeck

from .lab import Lab
from .notebook import Notebook, write_notebook
from .waiting import PATIENCE
from .window import App, Window

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts" / "browser"

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages of one process share what it has compiled: half of what it takes to begin with JupyterLab (see `warm`).
    "--process-per-site",
)

HARMLESS: tuple[tuple[str, str], ...] = (
    (
        r"status of 40[34] .*/jobdeck/api/v1/?[?\]]",
        "the page asks whether the server extension is there; browsers log a no",
    ),
    (r"net::ERR_FAILED \[https://cdn\.", "Voila's page asks for icons elsewhere; tests stay on this machine"),
    (r"#RUNTIME-012\n.*@jupyterlab/docregistry", "Notebook 7's own extension, which Voila loads and cannot run"),
    (
        r"Plugin 'ipyparallel-labextension:plugin' failed to activate",
        "ipyparallel's extension, which is Lab's, in Voila",
    ),
    (r"Shared module @jupyterlab/\w+ doesn't exist", "Voila loads Lab's extensions, and has not all that they share"),
    (r"'filebrowser:open-path' not registered", "Notebook 7 itself, with any notebook in a folder"),
    (
        r"removeChild[^\n]*\n\s+at [^\n]*/jlab_core\.[^\n]*$",
        "Lab's splash screen is removed twice when the theme changes",
    ),
    (r"reading 'schema'\)(\n[^\n]*(notebook_core|Promise\.all).*)+$", "Notebook 7 itself, with any notebook"),
    (r"Cannot convert undefined or null to object \[[^\n]*/notebook_core\.", "Notebook 7 itself, with its file page"),
    (r"widget model not found", "ipywidgets tells of each saved widget whose kernel is gone"),
    (r"Could not restore the debugger state", "Lab's debugger asks a kernel that was just killed"),
    (r"Comm not found for comm id", "ipywidgets asks a new kernel for the old one's comms"),
)
"""Pairs of a pattern and the reason why an error of that kind on the console is not ours to mend."""

expect.set_options(timeout=PATIENCE)


def pytest_configure() -> None:
    # A test run that is told to end still ends its servers and its browser.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def warm(window: BrowserContext) -> Iterator[None]:
    """Keep the process of the pages from one test of a file to the next, by a page that does nothing."""
    page = window.new_page()
    page.route("**", lambda route: route.fulfill(body=""))
    page.goto("http://127.0.0.1:8000/")
    yield
    page.close()


OpenNotebook = Callable[..., Notebook]
OpenWindow = Callable[..., Window]


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with jobdeck as it is installed."""
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture(scope="package")
def lab_without_extension(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with another home, whose administrator does not allow the server extension."""
    server = Lab(tmp_path_factory.mktemp("bare"), ["--ServerApp.jpserver_extensions={'jobdeck': False}"])
    yield server
    server.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("the browser tests need Chromium: install it with `apt install chromium`", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_OPTIONS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def window(browser: Browser) -> BrowserContext:
    """One window for all tests, so that Lab's own scripts come from the browser's cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


@pytest.fixture
def open_notebook(window: BrowserContext, lab: Lab, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open notebooks, given as lists of cells or as a path; a page that reports an error fails the test."""
    opened: list[Notebook] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def open_it(cells: Sequence[str] | str, *, server: Lab = lab, app: App = "lab", kernel: bool = True) -> Notebook:
        if isinstance(cells, str):
            path = cells
        else:
            path = f"{name}-{len(opened)}/notebook.ipynb"
            write_notebook(server.root / path, cells)
        notebook = Notebook(window, server, path, app, kernel=kernel)
        opened.append(notebook)
        return notebook

    yield open_it
    close_all(opened, name, request)


@pytest.fixture
def open_window(window: BrowserContext, lab: Lab, request: pytest.FixtureRequest) -> Iterator[OpenWindow]:
    """Open pages without a notebook; each has a workspace of its own, unless it is given one's name."""
    opened: list[Window] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def open_it(place: str | None = None, *, server: Lab = lab, script: str | None = None) -> Window:
        page = Window(window, server)
        opened.append(page)
        if script is not None:
            page.page.add_init_script(script)
        page.go(place or f"lab/workspaces/{name.lower()}-{len(opened)}")
        return page

    yield open_it
    close_all(opened, name, request)


def close_all(opened: Sequence[Window], name: str, request: pytest.FixtureRequest) -> None:
    """Close a test's pages and end its jobs; what a failed one left on the screen is kept."""
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(opened):
            page.screenshot(ARTIFACTS / f"{name}-{number}.png")
            (ARTIFACTS / f"{name}-{number}.log").write_text("\n".join([*page.troubles, page.lab.log()]))
    troubles = [text for page in opened for text in page.troubles if not is_harmless(text)]
    for page in opened:
        page.close()
    for server in {page.lab for page in opened}:
        end_jobs(server.home)
    assert not troubles, "the page reported errors:\n" + "\n".join(troubles)


@pytest.fixture
def open_page(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Page]]:
    """Open pages of any server on this machine; what is asked of another fails at once, and an error fails the test."""
    opened: list[Page] = []
    troubles: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            troubles.append(f"console: {said.text} [{said.location['url']}]")

    def open_it(url: str) -> Page:
        page = window.new_page()
        opened.append(page)
        page.on("console", note)
        page.on("pageerror", lambda error: troubles.append(f"uncaught: {error.stack or error}"))
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), lambda route: route.abort())
        # Some servers run a whole notebook, and start a kernel for it, before the page has loaded.
        page.goto(url, timeout=2 * PATIENCE)
        return page

    yield open_it
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(opened):
            page.screenshot(path=ARTIFACTS / f"{request.node.name}-{number}.png")
    for page in opened:
        page.close()
    left = [text for text in troubles if not is_harmless(text)]
    assert not left, "the page reported errors:\n" + "\n".join(left)


def end_jobs(home: Path) -> None:
    """Cancel what a test left running, so that the next one's jobs need not queue behind it."""
    deck = jobdeck.Deck(home=home)
    for job in deck.jobs(status=["QUEUED", "RUNNING"]):
        with contextlib.suppress(jobdeck.RuntimeInvalidStateError):  # it ended meanwhile
            job.cancel()
    deck.close()


@pytest.fixture
def deck(lab: Lab) -> Iterator[jobdeck.Deck]:
    """The same jobs seen from this process, as a second kernel would see them."""
    own = jobdeck.Deck(home=lab.home)
    yield own
    own.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


def is_harmless(text: str) -> bool:
    return any(re.search(pattern, text) for pattern, _ in HARMLESS)

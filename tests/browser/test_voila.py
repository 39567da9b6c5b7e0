"""Voila shows jobs live: it serves a notebook as an app, without JupyterLab and without our server extension."""

import sys

import pytest

from .conftest import end_jobs
from .notebook import write_notebook
from .served import CARDS, DECK, Served, expect_live_cards, expect_live_deck


@pytest.fixture(scope="module")
def voila(tmp_path_factory):
    options = ["--no-browser", "--Voila.ip=127.0.0.1"]
    server = Served(
        tmp_path_factory.mktemp("voila"),
        lambda port: [sys.executable, "-m", "voila", ".", *options, f"--port={port}"],
        "voila/static/voila.js",
    )
    yield server
    server.close()


@pytest.fixture
def open_cells(voila, open_page, request):
    """Open a notebook of these cells as an app."""

    def open_them(*cells):
        name = f"{request.node.name}.ipynb"
        write_notebook(voila.folder / name, cells)
        return open_page(f"{voila.url}voila/render/{name}")

    yield open_them
    end_jobs(voila.home)


def test_a_card_streams_and_its_job_ends_or_is_cancelled(voila, open_cells):
    expect_live_cards(voila, open_cells(*CARDS))


def test_the_dashboard_finds_and_cancels_jobs(open_cells):
    expect_live_deck(open_cells(*DECK))

"""``jobdeck.tqdm`` is tqdm that tells the job how far it is."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from jobdeck._errors import JobCancelledError
from jobdeck._messenger import UserMessenger, activate
from jobdeck._tqdm import tqdm

from .test_messenger import ListSink


@pytest.fixture
def sink():
    return ListSink()


@pytest.fixture
def messenger(sink):
    messenger = UserMessenger(sink, "job-1")
    activate(messenger)
    yield messenger
    activate(None)


@pytest.mark.usefixtures("messenger")
def test_a_bar_prints_and_drives_the_progress(sink):
    out = io.StringIO()
    assert list(tqdm(range(3), desc="train", file=out, mininterval=0)) == [0, 1, 2]
    assert sink.progress[0] == (0.0, 3.0, "train")
    assert sink.progress[-1] == (3.0, 3.0, "train")
    assert "train: 100%" in out.getvalue()


@pytest.mark.usefixtures("messenger")
def test_a_bar_that_is_quicker_than_its_interval_reports_its_end(sink):
    list(tqdm(range(1000), file=io.StringIO(), mininterval=1000, leave=False))
    assert sink.progress[-1] == (1000.0, 1000.0, None)


@pytest.mark.usefixtures("messenger")
def test_a_bar_inside_another_does_not_disturb_it(sink):
    for _ in tqdm(range(2), file=io.StringIO(), mininterval=0):
        list(tqdm(range(50), file=io.StringIO(), mininterval=0))
    assert {total for _, total, _ in sink.progress} == {2.0}


@pytest.mark.usefixtures("messenger")
def test_a_bar_without_a_total_reports_what_is_done(sink):
    list(tqdm(iter("abc"), file=io.StringIO(), mininterval=0))
    assert sink.progress[-1] == (3.0, None, None)


@pytest.mark.usefixtures("messenger")
def test_a_disabled_bar_says_nothing(sink):
    list(tqdm(range(3), disable=True))
    assert sink.progress == []


def test_a_cancel_ends_the_loop(messenger, sink):
    seen = []
    with pytest.raises(JobCancelledError):  # noqa: PT012 - the loop is what ends
        for number in tqdm(range(100), file=io.StringIO(), mininterval=0, miniters=1):
            seen.append(number)
            messenger.interrupt()
    assert seen == [0]


def test_outside_a_job_it_is_plain_tqdm(sink):
    assert list(tqdm(range(3), file=io.StringIO())) == [0, 1, 2]
    assert sink.progress == []


def test_without_tqdm_the_error_says_how_to_get_it():
    code = "import sys; sys.modules['tqdm'] = None\nimport jobdeck._tqdm"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "ImportError: jobdeck.tqdm needs tqdm: pip install tqdm" in done.stderr

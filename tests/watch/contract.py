"""What every adapter has to do: a suite that runs over each of them."""

from __future__ import annotations

import gc
import weakref
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import pytest

import jobdeck
from jobdeck import Deck, JobStatus
from jobdeck._status import is_final


class Sample(ABC):
    """A job of the other system that does what the test says."""

    system: ClassVar[str]
    can_be_stopped: ClassVar[bool] = True
    """Whether a running one stops when it is asked to."""
    kept_by: ClassVar[str | None] = None
    """What keeps the object after it has ended, other than the test; or why nobody can tell."""
    value: Any = 41

    def __init__(self) -> None:
        self.obj: Any = None

    @abstractmethod
    def begin(self) -> None:
        """Have it run; `obj` is what is watched."""

    @abstractmethod
    def finish(self) -> None:
        """Have it end well, with `value` as its result."""

    @abstractmethod
    def fail(self) -> None:
        """Have it fail."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it took."""


class AdapterContract:
    """Subclass it with a fixture `sample`."""

    def test_a_job_that_runs_is_never_resolved(self, sample: Sample, deck: Deck, until):
        job = deck.watch(sample.obj)
        until(lambda: job.status() == JobStatus.RUNNING)
        with pytest.raises(jobdeck.JobTimeoutError):
            job.result(timeout=0.3)
        assert (job.engine, job.is_watched, job.error_message()) == (sample.system, True, None)

    def test_a_job_that_ends_well_is_done_with_its_result(self, sample: Sample, deck: Deck):
        job = deck.watch(sample.obj)
        sample.finish()
        assert job.result(timeout=20) == sample.value
        assert job.status() == JobStatus.DONE

    def test_a_job_that_fails_is_an_error_in_words(self, sample: Sample, deck: Deck):
        job = deck.watch(sample.obj)
        sample.fail()
        with pytest.raises(jobdeck.RuntimeJobFailureError, match="failed"):
            job.result(timeout=20)
        assert job.error_message()

    def test_a_job_that_had_ended_before_it_was_watched_is_shown_as_it_ended(self, sample: Sample, deck: Deck):
        sample.finish()
        assert deck.watch(sample.obj).result(timeout=20) == sample.value

    def test_a_request_to_stop_is_followed_or_answered_in_words(self, sample: Sample, deck: Deck, until):
        job = deck.watch(sample.obj)
        until(lambda: job.status() == JobStatus.RUNNING)
        job.cancel()
        if sample.can_be_stopped:
            until(job.cancelled, timeout=20)
            return
        row = until(lambda: (row := deck.store.job(job.job_id())).cancel_state in ("refused", "unsupported") and row)
        assert row.cancel_note
        assert not is_final(job.status())

    def test_the_same_object_is_one_job_while_it_runs_and_after(self, sample: Sample, deck: Deck):
        job = deck.watch(sample.obj, name="first")
        assert deck.watch(sample.obj, name="second") == job
        sample.finish()
        job.result(timeout=20)
        assert deck.watch(sample.obj) == job
        assert [each.name for each in deck.jobs()] == ["first"]

    def test_a_job_that_has_ended_is_kept_alive_by_nothing_here(self, sample: Sample, deck: Deck, until):
        job_id = deck.watch(sample.obj).job_id()
        held = weakref.ref(deck._service.bridge.foreign(job_id))
        sample.finish()
        deck.job(job_id).result(timeout=20)
        here = None if sample.kept_by else weakref.ref(sample.obj)
        sample.close()
        sample.obj = None
        # What jobdeck has of a job is held by that alone.
        until(lambda: gc.collect() >= 0 and held() is None)
        if here is not None:
            until(lambda: gc.collect() >= 0 and here() is None)

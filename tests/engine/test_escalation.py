"""How a job is stopped, step by step, on a clock that the test turns."""

from __future__ import annotations

import signal

import pytest

from jobdeck.engines.local.escalation import CLEAN_UP, KILL_AFTER, TERMINATE_AFTER, Escalation


def signals_at(escalation: Escalation, now: float) -> list[int]:
    return [step.signal for step in escalation.steps(now) if step.signal is not None]


def test_it_asks_then_tells_then_kills() -> None:
    stopping = Escalation(100.0)
    assert signals_at(stopping, 100.0) == [signal.SIGINT]
    assert signals_at(stopping, 100.0 + TERMINATE_AFTER - 0.01) == []
    assert signals_at(stopping, 100.0 + TERMINATE_AFTER) == [signal.SIGTERM]
    assert signals_at(stopping, 100.0 + TERMINATE_AFTER + KILL_AFTER - 0.01) == []
    assert signals_at(stopping, 100.0 + TERMINATE_AFTER + KILL_AFTER) == [signal.SIGKILL]


def test_a_program_that_noticed_gets_time_to_clean_up() -> None:
    stopping = Escalation(0.0)
    stopping.steps(0.0)
    stopping.notice(0.1)
    assert [step.note for step in stopping.steps(0.1)] == ["cleaning up"]
    assert signals_at(stopping, 0.1 + CLEAN_UP - 0.01) == []
    assert signals_at(stopping, 0.1 + CLEAN_UP) == [signal.SIGTERM]
    assert signals_at(stopping, 0.1 + CLEAN_UP + KILL_AFTER) == [signal.SIGKILL]


def test_noticing_twice_gains_no_more_time() -> None:
    stopping = Escalation(0.0)
    stopping.steps(0.0)
    stopping.notice(0.1)
    stopping.steps(0.1)
    stopping.notice(5.0)
    assert stopping.steps(5.0) == []
    assert signals_at(stopping, 0.1 + CLEAN_UP) == [signal.SIGTERM]


def test_noticing_after_it_was_told_to_end_gains_nothing() -> None:
    stopping = Escalation(0.0)
    stopping.steps(0.0)
    stopping.steps(TERMINATE_AFTER)
    stopping.notice(TERMINATE_AFTER)
    assert signals_at(stopping, TERMINATE_AFTER + KILL_AFTER) == [signal.SIGKILL]


@pytest.mark.parametrize("noticed", [False, True])
def test_a_kill_skips_what_is_left_of_the_polite_part(noticed: bool) -> None:
    stopping = Escalation(0.0)
    stopping.steps(0.0)
    if noticed:
        stopping.notice(0.1)
        stopping.steps(0.1)
    stopping.kill(0.2)
    assert signals_at(stopping, 0.2) == [signal.SIGKILL]


def test_a_kill_from_the_start_asks_nobody() -> None:
    assert [step.note for step in Escalation(0.0, kill=True).steps(0.0)] == ["kill sent"]


def test_a_kill_is_repeated_until_nothing_is_left() -> None:
    stopping = Escalation(0.0, kill=True)
    assert signals_at(stopping, 0.0) == [signal.SIGKILL]
    assert signals_at(stopping, KILL_AFTER / 2) == []
    assert signals_at(stopping, KILL_AFTER) == [signal.SIGKILL]


def test_a_caller_that_was_late_still_leaves_time_between_the_steps() -> None:
    stopping = Escalation(0.0)
    assert signals_at(stopping, 50.0) == [signal.SIGINT]
    assert stopping.due == 50.0 + TERMINATE_AFTER

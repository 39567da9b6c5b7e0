"""What a program leaves behind, and what the asking process gets."""

from __future__ import annotations

import dataclasses
import json
import threading
import time

import numpy
import pandas
import pytest

from jobdeck._codec import ResultDecoder, RuntimeEncoder
from jobdeck._errors import JobCancelledError
from jobdeck._messenger import PrintingMessenger
from jobdeck._program import (
    exception_of,
    open_payload,
    outcome_of_exception,
    outcome_of_value,
    pack,
    preview,
    value_of,
)
from jobdeck._records import Outcome, Payload


@dataclasses.dataclass
class Point:
    x: float


def raised(program, *args) -> Outcome:
    packed = pack(program, args=args)
    try:
        open_payload(Payload(packed.program, packed.inputs, packed.context)).run(PrintingMessenger())
    except BaseException as exc:  # noqa: BLE001 - any exception is an outcome
        return outcome_of_exception(exc)
    raise AssertionError("it did not raise")


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        ({"a": (1, float("inf"))}, "json"),
        (0, "json"),
        (-1.137, "json"),
        (True, "json"),
        (2**53 + 1, "json"),
        (float("-inf"), "json"),
        ("\ud800", "json"),
        (Point(1.0), "pickle"),
        ([Point(2.0)], "pickle"),
        (Point, "pickle"),
        (None, None),
    ],
)
def test_a_value_comes_back_as_it_was(value, encoding):
    outcome = outcome_of_value(value)
    assert outcome.ok
    assert outcome.encoding == encoding
    assert value_of(outcome) == value


def test_a_cycle_is_kept_as_a_pickle():
    ring: list[object] = [1]
    ring.append(ring)
    back = value_of(outcome_of_value(ring))
    assert back[1] is back


def test_a_value_that_cannot_be_kept_says_so_and_that_the_program_ended():
    outcome = outcome_of_value({"lock": threading.Lock()})
    assert not outcome.ok
    assert outcome.exception_type == "UnpicklableError"
    assert "the program ran to its end" in outcome.exception_text
    assert "cannot pickle '_thread.lock' object" in outcome.exception_text


def test_a_decoder_of_ones_own_reads_the_value():
    class Halved(ResultDecoder):
        @classmethod
        def decode(cls, data):
            return super().decode(data) / 2

    outcome = outcome_of_value(3)
    assert value_of(outcome, Halved) == 1.5
    assert value_of(outcome) == 3


def test_an_encoder_of_ones_own_writes_the_value():
    class Short(RuntimeEncoder):
        def default(self, o):
            return "short" if isinstance(o, Point) else super().default(o)

    outcome = outcome_of_value(Point(1.0), Short)
    assert (outcome.encoding, value_of(outcome)) == ("json", "short")


def test_the_traceback_has_the_programs_frames_and_causes_alone():
    def inner():
        return {}["key"]

    def program():
        try:
            inner()
        except KeyError as exc:
            raise ValueError("bad") from exc

    outcome = raised(program)
    assert (outcome.exception_type, outcome.exception_text) == ("ValueError", "ValueError: bad")
    assert "KeyError: 'key'" in outcome.traceback
    assert "direct cause" in outcome.traceback
    assert "in inner" in outcome.traceback
    assert "raised" not in outcome.traceback
    assert "payload.py" not in outcome.traceback
    back = exception_of(outcome)
    assert isinstance(back, ValueError)
    assert back.args == ("bad",)
    assert not outcome.interrupted


def test_a_program_of_compiled_code_shows_no_frame_of_jobdeck():
    outcome = raised(time.sleep, "soon")
    assert outcome.exception_type == "TypeError"
    assert "File" not in outcome.traceback
    assert outcome.traceback.rstrip().endswith(outcome.exception_text)


def test_an_error_in_the_messenger_shows_where_the_program_called_it():
    def program(user_messenger):
        user_messenger.publish(object())

    outcome = raised(program)
    assert outcome.exception_type == "EncodingError"
    assert "user_messenger.publish(object())" in outcome.traceback
    assert "_messenger.py" not in outcome.traceback


@pytest.mark.parametrize("kind", [KeyboardInterrupt, JobCancelledError])
def test_an_interrupt_is_told_apart(kind):
    outcome = outcome_of_exception(kind("stop"))
    assert outcome.interrupted
    assert outcome.exception_text == f"{kind.__name__}: stop"


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Demanding(Exception):
    def __init__(self, one, two):
        super().__init__(one)

    def __reduce__(self):
        # As by default, also where a package such as tblib has taught all exceptions another way.
        return type(self), self.args


def test_an_exception_whose_text_fails_is_kept():
    outcome = outcome_of_exception(Mute(1))
    assert outcome.exception_type == "Mute"
    assert "its text cannot be had: RuntimeError" in outcome.exception_text
    assert "Mute" in outcome.traceback


def test_an_exception_that_would_not_open_again_is_left_out():
    outcome = outcome_of_exception(Demanding(1, 2))
    assert outcome.exception is None
    assert outcome.exception_text == "Demanding: 1"
    assert exception_of(outcome) is None


def test_an_exception_that_holds_a_lock_is_left_out():
    assert outcome_of_exception(ValueError(threading.Lock())).exception is None


def test_a_huge_message_is_cut_with_both_ends():
    outcome = outcome_of_exception(ValueError("first " + "x" * 10_000_000 + " last"))
    assert len(outcome.exception_text) < 20_000
    assert len(outcome.traceback) < 50_000
    assert outcome.exception is None
    for text in (outcome.exception_text, outcome.traceback):
        assert "first" in text
        assert text.rstrip().endswith("last")
        assert "characters left out" in text


def test_lone_surrogates_can_be_stored():
    outcome = outcome_of_exception(ValueError("a\ud800b"))
    outcome.exception_text.encode("utf-8")
    outcome.traceback.encode("utf-8")


def test_endless_recursion_has_a_short_traceback():
    def program():
        return program()

    outcome = raised(program)
    assert outcome.exception_type == "RecursionError"
    assert len(outcome.traceback) < 10_000


def test_an_exception_whose_class_is_missing_here_is_none():
    assert exception_of(Outcome(ok=False, exception=b"\x80\x05cnowhere\nMissing\n.")) is None


class Loud:
    def __repr__(self):
        raise RuntimeError


class Big:
    def __repr__(self):
        return "y" * 10_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        ("a", "'a'"),
        ([1, (2,), {"k": {3}}], "[1, (2,), {'k': {3}}]"),
        (frozenset({1}), "frozenset({1})"),
        (list(range(10**6)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 999988 more]"),
        (1 << 10**6, "<integer of 1000001 bits>"),
        (Loud(), "<Loud: its repr failed with RuntimeError>"),
        ([[[[[[1]]]]]], "[[[[[…]]]]]"),
        (Point(1.0), "Point(x=1.0)"),
        (json.dumps, "dumps"),
        ("\ud800", "'\\ud800'"),
        (set(), "set()"),
    ],
    ids=[str(number) for number in range(12)],
)
def test_a_preview_is_short_and_never_fails(value, text):
    assert preview(value) == text


def test_previews_of_huge_values_are_cut():
    for value in ("x" * 10**7, Big(), [Big()] * 100, dict.fromkeys(range(10**5), "x" * 1000), b"x" * 10**7):
        assert len(preview(value, 50)) == 50
        assert preview(value, 50).endswith("…")


def test_previews_of_arrays_and_frames_are_their_shapes():
    assert preview(numpy.zeros((1000, 3))) == "<ndarray 1000×3 float64>"
    assert preview(pandas.DataFrame({"a": [1, 2]})) == "<DataFrame 2×1>"

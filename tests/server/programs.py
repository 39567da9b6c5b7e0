"""Programs of these tests, in a module that their jobs import in no time."""

from __future__ import annotations


def scaled(numbers, factor=2, *, label="x"):
    return [label, [factor * number for number in numbers]]

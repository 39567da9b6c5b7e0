"""When to look at a job again."""

from __future__ import annotations

from typing import Final

_AGE_SHARE: Final = 0.1
"""A job that has not changed for a minute is looked at every six seconds, or as often as its pace says."""
_LONGEST_BACKOFF: Final = 60.0
_SHORTEST: Final = 0.01
_MOST_DOUBLINGS: Final = 16


class Pace:
    """The looks at one job: the less often, the longer nothing has changed, and the more looks have failed in a row."""

    def __init__(self, pace: tuple[float, float], now: float) -> None:
        self._first = max(pace[0], _SHORTEST)
        self._longest = max(pace[1], self._first)
        self._changed = now
        self.failures = 0

    def succeeded(self, now: float, *, is_change: bool) -> None:
        """A look has told something."""
        self.failures = 0
        if is_change:
            self._changed = now

    def failed(self) -> None:
        """A look has failed."""
        self.failures += 1

    def pause(self, now: float) -> float:
        """Return the seconds until the next look."""
        pause = min(max(self._first, (now - self._changed) * _AGE_SHARE), self._longest)
        if not self.failures:
            return pause
        backoff = self._first * 2.0 ** min(self.failures, _MOST_DOUBLINGS)
        return max(pause, min(backoff, _LONGEST_BACKOFF))

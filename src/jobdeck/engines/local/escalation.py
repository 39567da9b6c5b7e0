"""How a job is made to stop: asked, then told, then killed. Pure; the caller has the clock and sends the signals."""

from __future__ import annotations

import signal
from dataclasses import dataclass

TERMINATE_AFTER = 0.4
"""Seconds that a program has to notice the interrupt."""
CLEAN_UP = 10.0
"""Seconds that a program which has noticed it has to clean up."""
KILL_AFTER = 0.3
"""Seconds between being told to end and being killed, and between repeated kills of what does not go away."""


@dataclass(frozen=True)
class Step:
    """Something to do now: a signal to send, if any, and the word about it."""

    signal: int | None
    note: str


class Escalation:
    """The stopping of one job, from the first request to the last kill.

    Parameters
    ----------
    now : float
        The caller's clock, in seconds; any clock that never goes back.
    kill : bool
        Skip the polite part.
    """

    def __init__(self, now: float, *, kill: bool = False) -> None:
        self._next = signal.SIGKILL if kill else signal.SIGINT
        self._at = now
        self._noticed = False
        self._news: list[Step] = []

    @property
    def due(self) -> float:
        """When :meth:`steps` has something to say next, unless the program notices or somebody asks for a kill."""
        return self._at

    def notice(self, now: float) -> None:
        """The program has seen the interrupt."""
        if self._next is signal.SIGTERM and not self._noticed:
            self._noticed = True
            self._at = now + CLEAN_UP
            self._news.append(Step(None, "cleaning up"))

    def kill(self, now: float) -> None:
        """Somebody does not want to wait any longer."""
        if self._next is not signal.SIGKILL:
            self._next = signal.SIGKILL
            self._at = now

    def steps(self, now: float) -> list[Step]:
        """What is to be done by now, in order. A kill is repeated until the job is gone."""
        steps, self._news = self._news, []
        while now >= self._at:
            sent = self._next
            if sent is signal.SIGINT:
                steps.append(Step(sent, "interrupt sent"))
                self._next, self._at = signal.SIGTERM, now + TERMINATE_AFTER
            elif sent is signal.SIGTERM:
                steps.append(Step(sent, "terminate sent"))
                self._next, self._at = signal.SIGKILL, now + KILL_AFTER
            else:
                steps.append(Step(sent, "kill sent"))
                self._at = now + KILL_AFTER
        return steps

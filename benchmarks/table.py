"""Measurements, the rows that they make with their budgets and peers, and the table of all rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

Verdict = Literal["met", "missed", "shown"]


def quantile(values: Sequence[float], fraction: float) -> float:
    """The value below which `fraction` of the sorted values lie (nearest rank)."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(fraction * (len(ordered) - 1)))]


@dataclass(frozen=True)
class Measured:
    """One quantity of one contender, once a round."""

    who: str
    unit: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)

    def __str__(self) -> str:
        text = f"{_short(self.median)} {self.unit}"
        if len(self.rounds) > 1:
            text += f" ({_short(min(self.rounds))}–{_short(max(self.rounds))})"
        return text


@dataclass(frozen=True)
class Budget:
    """A limit in the row's unit; `peer` makes it a multiple of that peer's median in the same run."""

    limit: float
    at_least: bool = False
    peer: str | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table. Without a budget it is shown for comparison alone."""

    topic: str
    what: str
    ours: Measured
    budget: Budget | None = None
    peers: tuple[Measured, ...] = field(default=())

    @property
    def limit(self) -> float | None:
        if self.budget is None:
            return None
        if self.budget.peer is None:
            return self.budget.limit
        return self.budget.limit * next(peer.median for peer in self.peers if peer.who == self.budget.peer)

    @property
    def verdict(self) -> Verdict:
        if self.budget is None or self.limit is None:
            return "shown"
        enough = self.ours.median >= self.limit if self.budget.at_least else self.ours.median <= self.limit
        return "met" if enough else "missed"

    def budget_text(self) -> str:
        if self.budget is None or self.limit is None:
            return ""
        text = f"{'≥' if self.budget.at_least else '≤'} {_short(self.limit)} {self.ours.unit}"
        return f"{text}, as {self.budget.peer}" if self.budget.peer else text

    def peers_text(self) -> str:
        lines = []
        for peer in self.peers:
            ratio = f"{_short(self.ours.median / peer.median)} ×" if peer.median else "–"
            lines.append(f"{ratio} {peer.who}: {peer}")
        return "\n".join(lines)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table. The ratio is jobdeck's median to the peer's."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=True, title="jobdeck: budgets and peers, medians (range) over rounds")
    for heading in ("what", "measured", "budget", "peers in the same run", "verdict"):
        table.add_column(heading, overflow="fold")
    styles = {"met": "green", "missed": "bold red", "shown": "dim"}
    for row in rows:
        verdict = f"[{styles[row.verdict]}]{row.verdict}[/]"
        table.add_row(f"{row.topic}: {row.what}", str(row.ours), row.budget_text(), row.peers_text(), verdict)
    console.print(table)


def save(rows: Sequence[Row], about: dict[str, object], path: Path) -> None:
    """Keep every round of every row as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{**asdict(row), "limit": row.limit, "verdict": row.verdict} for row in rows]
    path.write_text(json.dumps({"about": about, "rows": listed}, indent=1) + "\n", encoding="utf-8")


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"

"""The simulations of docs/scale.md, at a size that shows nothing but that they run."""

from __future__ import annotations

from benchmarks.scale.__main__ import measure, show, show_courses
from benchmarks.scale.cluster import Load, simulate
from rich.console import Console


def test_a_small_store_is_filled_and_each_look_and_write_is_measured(tmp_path):
    console = Console(record=True, width=140)
    costs = measure(tmp_path / "home", 800, 1, console)
    show(console, {800: costs})
    said = console.export_text()
    assert all(cost.cpu > 0 for cost in costs)
    assert len({cost.what for cost in costs}) == len(costs) > 30
    assert "80 pruned" in said
    assert "agent that begins: inherit its jobs" in said


def test_an_agent_hears_all_that_few_workers_tell_and_less_than_all_of_too_many(tmp_path):
    few, many = Load(20, 2.0, 1.0), Load(100, 0.5, 2_000.0)
    course = simulate(tmp_path / "few", few, 1.0)
    assert abs(course.taken - few.events) < few.events / 2
    assert course.busy < 1
    assert course.cancel is not None
    flooded = simulate(tmp_path / "many", many, 0.2)
    assert flooded.taken < many.events / 2
    assert flooded.grown > 0
    show_courses(Console(width=200), {few: course, many: flooded})

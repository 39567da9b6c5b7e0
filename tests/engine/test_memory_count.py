"""Finding the system's count of out-of-memory kills."""

from __future__ import annotations

from pathlib import Path

from jobdeck.engines.local.memory import OutOfMemoryCount


def count(tmp_path: Path, membership: str, **files: str) -> OutOfMemoryCount:
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        file = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return OutOfMemoryCount(tmp_path / "mount", tmp_path / "membership", tmp_path / "vmstat")


def test_a_group_of_the_second_version_is_read(tmp_path: Path) -> None:
    counter = count(
        tmp_path,
        "0::/user/me\n",
        mount__user__me__memory_DOT_events="low 0\noom 5\noom_kill 3\n",
        vmstat="oom_kill 9\n",
    )
    assert counter.read() == 3


def test_a_group_of_the_first_version_is_read(tmp_path: Path) -> None:
    counter = count(
        tmp_path,
        "9:cpu,cpuacct:/\n8:memory:/box\n",
        mount__memory__box__memory_DOT_oom_control="under_oom 0\noom_kill 2\n",
    )
    assert counter.read() == 2


def test_in_a_container_the_group_may_be_mounted_at_the_top(tmp_path: Path) -> None:
    assert count(tmp_path, "0::/docker/123\n", mount__memory_DOT_events="oom_kill 4\n").read() == 4


def test_without_groups_the_whole_system_counts(tmp_path: Path) -> None:
    assert count(tmp_path, "", vmstat="pgfault 12\noom_kill 7\n").read() == 7


def test_a_system_that_does_not_count_has_zero(tmp_path: Path) -> None:
    assert OutOfMemoryCount(tmp_path, tmp_path / "none", tmp_path / "none").read() == 0


def test_the_count_is_read_anew_each_time(tmp_path: Path) -> None:
    counter = count(tmp_path, "", vmstat="oom_kill 7\n")
    counter.read()
    (tmp_path / "vmstat").write_text("oom_kill 8\n")
    assert counter.read() == 8

"""The command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from decks import close_all, ended, wait_until
from jobdeck import Deck, Reading, Watched
from jobdeck.cli import main
from programs import Gate, area, behind, double, nothing

Command = Callable[..., Result]


@pytest.fixture
def command(home: Path) -> Command:
    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def test_jobs_are_listed_the_newest_first(deck: Deck, command: Command):
    deck.prepare(nothing, name="first", tags=["t"])
    job = ended(deck.submit(double, 2))
    lines = command("ls").output.splitlines()
    assert lines[1].split()[:4] == [job.job_id(), "double", "✓", "DONE"]
    assert "first" in lines[2]
    assert "t" in lines[2].split()
    assert "first" not in command("ls", "done").output
    _, row, more = command("ls", "-n", "1").output.splitlines()
    assert "double" in row
    assert more == "there are more jobs than these 1; -n says how many are shown"
    assert command("ls", "-n", "2").output.count("\n") == 3
    assert command("ls", "tag:nothing").output == "no jobs\n"
    told = json.loads(command("ls", "--json").output)
    assert [(row["name"], row["status"]) for row in told] == [("double", "DONE"), ("first", "INITIALIZING")]


def test_groups_are_listed_with_how_their_jobs_stand_and_jobs_by_their_group(deck: Deck, command: Command):
    assert command("groups").output == "no groups\n"
    deck.submit(nothing)
    group = deck.map(double, [1, 2, 3], name="twice \x1b[31m", tags=["h2"])
    group.wait(30)
    line = command("groups").output.splitlines()[1]
    assert line.split()[:1] == [group.group_id]
    for word in ("twice \\x1b[31m", "map", "3 done", "h2"):
        assert word in line
    (told,) = json.loads(command("groups", "--json").output)
    assert (told["group_id"], told["total"], told["counts"]) == (group.group_id, 3, {"DONE": 3})
    for named in (group.group_id, "twice \x1b[31m"):
        listed = command("ls", "--group", named, "done", "--json").output
        assert [row["name"][-3:] for row in json.loads(listed)] == ["[2]", "[1]", "[0]"]
    assert command("ls", "--group", group.group_id, "failed").output == "no jobs\n"
    assert len(json.loads(command("ls", f"group:{group.group_id}", "--json").output)) == 3
    assert group.group_id in command("show", group[0].job_id()).output
    assert "there is no group 'nonsense'" in command("ls", "-g", "nonsense", code=1).output


def test_a_group_is_cancelled_by_its_id(deck: Deck, command: Command, gate: Gate):
    deck.max_workers = 1
    group = deck.map(behind, range(20), inputs={"gate": gate})
    gate.reached()
    assert command("cancel", group.group_id).output == "19 cancelled, 1 asked to stop\n"
    group.wait(30)
    assert command("cancel", group.group_id, code=1).output == "Error: no job of group 'behind' is under way\n"
    assert "■ 20 cancelled" in command("groups").output


def test_a_job_is_shown_by_any_part_of_its_id_that_no_other_has(deck: Deck, command: Command):
    job = ended(deck.run(area, inputs={"width": 3}, name="an area"))
    other = deck.prepare(nothing)
    for part in (job.job_id(), job.job_id()[-6:], job.job_id()[7:13]):
        shown = command("show", part).output
        assert "an area" in shown
        assert "computing" in shown
        assert re.search(r"result\s+6\b", shown)
        assert re.search(r"input width\s+3\b", shown)
    assert json.loads(command("show", job.job_id(), "--json").output)["interim_count"] == 1
    tag = job.job_id()[:6]
    said = command("show", tag, code=1).output
    assert job.job_id() in said
    assert other.job_id() in said
    assert "no job 'nonsense'" in command("show", "nonsense", code=1).output


def test_what_another_system_tells_of_its_job_is_shown_and_it_is_not_run_again(deck: Deck, command: Command):
    class Elsewhere(Watched):
        system = "elsewhere"

        def read(self) -> Reading:
            return Reading("DONE", {"session": "s-1", "usage": 2.5})

        def result(self) -> int:
            return 6

    job = deck.watch(Elsewhere())
    assert job.result(30) == 6
    shown = command("show", job.job_id()).output
    assert re.search(r"session\s+s-1\b", shown)
    assert re.search(r"usage\s+2\.5\b", shown)
    assert "only watched from here" in command("retry", job.job_id(), code=1).output


def test_a_failed_job_is_shown_with_its_traceback(deck: Deck, command: Command):
    def fail():
        raise ValueError("[red]no[/red] \x1b[31msuch thing")

    job = ended(deck.submit(fail))
    shown = command("show", job.job_id()).output
    assert "✗ ERROR (exception)" in shown
    assert "in fail" in shown
    assert "[red]no[/red] \\x1b[31msuch thing" in shown


def test_hostile_text_is_shown_as_text(deck: Deck, command: Command):
    name = "a[bold]b[/bold]\x1b[31m\x07\r\n\u202ec:smile:"
    job = deck.prepare(area, inputs={"width": "\x1b]0;title\x07[link=x]"}, name=name, tags=["[red]", "\x9b31m"])
    for words in (("ls",), ("show", job.job_id()), ("cancel", job.job_id())):
        said = command(*words).output
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said), words
        assert "a[bold]b[/bold]\\x1b[31m\\x07\\r\\n\\u202ec:smile:" in said
    assert "[red], \\x9b31m" in command("ls").output
    said = command("show", "\x1b[31mx", code=1).output
    assert "\x1b" not in said


def test_logs_are_copied_byte_by_byte_and_followed_to_the_end(deck: Deck, command: Command, gate: Gate):
    def write():
        os.write(1, b"begin \xff\x1b[32m\n")
        gate.wait()
        os.write(2, b"end")

    job = deck.submit(write)
    gate.reached()
    follower = subprocess.Popen(
        [sys.executable, "-m", "jobdeck", "logs", "-f", job.job_id()],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert follower.stdout is not None
    assert follower.stdout.readline() == b"begin \xff\x1b[32m\n"
    gate.open()
    assert follower.stdout.read() == b"end"
    assert follower.wait(15) == 0
    follower.stdout.close()
    assert command("logs", job.job_id()).stdout_bytes == b"begin \xff\x1b[32m\nend"


INTERRUPTIBLE = """
import signal
from jobdeck.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The command line, also where the tests run in the background, and what they start is made to ignore SIGINT."""


def test_interrupting_logs_leaves_the_job_running(deck: Deck, gate: Gate):
    job = deck.submit(lambda: print("x", flush=True) or gate.wait())
    gate.reached()
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "logs", "-f", job.job_id()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == b"x\n"
        follower.send_signal(signal.SIGINT)
        assert follower.wait(15) == 130
        assert b"Traceback" not in follower.stderr.read()
    assert job.running()


def test_jobs_are_found_by_a_query(deck: Deck, command: Command):
    for number in range(3):
        deck.prepare(nothing, name=f"scan-{number}", tags=["odd" if number % 2 else "even"])

    def names(*words: str) -> list[str]:
        return [row["name"] for row in json.loads(command("ls", "--json", *words).output)]

    assert names("tag:even") == names("tag:even", "created:<1h") == ["scan-2", "scan-0"]
    assert names("tag:even scan-2 OR name:*1") == ["scan-2", "scan-1"]
    assert names("NOT", "(tag:odd OR name:*0)") == ["scan-2"]
    assert names("--", "-tag:odd", "initializing") == ["scan-2", "scan-0"]
    said = command("ls", "tag:even", "nmae:x", code=1).output.splitlines()
    assert said == ['Error: there is no field "nmae"; did you mean name?', "  tag:even nmae:x", "           ^^^^"]
    assert "energy<-1.1" in " ".join(command("--help").output.split())


def test_a_shell_completes_a_query(deck: Deck):
    job = deck.prepare(nothing, name="two words", tags=["sweep"])

    def offered(command: str, incomplete: str) -> list[str]:
        complete = ShellComplete(main, {}, "jobdeck", "_JOBDECK_COMPLETE")
        return [item.value for item in complete.get_completions([command], incomplete)]

    assert offered("ls", "tag:sw") == ["tag:sweep"]
    assert offered("ls", "status:error,ca") == ["status:error,cancelled", "status:error,canceled"]
    assert offered("ls", "name:t") == ['name:"two words"']
    assert offered("cancel", job.job_id()[:9]) == [job.job_id()]
    assert job.job_id() not in offered("ls", "")
    for command in ("show", "logs", "retry"):
        assert offered(command, job.job_id()[:9]) == [job.job_id()]


def test_jobs_are_cancelled_by_id_and_by_query(deck: Deck, command: Command, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    others = [deck.prepare(nothing, tags=["t"]) for _ in range(2)]
    assert job.job_id() in command("cancel", job.job_id()).output
    assert ended(job).cancelled()
    assert "CANCELLED" in command("cancel", job.job_id(), code=1).output
    said = command("cancel", "tag:t").output.splitlines()
    assert sorted(said) == sorted(f"cancelled: nothing ({other.job_id()})" for other in others)
    assert all(other.cancelled() for other in others)
    assert "no job under way fits" in command("cancel", "tag:t", code=1).output
    command("cancel", code=2)
    waiting = deck.prepare(nothing)
    for unset in ([""], [" ", ""]):
        assert "every job there is" in command("cancel", *unset, code=2).output
    assert not waiting.cancelled()


def test_many_jobs_are_cancelled_with_one_line_about_them(deck: Deck, command: Command, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    others = [deck.prepare(nothing, name="one of many") for _ in range(300)]
    assert command("cancel", 'name:"one of many" OR running').output == "300 cancelled, 1 asked to stop\n"
    assert all(other.cancelled() for other in others)
    assert ended(job).cancelled()


def test_kill_leaves_no_time_to_clean_up(deck: Deck, command: Command, gate: Gate, tmp_path: Path):
    trace = tmp_path / "cleaned up"

    def program():
        try:
            gate.wait()
        finally:
            trace.touch()

    job = deck.submit(program)
    gate.reached()
    command("cancel", "--kill", job.job_id())
    assert ended(job).cancelled()
    assert not trace.exists()


def test_a_retry_prints_the_new_id(deck: Deck, command: Command):
    job = ended(deck.submit(double, 4))
    again = command("retry", job.job_id()[-8:]).output.strip()
    assert deck.job(again).result(15) == 8
    assert deck.job(again).retry_of == job.job_id()


def test_prune_tells_what_it_removes(deck: Deck, command: Command):
    for number in range(3):
        ended(deck.submit(double, number))
    assert command("prune", "--keep", "1", "--dry-run").output.startswith("2 jobs would go, ")
    assert command("prune", "--older-than", "2h").output.startswith("0 jobs removed")
    assert command("prune", "--keep", "2").output.startswith("1 job removed")
    assert len(deck.jobs()) == 2
    assert "30d" in command("prune", "--older-than", "soon", code=2).output


def test_a_home_is_chosen_with_an_option(deck: Deck, command: Command, tmp_path: Path):
    with Deck(tmp_path / "other") as other:
        job = other.prepare(nothing, name="there")
    assert "there" in command("--home", str(tmp_path / "other"), "ls").output
    assert command("ls").output == "no jobs\n"
    assert "another jobdeck home" in command("show", job.job_id(), code=1).output
    assert "no folder" in command("--home", str(tmp_path / "nowhere"), "ls", code=1).output
    assert not (tmp_path / "nowhere").exists()


def test_the_doctor_finds_nothing_wrong_with_a_healthy_home(deck: Deck, command: Command):
    ended(deck.submit(double, 2))
    findings = {row["name"]: row for row in json.loads(CliRunner().invoke(main, ["doctor", "--json"]).output)}
    assert str(deck.home) in findings["home"]["text"]
    assert "journal mode" in findings["store"]["text"]
    assert findings["jobs"]["text"] == "1 DONE"
    assert re.match(r"alive, process \d+", findings["agent"]["text"])
    assert {"jupyterlab", "ipykernel", "anywidget", "front end", "JupyterLab extension", "server extension"} <= set(
        findings
    )
    assert not [name for name in ("home", "store", "jobs", "agent", "ipykernel") if findings[name]["is_problem"]]


def test_the_doctor_names_the_next_step_for_each_problem(tmp_path: Path, monkeypatch):
    path = tmp_path / "home"
    path.mkdir(mode=0o777)
    path.chmod(0o777)
    monkeypatch.setenv("JOBDECK_HOME", str(path))
    result = CliRunner().invoke(main, ["doctor"])
    close_all()
    assert result.exit_code == 1
    assert "✗ store" in result.output
    assert "chmod 700" in result.output
    assert "→" in result.output


def test_the_doctor_tells_of_a_full_disk_and_of_what_cannot_be_written(deck: Deck, command: Command, monkeypatch):
    deck.prepare(nothing)
    usage = shutil.disk_usage(deck.home)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000))
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "output")
    said = command("doctor", code=1).output
    assert "✗ home" in said
    assert "1.0 KB free" in said
    assert f"✗ permissions: you cannot write {deck.home}/output" in said


@pytest.mark.parametrize(("installed", "fault"), [("7.0.1", "threads get lost"), ("7.3.0", "gets lost now and then")])
def test_the_doctor_names_an_ipykernel_that_loses_things(deck: Deck, command: Command, monkeypatch, installed, fault):
    monkeypatch.setattr("jobdeck.cli._doctor.version", lambda _: installed)
    said = command("doctor", code=1).output
    assert fault in said
    assert "install --upgrade jobdeck ipykernel" in said


def test_whoever_looks_closes_the_jobs_of_an_agent_that_died(deck: Deck, command: Command, gate: Gate):
    from jobdeck.engines.lock import AgentLock

    job = deck.submit(gate.wait)
    gate.reached()
    holder = AgentLock(deck.home, "local").holder()
    os.kill(holder.pid, signal.SIGKILL)
    wait_until(lambda: AgentLock(deck.home, "local").holder() is None)
    assert "ERROR (lost)" in command("ls").output
    assert ended(job).errored()


def test_the_module_is_the_command():
    said = subprocess.run(
        [sys.executable, "-m", "jobdeck", "--help"], capture_output=True, text=True, check=True, timeout=30
    )
    for word in ("ls", "show", "logs", "cancel", "retry", "prune", "doctor", "--home"):
        assert word in said.stdout
    said = subprocess.run(
        [sys.executable, "-m", "jobdeck", "lss"], check=False, capture_output=True, text=True, timeout=30
    )
    assert said.returncode == 2
    assert "lss" in said.stderr


def test_settings_are_shown_set_and_set_back(deck: Deck, command: Command):
    assert command("config", "engine").output == "local\n"
    assert command("config", "dask_result_limit", "5MB").output == "5000000\n"
    assert deck.settings["dask_result_limit"] == "5000000"
    lines = command("config").output.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", *deck.settings]
    assert lines[-1].split()[1] == "5000000"
    assert command("config", "dask_result_limit", "--unset").output == "1048576\n"
    assert json.loads(command("config", "--json", "keep_days").output) == {"keep_days": "90"}
    assert "keep_days is a number" in command("config", "keep_days", "long", code=1).output
    assert "there is no engine 'slurm'" in command("config", "engine", "slurm", code=1).output
    assert "'max_jobs' is not one of 'engine'" in command("config", "max_jobs", code=2).output
    assert "--unset takes a NAME" in command("config", "--unset", code=2).output

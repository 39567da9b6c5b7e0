"""docs/migration.md is true: each new name is there, takes what the old one took, and does what the line says."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import pytest

import jobdeck
import jobdeck.qiskit
from decks import close_all, stop_agent

from .conftest import read
from .migration_lines import CHECKS, Bench
from .test_api_reference import parameters, written_parameters

PAGE = read("docs/migration.md")

MEMBERS = {
    "UserMessenger": "publish",
    "RuntimeJob": "backend cancel cancel_result_streaming creation_date inputs job_id program_id result status "
    "stream_results wait_for_final_state",
    "ManagedJob": "cancel error_message qobj result status submit",
    "BasePrimitiveJob": "cancel cancelled done in_final_state job_id result running status",
    "BasicAerJob": "backend cancel cancelled done in_final_state job_id result running status submit version "
    "wait_for_final_state",
}
"""What the five systems have, by their documents."""


@dataclass(frozen=True)
class Line:
    """One line of a table: the old name and the new one, each as it is called."""

    old: str
    new: str
    words: str

    @property
    def key(self) -> str:
        name, bracket, _ = self.old.partition("(")
        return name if "." in name or not bracket else f"{name}()"


def lines() -> list[Line]:
    found = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ?(.*?) ?\|$", PAGE.text, re.MULTILINE)
    return [Line(*cells) for cells in found]


LINES = lines()


def by_key() -> dict[str, Line]:
    return {line.key: line for line in LINES}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBDECK_HOME", str(home))
        with jobdeck.Deck() as deck:
            yield Bench(deck, tmp_path_factory.mktemp("gates"))
            close_all()
    stop_agent(home)


@pytest.mark.parametrize("system", MEMBERS)
def test_every_member_of_the_five_systems_has_a_line(system):
    keys = by_key()
    assert f"{system}()" in keys
    assert {f"{system}.{member}" for member in MEMBERS[system].split()} <= keys.keys()


def test_no_line_stands_twice():
    assert len(by_key()) == len(LINES) > 70


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.key)
def test_the_new_name_is_there_and_takes_what_the_old_one_took(line):
    name, bracket, arguments = line.new.partition("(")
    owner = attrgetter(name)(jobdeck)
    if not bracket:
        return
    is_method = "." in name
    real = parameters(owner, bound=is_method)
    assert written_parameters(arguments.removesuffix(")")) == real
    old = ast.parse(f"def f({line.old.partition('(')[2]}: ...").body[0].args
    gone = {"job_share_level"} if "not `job_share_level`" in line.words else set()
    taken = [argument.arg for argument in old.args if argument.arg not in gone]
    inspect.signature(owner).bind(*[None] * is_method, **dict.fromkeys(taken))


@pytest.mark.parametrize("key", by_key())
def test_the_line_does_what_it_says(key, bench):
    CHECKS[key](bench)


def test_there_is_a_test_for_no_other_line():
    assert CHECKS.keys() == by_key().keys()

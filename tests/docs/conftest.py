"""The documents, and their code blocks as a kernel can run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from decks import stop_agent

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block; `line` is where its code begins."""

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Document:
    """A Markdown file of the project."""

    path: Path
    text: str

    def blocks(self) -> list[Block]:
        """All fenced code blocks, in order."""
        return [
            Block(found["language"], found["code"], self.text.count("\n", 0, found.start("code")) + 1)
            for found in _BLOCK.finditer(self.text)
        ]

    def prose(self) -> str:
        """The text without its code blocks."""
        return _BLOCK.sub("", self.text)


def read(name: str) -> Document:
    path = ROOT / name
    return Document(path, path.read_text(encoding="utf-8"))


def markdown_files() -> list[str]:
    """Every Markdown file that belongs to the project, relative to its root."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "document" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("documents")
        names = marker.args if marker else markdown_files()
        metafunc.parametrize("document", [read(name) for name in names], ids=names)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for the jobs of a document; the agent that was started in it ends with the test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("JOBDECK_HOME", str(folder))
    yield folder
    stop_agent(folder)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "documents(*names): the Markdown files that a test reads, all if it has none")

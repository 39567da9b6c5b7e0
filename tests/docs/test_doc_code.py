"""What the documents show is true: their Python runs in a real kernel, and what they say it prints, it prints."""

from __future__ import annotations

import re
import shlex

import nbformat
import pytest
from nbclient import NotebookClient

from jobdeck.cli import main as cli

MOMENT = re.compile(r"[a-z2-7]{6}-[a-z2-7]{12}|\d+(\.\d+)? m?s\b|\d\d:\d\d:\d\d(\.\d+)?")
"""Parts of an output that differ from run to run: job ids, durations and times of day."""


def printed(cell: nbformat.NotebookNode) -> str:
    streams = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
    values = [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
    return MOMENT.sub("…", "".join([*streams, *values])).strip()


@pytest.mark.documents("README.md", "docs/guide.md", "docs/qiskit.md", "docs/dask.md", "docs/watching.md")
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("home")
def test_python_blocks_run_in_order_and_print_what_stands_below_them(document, tmp_path):
    notebook = nbformat.v4.new_notebook()
    expected = {}
    for block in document.blocks():
        if block.language in {"python", "ipython"}:
            notebook.cells.append(nbformat.v4.new_code_cell(block.code, metadata={"line": block.line}))
        elif block.language == "text":
            expected[len(notebook.cells) - 1] = MOMENT.sub("…", block.code).strip()
    assert notebook.cells, "a document whose code is tested shows some"

    NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    for number, text in expected.items():
        cell = notebook.cells[number]
        assert printed(cell) == text, f"{document.path.name}, line {cell.metadata.line}"


def test_commands_and_options_of_the_command_line_exist(document):
    for block in document.blocks():
        if block.language not in {"sh", "console", "bash"}:
            continue
        for line in block.code.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] != ["jobdeck"] or len(words) == 1:
                continue
            command = cli.commands.get(words[1])
            assert command is not None, f"{document.path.name}: no such command: {line}"
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            used = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
            assert used <= known | {"--help"}, f"{document.path.name}: no such option: {line}"

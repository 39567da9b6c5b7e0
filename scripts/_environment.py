"""Sets up what the project's commands need, from a clone and a Python 3.10 or newer alone.

Each step is taken once: what it depends on is kept as a hash beside what it made, so that a second run costs a moment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
BIN: Final = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON: Final = BIN / ("python.exe" if os.name == "nt" else "python")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

_OLDEST: Final = (3, 10)
_BUILT: Final = (
    "src/jobdeck/widgets/static/card.js",
    "src/jobdeck/widgets/static/deck.js",
    "src/jobdeck/labextension/package.json",
)
_FRONT_END: Final = ("js/src", "js/style", "js/schema", "js/package.json", "js/package-lock.json")


def prepare(*extras: str) -> None:
    """Make the virtual environment and install the project into it with these extras, the front end built."""
    if sys.version_info < _OLDEST:
        wanted, found = ".".join(map(str, _OLDEST)), ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"jobdeck needs Python {wanted} or newer; this is {found}. Run this with a newer one.")
    if not PYTHON.exists():
        say(f"making a virtual environment in {VENV.name}")
        _make_venv()
    stamp = VENV / f".jobdeck-{'-'.join(extras)}"
    depends_on = _digest(_dependencies(), extras)
    if _read(stamp) == depends_on and all((ROOT / built).exists() for built in _BUILT):
        return
    say(f"installing jobdeck with {', '.join(extras)}; the first time this takes some minutes")
    run(PYTHON, "-m", "pip", "install", "--quiet", "--editable", f".[{','.join(extras)}]")
    stamp.write_text(depends_on, encoding="utf-8")


def find_browser() -> str | None:
    """Return the path of a Chromium, None if there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def prepare_browser() -> None:
    """Install Chromium where there is none and the system lets us; else say what to install."""
    if find_browser() is not None:
        return
    apt = shutil.which("apt-get")
    if apt is None:
        sys.exit(
            f"the browser tests need a Chromium on the path (one of: {', '.join(BROWSERS)}); "
            "install it, then run this again."
        )
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    before = [] if is_root else ["sudo", "--non-interactive"]
    if not is_root and not _may_sudo():
        sys.exit("the browser tests need Chromium: run `sudo apt-get install chromium`, then this again.")
    say("installing Chromium for the browser tests")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(*before, apt, "update", "--quiet", environment=environment)
    run(*before, apt, "install", "--yes", "--quiet", "--no-install-recommends", "chromium", environment=environment)
    if find_browser() is None:
        sys.exit("apt-get installed chromium, but there is no such program on the path.")


def environment() -> dict[str, str]:
    """Return this process's environment with the virtual environment's programs first."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(VENV)}


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command in the project's folder; the whole ends where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"failed (exit code {done.returncode}): {' '.join(str(part) for part in command)}")


def say(words: str) -> None:
    """Tell the person what happens now."""
    print(f"→ {words}", flush=True)


def _make_venv() -> None:
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True)
    if done.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(
        f"{done.stdout}{done.stderr}\nPython could not make a virtual environment. On Debian and Ubuntu its parts come "
        f"in a package of their own: `apt-get install python{version}-venv`."
    )


def _may_sudo() -> bool:
    return shutil.which("sudo") is not None and (
        subprocess.run(["sudo", "--non-interactive", "true"], check=False, capture_output=True).returncode == 0
    )


def _dependencies() -> list[Path]:
    files = [ROOT / "pyproject.toml", ROOT / "hatch_build.py", ROOT / "install.json"]
    files += (ROOT / "jupyter-config").rglob("*.json")
    for name in _FRONT_END:
        files += [path for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()]
    files += [*(ROOT / "js").glob("*.js"), *(ROOT / "js").glob("tsconfig*.json")]
    return sorted(set(files))


def _digest(files: Iterable[Path], words: Iterable[str]) -> str:
    total = hashlib.sha256(repr((sys.version_info[:2], str(ROOT), *words)).encode())
    for path in files:
        total.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

"""Sets up whatever is missing, then checks everything: ``python3 scripts/check.py``.

What follows on the command line goes to pytest (``-k card``, say).
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from _environment import PYTHON, ROOT, environment, prepare, prepare_browser, say

CHECKS = (
    ("ruff check", (PYTHON, "-m", "ruff", "check", ".")),
    ("ruff format", (PYTHON, "-m", "ruff", "format", "--check", ".")),
    ("mypy", (PYTHON, "-m", "mypy")),
    ("js", (PYTHON, ROOT / "scripts" / "npm.py", "run", "check")),
)

CHECKS_AT_ONCE = min(os.cpu_count() or 1, 2)
"""mypy and the front end's checks take the time, and each keeps about one core busy."""
SIDE_BY_SIDE = min((os.cpu_count() or 1) + 1, 4)
"""One more than there are cores: a third of the time a test waits for a process, a page or a deadline."""
PARALLEL = ("--numprocesses", str(SIDE_BY_SIDE), "--dist", "loadfile", "--no-loadscope-reorder")
"""Files side by side, the tests of one file one after the other: they share servers and browsers.

In their order: a file of few tests, such as that of the notebooks, is no short one, and must not be the last.
"""


def main() -> int:
    """Run every check, whatever the others said, and pytest last."""
    prepare("dev")
    prepare_browser()
    say(", ".join(name for name, _ in CHECKS))
    with ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        passed = dict(pool.map(lambda check: (check[0], passes(*check)), CHECKS))
    failed = [name for name, is_well in passed.items() if not is_well]
    if failed:
        print(f"✗ failed: {', '.join(failed)} (see above); the tests run all the same", flush=True)
    say("pytest")
    command = [str(PYTHON), "-m", "pytest", *PARALLEL, *sys.argv[1:]]
    tests = subprocess.run(command, cwd=ROOT, env=keeping_bytecode(environment()), check=False)
    return tests.returncode or (1 if failed else 0)


def passes(name: str, command: tuple[object, ...]) -> bool:
    """Run one check, print in one piece what it said, and tell whether it found nothing."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment(),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    print(f"→ {name}\n{done.stdout}", end="", flush=True)
    return done.returncode == 0


def keeping_bytecode(variables: dict[str, str]) -> dict[str, str]:
    """Return an environment whose processes compile a module once.

    The tests start more than a thousand, and containers often set that none keeps what it has compiled.
    """
    return {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}


if __name__ == "__main__":
    sys.exit(main())

"""Opens the quickstart in JupyterLab, from a clone and a Python alone: ``python3 scripts/start.py``.

With ``--headless`` it runs the notebook without a browser and prints what came of it.
"""

from __future__ import annotations

import argparse
import os

from _environment import BIN, PYTHON, ROOT, environment, prepare, run, say

QUICKSTART = "notebooks/quickstart.ipynb"


def main() -> None:
    """Install what is missing, then open or run the notebook."""
    parser = argparse.ArgumentParser(description="Open jobdeck's quickstart in JupyterLab.")
    parser.add_argument("--headless", action="store_true", help="run the notebook and print what came of it")
    parser.add_argument("arguments", nargs="*", help="more arguments for JupyterLab, after a --")
    given = parser.parse_args()
    prepare("lab", "notebooks")
    if given.headless:
        run(PYTHON, ROOT / "scripts" / "_headless.py", ROOT / QUICKSTART, environment=environment())
        return
    say("opening JupyterLab; Ctrl+C twice ends it, jobs go on without it")
    os.chdir(ROOT)
    lab = str(BIN / "jupyter-lab")
    os.execve(lab, [lab, QUICKSTART, *given.arguments], environment())


if __name__ == "__main__":
    main()

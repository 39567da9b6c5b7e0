"""Runs npm in js/ with the Node that the project installs: ``python scripts/npm.py run check``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hatch_build import install_packages, npm  # noqa: E402

if __name__ == "__main__":
    install_packages(ROOT / "js")
    npm(ROOT / "js", *sys.argv[1:])

"""The IPython kernel around us, if there is one."""

from __future__ import annotations

import sys
from typing import Any


def current_shell() -> Any | None:
    """Return the interactive shell of a kernel, None elsewhere (a script, a terminal): only a kernel shows widgets."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None

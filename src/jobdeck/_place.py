"""Taking on the place where a program is at home: its environment, working directory, import path and sources.

It imports nothing beyond what every interpreter has loaded: the process that jobs are forked from holds it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def enter_environment(wanted: Mapping[str, str]) -> None:
    """Change what differs: as a rule a job's process has nearly all of it from its parent."""
    backend = wanted.get("MPLBACKEND", "")
    if "inline" in backend or "ipympl" in backend:
        # Those backends draw into a notebook's front end, and a job's process has none.
        wanted = {**wanted, "MPLBACKEND": "agg"}
    present = dict(os.environ)
    for name in present.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if present.get(name) != value:
            os.environ[name] = value
    if present.get("TZ") != wanted.get("TZ"):
        import time

        if hasattr(time, "tzset"):
            time.tzset()


def enter_place(cwd: str, path: list[str], sources: Mapping[str, str]) -> None:
    """Give this process a working directory, an import path, and the sources of code that is in no file.

    A working directory that is gone is replaced by the home directory, and stderr says so.

    Parameters
    ----------
    path
        The list that is to be the import path from now on.
    """
    try:
        os.chdir(cwd or os.curdir)
    except OSError as error:
        _enter_refuge(cwd, error)
    sys.path = path
    if sources:
        import linecache

        for name, text in sources.items():
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def _enter_refuge(wanted: str, error: OSError) -> None:
    refuge = next(folder for folder in (os.path.expanduser("~"), "/") if os.access(folder, os.X_OK))
    os.chdir(refuge)
    print(f"jobdeck: cannot use the folder {wanted} ({error.strerror}); running in {refuge}", file=sys.stderr)

"""jobdeck: a live deck of jobs for Jupyter.

Importing it starts nothing: no thread, no process, no file, no comm. Names are resolved on first use.
"""

from __future__ import annotations

from ._version import __version__ as __version__

"""The Jupyter server extension: jobs for pages that have no kernel to ask, or one that is busy."""

from __future__ import annotations

from ._extension import JobdeckExtension as JobdeckExtension
from ._extension import extension_points as extension_points

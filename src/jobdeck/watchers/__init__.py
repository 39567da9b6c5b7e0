"""Jobs that others run: one bridge per process looks at them all and mirrors them into the store."""

from .adapters import adapt, find, gather, reattach, seams
from .bridge import Bridge, Lock
from .foreign import Foreign
from .ports import Adapter, Gathered, Reading, SessionLike, Watched
from .seams import Method, Noting, Seam
from .words import status_of

__all__ = [
    "Adapter",
    "Bridge",
    "Foreign",
    "Gathered",
    "Lock",
    "Method",
    "Noting",
    "Reading",
    "Seam",
    "SessionLike",
    "Watched",
    "adapt",
    "find",
    "gather",
    "reattach",
    "seams",
    "status_of",
]

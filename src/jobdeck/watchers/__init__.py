"""Jobs that others run: one bridge per process looks at them all and mirrors them into the store."""

from .adapters import adapt, reattach
from .bridge import Bridge, Lock
from .foreign import Foreign
from .ports import Adapter, Reading, Watched
from .words import status_of

__all__ = ["Adapter", "Bridge", "Foreign", "Lock", "Reading", "Watched", "adapt", "reattach", "status_of"]

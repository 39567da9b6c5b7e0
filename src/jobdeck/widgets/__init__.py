"""Jobs in notebook cells: one live widget per output, with a still picture for wherever no widget lives."""

from __future__ import annotations

from ._front_end import FrontEndMissingError as FrontEndMissingError
from ._presenter import presenter as presenter
from ._widget import JobsWidget as JobsWidget

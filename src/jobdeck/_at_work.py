"""Whether this process runs a job: who makes its messenger, if nobody has needed one yet.

`_messenger` and all that it takes are loaded by the first program that asks for it, and then find it here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._messenger import UserMessenger

messenger: Callable[[], UserMessenger] | None = None
"""Returns the messenger of the job that this process runs; None outside such a process."""

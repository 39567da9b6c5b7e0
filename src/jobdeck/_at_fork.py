"""What has to be done at a fork, put off in the process that jobs are forked from.

`threading`, `logging` and two modules of jobdeck see to it that a child is not left with the locks and connections of
threads that it does not have. The process that jobs are forked from has one thread and no connection, so that they find
nothing to do; but to find that out they touch some fifty pages, which each short job would have to copy. So it forks
without them, and a job's process has them again from its start, for what its program forks.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Hook = Callable[[], Any]

_PUT_OFF: Final = ("threading", "logging", "jobdeck._messenger", "jobdeck.store.connection")
"""Whose work can wait. That of others cannot: `random` gives each child random numbers of its own."""

_register: Final[Callable[..., None] | None] = getattr(os, "register_at_fork", None)
_before: Final[list[Hook]] = []
_after_in_parent: Final[list[Hook]] = []
_after_in_child: Final[list[Hook]] = []
is_put_off = False
"""A job's process sets it to False by itself: to call `resume` would be to touch three pages."""


def put_off() -> None:
    """Have this process fork without them until `resume`. Has no effect on those that are imported already."""
    global is_put_off  # noqa: PLW0603 - how this process forks
    if _register is not None:
        is_put_off = True
        _register(before=_run_before, after_in_parent=_run_after_in_parent, after_in_child=_run_after_in_child)
        os.register_at_fork = _take_note


def resume() -> None:
    """Have all done at each fork again."""
    global is_put_off  # noqa: PLW0603 - see above
    is_put_off = False


def _take_note(
    *, before: Hook | None = None, after_in_child: Hook | None = None, after_in_parent: Hook | None = None
) -> None:
    assert _register is not None
    hooks = {"before": before, "after_in_child": after_in_child, "after_in_parent": after_in_parent}
    given = {when: hook for when, hook in hooks.items() if hook is not None}
    if not given or any(getattr(hook, "__module__", None) not in _PUT_OFF for hook in given.values()):
        _register(**given)
        return
    for hook, noted in ((before, _before), (after_in_child, _after_in_child), (after_in_parent, _after_in_parent)):
        if hook is not None:
            noted.append(hook)


def _run_before() -> None:
    if not is_put_off:
        for hook in reversed(_before):
            hook()


def _run_after_in_parent() -> None:
    if not is_put_off:
        for hook in _after_in_parent:
            hook()


def _run_after_in_child() -> None:
    if not is_put_off:
        for hook in _after_in_child:
            hook()

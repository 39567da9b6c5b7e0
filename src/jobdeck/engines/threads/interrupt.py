"""Interrupting one thread as Ctrl-C interrupts the main one: it raises KeyboardInterrupt when it next runs Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_raise: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc
_raise.argtypes = (ctypes.c_ulong, ctypes.py_object)

_heard: ContextVar[Callable[[], None] | None] = ContextVar("jobdeck_interrupt_heard", default=None)


class ThreadInterrupt(KeyboardInterrupt):
    """What is raised in the thread. It is made there and then, and so tells that it has arrived."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        heard = _heard.get()
        if heard is not None:
            heard()


@contextmanager
def hearing(heard: Callable[[], None]) -> Iterator[None]:
    """Have `heard` called when this thread is interrupted."""
    token = _heard.set(heard)
    try:
        yield
    finally:
        _heard.reset(token)


def interrupt(thread: int) -> None:
    """Have the thread of this identity raise the interrupt. What it does in compiled code, it does to its end first."""
    _raise(thread, ctypes.py_object(ThreadInterrupt))


def take_back(thread: int) -> None:
    """Take an interrupt back that has not arrived."""
    _raise(thread, ctypes.py_object())

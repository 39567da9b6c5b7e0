"""Contenders in processes of their own: the threads of one, idle as they are, take nothing from another one's turn.

A Dask client, say, keeps an event loop in its process, and a `LocalCluster` its scheduler.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


class Apart(Generic[T]):
    """What was opened in another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, work: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of a module there, with what was opened as its first argument; return what it returned."""
        self._connection.send((work, args, kwargs))
        answer: R | BaseException = self._connection.recv()
        if isinstance(answer, BaseException):
            raise answer
        return answer


@contextmanager
def apart(open_it: Callable[[], AbstractContextManager[T]]) -> Iterator[Apart[T]]:
    """Open something in a process of its own, by a function of a module; it is closed there in the end."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, open_it))
    process.start()
    theirs.close()
    made: Apart[T] = Apart(ours)
    try:
        made.run(_nothing)
        yield made
    finally:
        # The end of the stream ends it.
        ours.close()
        process.join()


def _nothing(_: object) -> None:
    """Answered once it is open."""


def _serve(connection: Connection, open_it: Callable[[], AbstractContextManager[Any]]) -> None:
    with open_it() as opened:
        while True:
            try:
                work, args, kwargs = connection.recv()
            except EOFError:
                return
            try:
                answer = work(opened, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whoever asked raises it
                answer = error
            connection.send(answer)

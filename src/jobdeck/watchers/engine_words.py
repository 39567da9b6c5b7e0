"""What ipyparallel's engines say while they work: what they print is output, what they publish are interim results."""

from __future__ import annotations

import base64
import struct
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from .._picture import Picture

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER: Final = struct.Struct(">8s8xII")
"""Its signature, its first chunk's length and name, and that chunk's width and height."""
_RING: Final = 0.1
"""Seconds after a look within which the next one comes by itself."""


class EngineWords:
    """Collects the words of one ``AsyncResult``'s tasks, in the order in which its client receives them.

    Its metadata alone would not do: there, data that are published under one name replace each other, and text is
    rewritten at each carriage return. So this listens as ``AsyncResult.stream_output`` does; what the metadata have is
    taken once, for what came before. The client has one thread for all that it sends and receives, in which listening
    is taken up: after a task was sent, and between two messages.

    Parameters
    ----------
    result : ipyparallel.AsyncResult
        It is not kept alive.
    """

    def __init__(self, result: Any) -> None:
        tasks = list(result._children)
        # A result that another client has submitted: its hub keeps the text alone, and tells it at the end.
        self._metadata = [] if tasks else list(result._metadata)
        self._are_several = len(result.msg_ids) > 1
        self._has_engines = self._are_several and len(result._client.ids) > 1
        self._lock = threading.Lock()
        self._messages: list[Any] = []
        self._output: list[str] = []
        self._last = ("", "\n")
        self._taken = 0.0
        self._wake: Callable[[], None] = lambda: None
        self._listens = threading.Event()
        begin = partial(_begin, weakref.ref(self), tasks)
        if tasks and result._client._io_thread.is_alive():
            result._client._io_loop.add_callback(begin)
        else:
            begin()

    def on_more(self, wake: Callable[[], None]) -> None:
        """Have `wake` called now and then when there is more."""
        self._wake = wake

    @property
    def are_heard(self) -> bool:
        """Whether it listens by now."""
        return self._listens.is_set()

    def take(self) -> tuple[list[Any], bytes]:
        """Return what is new: what was published, and what was printed."""
        with self._lock:
            for number, metadata in enumerate(self._metadata):
                if metadata["completed"] is not None:
                    self._take_metadata(number, metadata)
            if all(metadata["completed"] is not None for metadata in self._metadata):
                self._metadata = []
            messages, self._messages = self._messages, []
            output, self._output = self._output, []
            self._taken = time.monotonic()
        return messages, "".join(output).encode()

    # --- in the client's thread

    def begin(self, tasks: list[Any]) -> None:
        """Listen from now on, and take what was said before."""
        with self._lock:
            for number, task in enumerate(tasks):
                metadata = task.output.metadata
                self._take_metadata(number, metadata)
                task.iopub_callbacks.append(partial(_hear, weakref.ref(self), number, metadata))
                # The end of the output, which may come after the result.
                task.output.add_done_callback(partial(_ring, weakref.ref(self)))
        self._listens.set()

    def hear(self, number: int, metadata: Any, message: Any) -> None:
        """Take one message of a task."""
        content = message["content"]
        with self._lock:
            was_empty = not (self._messages or self._output)
            match message["header"]["msg_type"]:
                case "stream":
                    self._print(number, content["name"], metadata, content["text"])
                case "display_data":
                    self._display(number, metadata, content)
                case "data_message":
                    self._publish(number, metadata, {name: metadata["data"][name] for name in content["keys"]})
                case _:
                    return
            is_due = was_empty and time.monotonic() - self._taken > _RING
        if is_due:
            self._wake()

    def ring(self) -> None:
        """Tell that all was said."""
        self._wake()

    # --- with the lock held

    def _take_metadata(self, number: int, metadata: Any) -> None:
        for stream in ("stdout", "stderr"):
            self._print(number, stream, metadata, str(metadata[stream] or ""))
        for output in metadata["outputs"]:
            self._display(number, metadata, output)
        if metadata["data"]:
            self._publish(number, metadata, dict(metadata["data"]))

    def _publish(self, number: int, metadata: Any, data: dict[str, Any]) -> None:
        where = {"task": number, "engine": metadata["engine_id"]} if self._are_several else {}
        self._messages.append({**where, **data})

    def _display(self, number: int, metadata: Any, content: Any) -> None:
        picture = _picture(content["data"].get("image/png"))
        if picture is not None:
            self._messages.append(picture)
        text = str(content["data"].get("text/plain", ""))
        if text:
            self._print(number, "display", metadata, text if text.endswith("\n") else f"{text}\n")

    def _print(self, number: int, stream: str, metadata: Any, text: str) -> None:
        """Put text down; where several engines may print, each line says which one did."""
        if not text:
            return
        if not self._has_engines:
            self._output.append(text)
            return
        mark, before = f"[engine {metadata['engine_id']}] ", self._last[1]
        if before != "\n" and self._last[0] != f"{number} {stream}":
            # Another one's line is not finished yet.
            self._output.append("\n")
            before = "\n"
        lines = text.splitlines(keepends=True)
        if before not in "\r\n":
            self._output.append(lines.pop(0))
        self._output += [mark + line for line in lines]
        self._last = (f"{number} {stream}", text[-1])


def _picture(encoded: Any) -> Picture | None:
    """Return what was displayed as a picture, by the PNG file that it travels as; None where there is none."""
    if not isinstance(encoded, str):
        return None
    try:
        data = base64.b64decode(encoded)
    except ValueError:
        return None
    if len(data) < _PNG_HEADER.size:
        return None
    signature, width, height = _PNG_HEADER.unpack_from(data)
    return Picture(data, width, height) if signature == _PNG else None


# What tasks keep for as long as they live keeps nothing alive.


def _begin(here: weakref.ref[EngineWords], tasks: list[Any]) -> None:
    if (words := here()) is not None:
        words.begin(tasks)


def _hear(here: weakref.ref[EngineWords], number: int, metadata: Any, message: Any) -> None:
    if (words := here()) is not None:
        words.hear(number, metadata, message)


def _ring(here: weakref.ref[EngineWords], _: Any) -> None:
    if (words := here()) is not None:
        words.ring()

"""Real ipykernels for tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager


class Kernel:
    """A kernel in a process of its own.

    Parameters
    ----------
    home, folder : Path
        Its jobdeck home and its working directory.
    prefix : sequence of str
        What goes before its command, where that is run on another host: it then speaks by sockets in `folder`.
    environment : mapping of str to str, optional
        Its variables beside ``JOBDECK_HOME``; by default this process's.
    """

    def __init__(
        self,
        home: Path,
        folder: Path,
        *,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._manager = KernelManager(kernel_name="python3")
        if prefix:
            self._manager.transport, self._manager.ip = "ipc", str(folder / "kernel")
            self._manager.kernel_spec.argv[:1] = [*prefix, sys.executable]
        self._manager.start_kernel(env={**environment, "JOBDECK_HOME": str(home)}, cwd=str(folder))
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self) -> int:
        return self._manager.provisioner.pid

    def send(self, code: str) -> str:
        """Begin to run a cell."""
        return self.client.execute(code)

    def run(self, code: str, timeout: float = 60) -> str:
        """Run a cell and return all that it showed as text: output, results, errors."""
        return self.finish(self.send(code), timeout)

    def finish(self, request: str, timeout: float = 60) -> str:
        """Return what a cell showed, once it is done."""
        shown: list[str] = []
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                shown.append(content["text"])
            elif kind in ("execute_result", "display_data"):
                shown.append(content["data"].get("text/plain", "") + "\n")
            elif kind == "error":
                shown.append("\n".join(content["traceback"]) + "\n")
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(shown)

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash or an out-of-memory killer would."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._manager.context.destroy()


@contextmanager
def kernel(home: Path, folder: Path) -> Iterator[Any]:
    started = Kernel(home, folder)
    try:
        yield started
    finally:
        started.close()

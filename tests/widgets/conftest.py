"""A real ipykernel with jobdeck in it, in a home of its own, and what it sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import KernelManager

from jobdeck.engines.lock import AgentLock

WORK = """
import time
import jobdeck

def work(user_messenger, messages=5, pause=0.02, fail=False):
    for number in range(messages):
        user_messenger.publish({"number": number})
        time.sleep(pause)
    if fail:
        raise ValueError("<b>bad</b>")
    return "finished"
"""


class Kernel:
    """One kernel; `run` executes a cell and returns what the kernel sent until it was idle again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=os.environ | {"JOBDECK_HOME": str(home)})
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.messages: list[dict[str, Any]] = []

    def run(self, code: str, timeout: float = 60) -> list[dict[str, Any]]:
        request = self.client.execute(code)
        begin = len(self.messages)
        while True:
            message = self.hear(timeout)
            mine = message["parent_header"].get("msg_id") == request
            if mine and message["msg_type"] == "error":
                pytest.fail("\n".join(message["content"]["traceback"]))
            if mine and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return self.messages[begin:]

    def hear(self, timeout: float = 60) -> dict[str, Any]:
        message = self.client.get_iopub_msg(timeout=timeout)
        self.messages.append(message)
        return message

    def hear_until(self, wanted: Any) -> dict[str, Any]:
        """Return the first message, from those that came and those that come, that `wanted` is true of."""
        for message in self.messages:
            if wanted(message):
                return message
        while not wanted(message := self.hear()):
            pass
        return message

    def send(self, comm_id: str, data: dict[str, Any]) -> None:
        """Send what a widget manager in a browser would."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        self.client.shell_channel.send(message)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def stop_agent(home: Path) -> None:
    holder = AgentLock(home, "local").holder()
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    home = tmp_path_factory.mktemp("kernel") / "home"
    started = Kernel(home)
    started.run(WORK)
    yield started
    started.stop()
    stop_agent(home)


@pytest.fixture
def kernel(_started: Kernel) -> Kernel:
    """The module's kernel, with nothing heard, nothing shown and no job under way."""
    _started.run("for earlier in jobdeck.jobs(): earlier.wait_for_final_state(30)")
    _started.run("import ipywidgets\nipywidgets.Widget.close_all()")
    _started.messages.clear()
    return _started


@pytest.fixture
def agent_ends(home: Path) -> Iterator[None]:
    """For tests that start kernels of their own in `home`."""
    yield
    stop_agent(home)

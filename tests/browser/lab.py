"""A real JupyterLab server with directories of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from .processes import end, end_all_of

START_WITHIN = 60.0


def free_port() -> int:
    """A port that was free a moment ago; Jupyter takes the next one if somebody else was quicker."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Lab:
    """`jupyter lab` as a child process; nothing of the user's own Jupyter is read or written.

    Parameters
    ----------
    base
        An empty directory for all that the server keeps; `base/work` is its root, `base/home` jobdeck's home.
    options
        More command-line options.
    """

    def __init__(self, base: Path, options: Sequence[str] = ()) -> None:
        self.base = base
        self.root = base / "work"
        self.home = base / "home"
        self.token = os.urandom(12).hex()
        self._log = base / "server.log"
        self._environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(base / "config"),
            "JUPYTER_DATA_DIR": str(base / "data"),
            "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
            "IPYTHONDIR": str(base / "ipython"),
            "JOBDECK_HOME": str(self.home),
        }
        for name in ("work", "config", "data", "runtime", "ipython"):
            (base / name).mkdir(parents=True)
        self.write_settings(
            "@jupyterlab/apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}
        )
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={free_port()}", f"--ServerApp.root_dir={self.root}"),
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            # What starts Node: a search for language servers, and with each page the question whether to build Lab.
            "--LanguageServerManager.autodetect=False",
            "--ServerApp.tornado_settings={'page_config_data': {'buildCheck': False}}",
            *options,
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            self.url = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def get(self, path: str) -> Any:
        """The JSON that the server's REST API answers."""
        return json.loads(self._ask("GET", path))

    def delete(self, path: str) -> None:
        """Delete one of the server's resources, such as a session with its kernel."""
        self._ask("DELETE", path)

    def write_settings(self, plugin: str, settings: Mapping[str, Any]) -> None:
        """Set what a person has set of a plugin; pages that are opened from then on go by it."""
        path = self.base / "config" / "lab" / "user-settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    def log(self) -> str:
        """All that the server has printed."""
        return self._log.read_text(errors="replace")

    def kernel_process(self, kernel_id: str) -> psutil.Process:
        """The operating system's process behind a kernel id."""
        for process in psutil.Process(self._process.pid).children():
            if any(kernel_id in argument for argument in process.cmdline()):
                return process
        raise LookupError(f"no process for kernel {kernel_id}")

    def close(self) -> None:
        """End the server, its kernels, and the agents and jobs that outlive them by design."""
        end(self._process)
        end_all_of(self.home)

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, headers=headers, method=method), timeout=30
        ) as reply:
            return bytes(reply.read())

    def _wait_until_ready(self) -> str:
        deadline = time.monotonic() + START_WITHIN
        info = self.base / "runtime" / f"jpserver-{self._process.pid}.json"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"jupyter lab ended with exit code {self._process.returncode}:\n{self.log()}")
            try:
                self.url = str(json.loads(info.read_text())["url"])
                self.get("api/status")
                return self.url
            except (OSError, ValueError):  # not written yet, written in part, not listening yet
                time.sleep(0.05)
        raise TimeoutError(f"jupyter lab was not ready within {START_WITHIN:g} s:\n{self.log()}")

"""A real Jupyter server with the extension, in a home of its own."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobdeck.engines.lock import AgentLock

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"


@dataclass
class Answer:
    status: int
    text: str
    headers: Any = field(repr=False, default=None)

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Server:
    """One server process."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in ("config", "runtime", "data", "root"):
            (folder / name).mkdir(parents=True)
        # It enables itself by the file that the wheel brings.
        shutil.copytree(ROOT / "jupyter-config", folder / "config", dirs_exist_ok=True)
        environment = os.environ | {
            "JOBDECK_HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
        }
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
                    *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
                    *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder / 'root'}"),
                ],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def api(self) -> str:
        return f"{self.url}jobdeck/api/v1/"

    def ask(
        self, path: str, *, token: str | None = TOKEN, data: Any = None, opener: Any = None, **headers: str
    ) -> Answer:
        """Send a request; with `data`, a POST of JSON."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            headers["Authorization"] = f"token {token}"
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        request = urllib.request.Request(self.api + path, data=body, headers=headers)
        try:
            with (opener.open if opener else urllib.request.urlopen)(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(), error.headers)

    def log_in(self) -> tuple[Any, dict[str, str]]:
        """Return what a browser has after it was given the token once: an opener with cookies, and those cookies."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(f"{self.url}login?token={TOKEN}", timeout=30).close()
        return opener, {cookie.name: cookie.value or "" for cookie in jar}

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}api", timeout=5).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(self.log.read_text(encoding="utf-8"))
                time.sleep(0.05)
            else:
                return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    started = Server(folder, folder / "home")
    yield started
    started.stop()
    holder = AgentLock(started.home, "local").holder() if started.home.exists() else None
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)

"""A real Jupyter server with the extension, in a home of its own."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobdeck._program import pack
from jobdeck._records import JobQuery, NewJob
from jobdeck._status import Exit
from jobdeck.engines.lock import AgentLock
from jobdeck.store import SQLiteStore, open_store

from .contract import CONTRACT

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
OTHERS_OFF = dict.fromkeys(
    (
        *("ipyparallel", "jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim"),
        "voila.server_extension",
    ),
    False,
)
"""Other packages' extensions: to load them takes as long as all else that a server does to begin."""


@dataclass
class Answer:
    status: int
    text: str
    headers: Any = field(repr=False, default=None)

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Server:
    """One server process. Whatever it answers has to be as the OpenAPI document says.

    `configuration` is the text of a configuration file for it.
    """

    def __init__(self, folder: Path, home: Path, configuration: str = "") -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in ("config", "runtime", "data", "root"):
            (folder / name).mkdir(parents=True)
        # It enables itself by the file that the wheel brings.
        shutil.copytree(ROOT / "jupyter-config", folder / "config", dirs_exist_ok=True)
        configuration = f"c.ServerApp.jpserver_extensions = {OTHERS_OFF}\n{configuration}"
        (folder / "config" / "jupyter_server_config.py").write_text(configuration, "utf-8")
        environment = os.environ | {
            "JOBDECK_HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
        }
        self.runtime = folder / "runtime"
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
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
        self,
        path: str,
        *,
        method: str | None = None,
        token: str | None = TOKEN,
        data: Any = None,
        opener: Any = None,
        **headers: str,
    ) -> Answer:
        """Send a request; with `data`, a POST of JSON unless another method is given."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            headers["Authorization"] = f"token {token}"
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        request = urllib.request.Request(self.api + path, data=body, headers=headers, method=method)
        try:
            with (opener.open if opener else urllib.request.urlopen)(request, timeout=60) as given:
                answer = Answer(given.status, given.read().decode(), given.headers)
        except urllib.error.HTTPError as error:
            with error:
                answer = Answer(error.code, error.read().decode(), error.headers)
        assert CONTRACT.misfits(request.get_method(), path, body, answer) == []
        return answer

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


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """``serve(home, configuration="")`` starts a server that is not left behind."""
    started: list[Server] = []

    def start(home: Path, configuration: str = "") -> Server:
        started.append(Server(tmp_path / f"server-{len(started)}", home, configuration))
        return started[-1]

    yield start
    for each in started:
        each.process.send_signal(signal.SIGCONT)
        each.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    started = Server(folder, folder / "home")
    yield started
    started.stop()
    # Jobs that a test has run leave an agent behind.
    holder = AgentLock(started.home, "local").holder() if started.home.exists() else None
    if holder is not None:
        agent = psutil.Process(holder.pid)
        agent.terminate()
        agent.wait(30)


@contextmanager
def unchanged(store: SQLiteStore) -> Iterator[None]:
    """Hold that nothing in the store changes, once the jobs that were run before have ended."""
    under_way = JobQuery(engine="local", status=("QUEUED", "RUNNING"))
    deadline = time.monotonic() + 60
    while store.count(under_way):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    before = store.change_number()
    yield
    assert store.change_number() == before


@pytest.fixture
def store(server):
    """The store that the server serves, as another process has it."""
    opened = open_store(server.home)
    yield opened
    opened.close()


@pytest.fixture
def job_id(store):
    """A job that runs, for an agent that does not exist: nobody but the test changes it."""
    record = store.add_job(NewJob(name="<img src=x>", engine="test", program=b"", inputs=b"", context=b"{}"))
    store.claim("test", "agent", 10_000)  # those that other tests left wait before it
    return record.job_id


@pytest.fixture
def ended(store):
    """A job that has ended."""
    return add_ended(store)


def add_ended(store):
    """Add a job that has ended, with a message, output and an input; return its id."""
    packed = pack(_nothing, {"n": 4})
    record = store.add_job(
        NewJob(
            name="ended",
            engine="local",
            program=packed.program,
            inputs=packed.inputs,
            context=packed.context,
            inputs_preview=packed.inputs_preview,
            submitted=False,
        )
    )
    # Never queued, so that no agent takes it.
    store.set_status(record.job_id, "RUNNING")
    store.add_message(record.job_id, '{"energy": -1.5}')
    store.log_path(record.job_id).write_text("a line\n", "utf-8")
    store.finish({record.job_id: Exit(code=0)})
    return record.job_id


def _nothing(n):
    return n

"""Jobs that import a slow library are forked from a process that has it, where that is sound."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import qiskit  # noqa: F401 - what a kernel has imported decides

from jobdeck._program import Context, pack
from jobdeck._status import JobStatus
from jobdeck.engines.local.events import Ended
from jobdeck.engines.local.forking import Zygote
from jobdeck.engines.local.launcher import Parcel, Startup
from programs import Gate

from . import programs
from .conftest import Bench, until

PRELOAD = """
import sys
from jobdeck.engines.local.preloading import preload
print(preload(sys.argv[2:], [sys.argv[1], *sys.path]), *[name for name in sys.argv[2:] if name in sys.modules])
"""


def preloaded(folder: Path, *names: str) -> str:
    command = [sys.executable, "-c", PRELOAD, str(folder), *names]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder like the one that pip installs into."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def test_a_job_that_names_a_slow_library_is_forked_from_a_process_that_has_it(forking: Bench) -> None:
    with_it = forking.submit(programs.parents_libraries, names=["qiskit"])
    without = forking.submit(programs.parents_libraries, names=["other"])
    assert forking.end(with_it).status == forking.end(without).status == JobStatus.DONE
    assert forking.value(with_it) is True
    assert forking.value(without) is False


def test_a_job_is_stopped_while_the_process_that_it_is_to_be_forked_from_still_imports(
    forking: Bench, installed: Path
) -> None:
    gate = Gate(installed)
    (installed / "slow.py").write_text(
        f"import programs\nprograms.Gate(__import__('pathlib').Path({str(installed)!r})).wait()"
    )
    own = Startup.own()
    path = (str(installed), str(Path(programs.__file__).parents[1]), *sys.path)
    startup = Startup(own.interpreter, own.environment, ("slow",), path)
    zygote = Zygote.spawned(forking.home, startup, "local-test", sys.path)
    try:
        for job_id in ("stopped", "killed"):
            zygote.start(Parcel(job_id, str(installed / "output")))
        gate.reached()
        zygote.signal("stopped", signal.SIGINT)
        zygote.signal("killed", signal.SIGKILL)
        assert zygote.has_dropped
        ends = zygote.events()
        assert [(end.job_id, end.pid, end.signal) for end in ends if isinstance(end, Ended)] == [
            ("stopped", None, signal.SIGINT),
            ("killed", None, signal.SIGKILL),
        ]
        assert not zygote.has_dropped
        assert not zygote.jobs
    finally:
        gate.open()
        zygote.close()


def test_a_cancel_and_a_time_limit_are_heard_before_a_library_is_imported(forking: Bench) -> None:
    job = forking.submit(programs.parents_libraries, names=["qiskit"])
    late = forking.submit(programs.parents_libraries, names=["qiskit"], timeout=0.001)
    until(lambda: forking.store.job(job.job_id).status == JobStatus.RUNNING)
    forking.store.ask(job.job_id, "cancel", "test")
    stopped = forking.end(job)
    assert (stopped.status, stopped.pid) == (JobStatus.CANCELLED, None)
    assert forking.end(late).error_kind == "timeout"


def test_only_what_the_kernel_has_imported_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def libraries(names):
        return Context.from_bytes(pack(programs.parents_libraries, {"names": names}).context).libraries

    assert libraries(["qiskit"]) == ("qiskit",)
    assert libraries(["numpy"]) == ()
    monkeypatch.delitem(sys.modules, "qiskit")
    assert libraries(["qiskit"]) == ()


def test_jobs_that_share_it_have_random_numbers_of_their_own(forking: Bench) -> None:
    jobs = [forking.submit(programs.random_numbers, unused="qiskit") for _ in range(3)]
    drawn = [tuple(forking.value(forking.end(job))) for job in jobs]
    assert len({numbers[0] for numbers in drawn}) == 3
    assert len({numbers[1] for numbers in drawn}) == 3


def test_what_is_not_installed_but_being_worked_on_is_left_to_the_jobs(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    (installed / "theirs.py").write_text("")
    assert preloaded(tmp_path, "mine") == "True"
    assert preloaded(installed, "theirs") == "True theirs"


def test_a_library_that_cannot_be_imported_is_left_to_the_jobs(installed: Path) -> None:
    (installed / "broken.py").write_text("1 / 0")
    (installed / "sound.py").write_text("")
    assert preloaded(installed, "broken", "absent", "sound") == "True sound"


def test_a_file_on_a_kernels_path_takes_no_place_in_the_process_that_imports_libraries(
    forking: Bench, installed: Path
) -> None:
    (installed / "sound.py").write_text("")
    for name in ("json", "logging", "sqlite3"):
        (installed / f"{name}.py").write_text("raise ImportError('of the user')")
    own = Startup.own()
    startup = Startup(own.interpreter, own.environment, ("sound",), (str(installed), *sys.path))
    zygote = Zygote.spawned(forking.home, startup, "local-test", sys.path)
    try:
        until(lambda: zygote.events() == [] and zygote._held is None)
    finally:
        zygote.close()


def test_jobs_are_not_forked_from_a_process_in_which_a_library_left_a_thread(forking: Bench, installed: Path) -> None:
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    (installed / "threaded.py").write_text(source)
    assert preloaded(installed, "threaded") == "False threaded"
    own = Startup.own()
    startup = Startup(own.interpreter, own.environment, ("threaded",), (str(installed), *sys.path))
    zygote = Zygote.spawned(forking.home, startup, "local-test", sys.path)
    try:
        process = psutil.Process(zygote._pid)
        until(lambda: "--libraries" not in process.cmdline() and process.num_threads() == 1)
    finally:
        zygote.close()

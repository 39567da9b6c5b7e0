"""Jobs outlive the kernel that started them, and a kernel that waits for one can be interrupted."""

from __future__ import annotations

from pathlib import Path

from decks import ended, wait_until
from jobdeck import Deck
from kernels import kernel
from programs import Gate

COUNT = """
import jobdeck, time, os
def count(number, folder, user_messenger):
    for i in range(number):
        user_messenger.publish(i)
        if i == number // 2:
            open(os.path.join(folder, "here"), "w").close()
            while not os.path.exists(os.path.join(folder, "open")):
                time.sleep(0.005)
    return number
jobs = [jobdeck.run(count, inputs={"number": 400, "folder": FOLDER}, name=f"count {i}") for i in range(2)]
"""


def test_jobs_outlive_a_killed_kernel_with_nothing_missing(deck: Deck, gate: Gate, tmp_path: Path):
    with kernel(deck.home, tmp_path) as first:
        assert first.run(COUNT.replace("FOLDER", repr(str(tmp_path)))) == ""
        gate.reached()
        first.kill()
        wait_until(lambda: not _alive(first.pid))
    with kernel(deck.home, tmp_path) as second:
        said = second.run("import jobdeck; jobs = jobdeck.jobs(); print([(j.name, str(j.status())) for j in jobs])")
        assert said == "[('count 1', 'RUNNING'), ('count 0', 'RUNNING')]\n"
        gate.open()
        said = second.run("print([(j.result(30), j.interim_results() == list(range(400))) for j in jobs])")
        assert said == "[(400, True), (400, True)]\n"


def test_interrupting_a_cell_that_waits_leaves_the_job_running(deck: Deck, gate: Gate, tmp_path: Path):
    with kernel(deck.home, tmp_path) as notebook:
        notebook.run(COUNT.replace("FOLDER", repr(str(tmp_path))).replace("range(2)", "range(1)"))
        gate.reached()
        for call in ("jobs[0].result()", "jobs[0].wait_for_final_state()"):
            # The program says that it waits, so that the interrupt cannot come too early.
            request = notebook.send(f"print('waiting', flush=True); {call}")
            message = {}
            while message.get("msg_type") != "stream":
                message = notebook.client.get_iopub_msg(timeout=30)
            notebook.interrupt()
            assert "KeyboardInterrupt" in notebook.finish(request, timeout=10)
            assert notebook.run("print(jobs[0].running())") == "True\n"
        gate.open()
        assert notebook.run("print(jobs[0].result(30))") == "400\n"
    assert ended(deck.jobs()[0]).done()


def _alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

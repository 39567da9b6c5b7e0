"""A cluster that a batch system starts: dask-jobqueue's own code, and stand-ins for the system's commands."""

from __future__ import annotations

import importlib
import os
import signal
import stat
import sys
import time

import cloudpickle
import pytest

from .conftest import until

# Workers do not have the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

SBATCH = """#!/bin/bash
# As the system does, it keeps the script, which is gone when this has returned.
cp "${@: -1}" "$0.script"
setsid bash "$0.script" > "$0.log" 2>&1 < /dev/null &
echo $! > "$0.pid"
echo "Submitted batch job 101"
"""

SCANCEL = """#!/bin/bash
kill -TERM -- -"$(cat "${0%/*}/sbatch.pid")"
"""


@pytest.fixture
def batch_system(tmp_path, monkeypatch):
    """Commands of Slurm that run one batch job at once, on this machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(stat.S_IRWXU)
    # Imported, it takes the interrupt of its process for itself.
    interrupt = signal.getsignal(signal.SIGINT)
    importlib.import_module("dask_jobqueue")
    signal.signal(signal.SIGINT, interrupt)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def count(user_messenger):
    for i in range(3):
        user_messenger.publish(i)
    return os.environ["JOBDECK_BATCH"]


def sleep(user_messenger):
    user_messenger.publish("asleep")
    time.sleep(600)


def test_jobs_run_and_are_cancelled_where_slurm_starts_the_workers(batch_system, make_deck, tmp_path):
    from dask_jobqueue import SLURMCluster

    with SLURMCluster(
        queue="normal",
        account="ACCOUNT",
        cores=2,
        processes=1,
        memory="1GB",
        walltime="02:00:00",
        interface="lo",
        local_directory=str(tmp_path),
        worker_extra_args=["--lifetime", "110m", "--lifetime-stagger", "5m", "--no-dashboard"],
        job_script_prologue=["export JOBDECK_BATCH=yes"],
        scheduler_options={"dashboard_address": ":0"},
    ) as slurm:
        slurm.scale(jobs=1)
        deck = make_deck(slurm)
        job = deck.run(count)
        assert job.result(timeout=60) == "yes"
        assert job.interim_results() == [0, 1, 2]
        asleep = deck.run(sleep)
        until(asleep.interim_results)
        asleep.cancel()
        asleep.wait_for_final_state(timeout=30)
        assert asleep.status() == "CANCELLED"
    assert "#SBATCH -p normal" in (batch_system / "sbatch.script").read_text()

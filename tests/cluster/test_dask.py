"""Jobs on a Dask cluster: the same as on one's own machine, and they outlive whoever started them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import psutil
import pytest
from distributed import Client

from jobdeck import EngineError, InvalidInputError, JobStatus, RuntimeJobFailureError
from jobdeck.engines.dask.cluster import Cluster as AgentsCluster

from .conftest import agent_pid, end, until

# Workers do not have the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def wait_for_file(path, user_messenger):
    user_messenger.publish("begun")
    while not Path(path).exists():
        time.sleep(0.01)
    for i in range(100):
        user_messenger.publish(i)
    return "went on"


def never_end(user_messenger):
    import subprocess

    child = subprocess.Popen(["sleep", "600"])
    user_messenger.publish(child.pid)
    while True:
        time.sleep(0.01)


def wait_for_ever(path, user_messenger):
    with open(path, "a") as file:
        file.write("begun\n")
    user_messenger.publish("begun")
    while Path(path).read_text().count("\n") < 2:
        time.sleep(0.01)
    return "second"


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def begun(job):
    return until(lambda: job.interim_results() or job.in_final_state() or None)


def test_more_messages_than_the_scheduler_remembers_and_larger_ones_come_whole_and_in_order(cluster, make_deck):
    def flood(user_messenger):
        for i in range(500):
            user_messenger.publish(i)
        user_messenger.publish("x" * 300_000)
        print("y" * 300_000)
        user_messenger.publish("last")

    job = make_deck(cluster.engine).run(flood)
    assert job.result(timeout=60) is None
    assert job.interim_results() == [*range(500), "x" * 300_000, "last"]
    assert job.logs() == "y" * 300_000 + "\n"


def test_programs_too_large_for_a_message_of_the_scheduler_are_not_mixed_up(cluster, make_deck):
    jobs = [make_deck(cluster.engine).submit(bytes.count, bytes([i]) * 1_500_000, bytes([i])) for i in range(3)]
    assert [job.result(timeout=60) for job in jobs] == [1_500_000] * 3


def test_jobs_that_are_over_leave_nothing_with_the_scheduler_and_the_workers(cluster, make_deck):
    from distributed import Client

    def kept(home, dask_scheduler):
        tasks = [key for key in dask_scheduler.tasks if home in str(key)]
        return {
            "tasks": len(tasks),
            "kinds": len(dask_scheduler.task_prefixes),
            "clients": len([name for name in dask_scheduler.clients if not name.startswith("Client-worker")]),
            "datasets": len([name for name in dask_scheduler.extensions["publish"].datasets if home in str(name)]),
        }

    def jobs_there(home):
        from jobdeck._records import JobQuery
        from jobdeck._worker import Station

        return [job.job_id for job in Station.here().service.store.jobs(JobQuery()) if job.job_id.startswith(home)]

    deck = make_deck(cluster.engine)
    assert deck.map(abs, range(-4, 0)).results(timeout=60) == [4, 3, 2, 1]
    home = deck.jobs(limit=1)[0].job_id().partition("-")[0]
    with Client(cluster.address, set_as_default=False) as client:
        before = until(lambda: (now := client.run_on_scheduler(kept, home))["tasks"] == 0 and now)
        assert deck.map(abs, range(-40, 0)).results(timeout=60) == list(range(40, 0, -1))
        # Clients of earlier tests may still go.
        until(lambda: all(now <= before[what] for what, now in client.run_on_scheduler(kept, home).items()))
        until(lambda: not any(client.run(jobs_there, home).values()))


def test_a_running_job_is_stopped_with_all_that_it_started(cluster, make_deck):
    job = make_deck(cluster.engine).run(never_end)
    (pid,) = begun(job)
    job.cancel()
    job.wait_for_final_state(timeout=20)
    assert job.status() == JobStatus.CANCELLED
    until(lambda: is_gone(pid))


def test_resources_lead_to_the_worker_that_has_them_and_a_retry_keeps_them(cluster, make_deck):
    def where():
        import os

        return os.getppid()

    deck = make_deck(cluster.engine)
    first = deck.run(where, options={"dask": {"resources": {"QPU": 1}, "priority": 5}})
    assert first.metadata == {"dask": {"resources": {"QPU": 1}, "priority": 5}}
    assert first.retry().metadata == first.metadata
    assert first.result(timeout=60)


def test_an_option_that_dask_does_not_have_is_named(cluster, make_deck):
    deck = make_deck(cluster.engine)
    with pytest.raises(InvalidInputError, match=r"'gpus' for Dask; there are: .*resources"):
        deck.run(dict, options={"dask": {"gpus": 1}})
    with pytest.raises(InvalidInputError, match=r"'resources' for Dask is a dict of numbers"):
        deck.map(abs, [1, 2], options={"dask": {"resources": "GPU"}})
    assert deck.jobs() == []


def test_a_worker_on_a_host_that_nobody_knows_is_told_by_its_option(cluster, make_deck):
    job = make_deck(cluster.engine).run(dict, options={"dask": {"workers": "nowhere.invalid:1"}})
    job.wait_for_final_state(timeout=60)
    assert "no host of the name that the option 'workers' has" in job.error_message()


def test_the_agent_is_killed_while_jobs_run_and_nothing_is_lost_or_twice(cluster, make_deck, tmp_path):
    deck = make_deck(cluster.engine)
    go = tmp_path / "go"
    jobs = [deck.run(wait_for_file, inputs={"path": str(go)}) for _ in range(3)]
    for job in jobs:
        begun(job)
    end(agent_pid(deck.home, deck.engine))
    go.touch()
    for job in jobs:
        assert job.result(timeout=60) == "went on"
        assert job.interim_results() == ["begun", *range(100)]


def test_what_ended_while_no_agent_was_there_is_taken_up_by_the_next(cluster, make_deck, tmp_path):
    deck = make_deck(cluster.engine)
    go = tmp_path / "go"
    job = deck.run(wait_for_file, inputs={"path": str(go)})
    begun(job)
    deck.close()
    end(agent_pid(deck.home, deck.engine))
    go.touch()
    time.sleep(1.0)  # there is nobody who could tell of the end
    again = make_deck(cluster.engine).job(job.job_id())
    assert again.result(timeout=60) == "went on"
    assert again.interim_results() == ["begun", *range(100)]


def test_the_last_worker_dies_and_its_jobs_say_so_or_can_be_cancelled(own_cluster, make_deck):
    worker = own_cluster.add_worker()
    deck = make_deck(own_cluster.engine)
    job, may_repeat = (deck.run(never_end, options={"dask": {"retries": retries}}) for retries in (0, 1))
    begun(job)
    begun(may_repeat)
    worker.kill()
    job.wait_for_final_state(timeout=60)
    assert job.status() == JobStatus.ERROR
    assert "died while it ran there; retry() runs it again" in job.error_message()
    assert len(job.interim_results()) == 1
    may_repeat.cancel()
    may_repeat.wait_for_final_state(timeout=60)
    assert may_repeat.status() == JobStatus.CANCELLED


def test_a_worker_dies_and_a_job_that_may_be_retried_runs_again(own_cluster, make_deck, tmp_path):
    worker = own_cluster.add_worker()
    deck = make_deck(own_cluster.engine)
    job = deck.run(wait_for_ever, inputs={"path": str(tmp_path / "mark")}, options={"dask": {"retries": 2}})
    begun(job)
    worker.kill()
    own_cluster.add_worker()
    assert job.result(timeout=60) == "second"
    assert job.interim_results() == ["begun", "begun"]


def test_a_workers_jobs_die_with_it(own_cluster, make_deck):
    worker = own_cluster.add_worker()
    job = make_deck(own_cluster.engine).run(never_end)
    (pid,) = begun(job)
    worker.kill()
    until(lambda: is_gone(pid))


def test_a_worker_that_is_retired_ends_its_jobs_and_says_so(own_cluster, make_deck):
    worker = own_cluster.add_worker()
    job = make_deck(own_cluster.engine).run(never_end)
    (pid,) = begun(job)
    with Client(own_cluster.address) as client:
        client.retire_workers(list(client.scheduler_info()["workers"]), close_workers=True)
    worker.wait(30)
    until(lambda: is_gone(pid))
    job.wait_for_final_state(timeout=60)
    assert job.status() == JobStatus.ERROR
    assert "died while it ran there; retry() runs it again" in job.error_message()


def test_a_job_takes_up_no_thread_of_its_worker(cluster, make_deck):
    job = make_deck(cluster.engine).run(never_end)
    begun(job)
    with Client(cluster.address) as client:
        busy = client.run(lambda dask_worker: list(dask_worker.active_threads.values()))
        processing = client.processing()
    assert not any(busy.values())
    assert sum(map(len, processing.values())) == 1
    job.cancel()
    job.wait_for_final_state(timeout=60)


def test_the_scheduler_dies_and_the_jobs_say_so(own_cluster, make_deck):
    own_cluster.add_worker()
    deck = make_deck(own_cluster.engine)
    running = deck.run(never_end)
    begun(running)
    own_cluster.scheduler.send_signal(signal.SIGKILL)
    running.wait_for_final_state(timeout=60)
    assert running.status() == JobStatus.ERROR
    assert "cannot be reached (Timed out trying to connect" in running.error_message()


def test_a_worker_without_jobdeck_or_with_another_one_says_what_to_install(own_cluster, make_deck, tmp_path):
    bare, old = tmp_path / "bare", tmp_path / "old"
    (bare / "jobdeck").mkdir(parents=True)
    (bare / "jobdeck" / "__init__.py").write_text("raise ImportError('not here')")
    old.mkdir()
    (old / "sitecustomize.py").write_text("import jobdeck._version\njobdeck._version.__version__ = '0.0.1'\n")
    path = os.pathsep.join(["", *filter(None, [os.environ.get("PYTHONPATH")])])
    own_cluster.add_worker("--name", "bare", PYTHONPATH=f"{bare}{path}")
    own_cluster.add_worker("--name", "old", PYTHONPATH=f"{old}{path}")
    # The name of a worker that is not there yet means, to Dask, its whole host.
    with Client(own_cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    deck = make_deck(own_cluster.engine)
    for name, words in (
        ("bare", r"jobdeck \d+\.\d+\.\d+ is not installed on this worker \(Python 3"),
        ("old", r"this worker has jobdeck 0\.0\.1, the agent has \d+\.\d+\.\d+; install the same on both"),
    ):
        with pytest.raises(RuntimeJobFailureError, match=words):
            deck.run(print, options={"dask": {"workers": name}}).result(timeout=60)


def test_without_dask_here_the_engine_says_what_to_install(make_deck, monkeypatch):
    deck = make_deck("local")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"'dask://nowhere:1' needs Dask: pip install 'jobdeck\[dask\]'"):
        deck.run(print, engine="dask://nowhere:1")


def test_what_names_no_scheduler_is_refused_before_anything_is_queued(make_deck, tmp_path):
    for wrong in ("dask://", "dask://host", "dask://host:port", "slurm"):
        with pytest.raises(EngineError, match=r"dask://HOST:PORT"):
            make_deck(wrong)
    deck = make_deck("local")
    with pytest.raises(EngineError, match="Dask client or cluster, not int"):
        deck.run(print, engine=3)
    with pytest.raises(InvalidInputError, match="no option 'dusk'"):
        deck.run(print, options={"dusk": {}})
    assert deck.jobs() == []


def test_an_agent_hears_what_comes_also_after_a_signal_that_took_long(cluster):
    agents = AgentsCluster(cluster.address, "nobody", None)
    before = signal.signal(signal.SIGUSR1, lambda *_: time.sleep(0.3))
    guard = threading.Timer(10, agents.events.put, [("too late", None, None)])
    guard.start()
    try:
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        assert list(agents.next_events(0.1)) == []
    finally:
        signal.signal(signal.SIGUSR1, before)
        guard.cancel()
        agents.close()


def test_certificates_of_a_cluster_let_the_agent_in_and_are_kept_from_others(make_deck):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", security=True, protocol="tls"
    ) as safe:
        deck = make_deck(safe)
        assert deck.engine.startswith("dask+tls://127.0.0.1:")
        assert deck.submit(abs, -5).result(timeout=60) == 5
        kept_there = deck.run(lambda: "x" * 100, options={"dask": {"result_limit": 99}})
        assert kept_there.result(timeout=60) == "x" * 100
        assert kept_there.facts["result"] == "102 bytes, kept in the cluster"
        (kept,) = (deck.home / "agents").glob("*.security")
        assert kept.stat().st_mode & 0o777 == 0o600


def test_a_client_or_a_cluster_stands_for_its_engine(cluster, make_deck):
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        job = make_deck("local").submit(abs, -3)
        assert job.engine == "local"
        on_dask = make_deck(client).submit(abs, -4)
        assert on_dask.engine == cluster.engine
        assert on_dask.result(timeout=60) == 4


def test_the_homes_setting_sends_jobs_maps_and_executors_there(cluster, make_deck):
    from jobdeck import JobExecutor

    deck = make_deck(None)
    deck.settings["engine"] = cluster.engine
    deck = make_deck(None)  # its agent is ended with the test
    jobs = [deck.submit(abs, -4), *deck.map(abs, [-5])]
    with JobExecutor(home=deck.home) as executor:
        jobs.append(executor.submit(abs, -6).job)
    assert {job.engine for job in jobs} == {cluster.engine}
    assert [job.result(timeout=60) for job in jobs] == [4, 5, 6]

"""The contract: what has ended is removed by age and by number, with all that it left, and nothing else is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jobdeck._errors import StoreError
from jobdeck._ports import Store
from jobdeck._records import JobQuery, NewJob, Outcome, Payload, Pruned
from jobdeck._status import Exit
from jobdeck.store.migrations import MIGRATIONS

from .conftest import new_job, running

DAY = 86_400.0


def _ended(store: Store, **fields: object) -> str:
    job = running(store, **fields)
    store.add_message(job.job_id, '"12345678"')
    store.log_path(job.job_id).write_bytes(b"x" * 100)
    store.set_outcome(job.job_id, Outcome(True, "json", job.job_id.encode()))
    store.finish({job.job_id: Exit(code=0)})
    return job.job_id


def _ids(store: Store) -> list[str]:
    return [job.job_id for job in store.jobs(JobQuery(descending=False))]


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_only_the_newest_that_have_ended_are_kept_and_all_that_have_not(any_store):
    waiting = any_store.add_job(new_job(submitted=False)).job_id
    under_way = running(any_store).job_id
    ended = [_ended(any_store, inputs=str(number).encode() * 50) for number in range(5)]
    each = 10 + 100 + 19 + 50
    would = any_store.prune(None, 2, dry_run=True)
    assert would == Pruned(jobs=3, bytes=3 * each)
    assert _ids(any_store) == [waiting, under_way, *ended]
    number = any_store.change_number()
    assert any_store.prune(None, 2) == would
    assert _ids(any_store) == [waiting, under_way, *ended[3:]]
    assert set(any_store.changes(number).deleted) == {*ended[:3]}
    assert sorted(path.stem for path in (any_store.home / "output").iterdir()) == sorted(ended[3:])
    assert any_store.payload(under_way).program == b"a program"
    assert any_store.messages(ended[4])[0].body == '"12345678"'
    assert any_store.prune(None, 2) == Pruned(0, 0)


def test_age_counts_from_the_end(any_store, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 10 * DAY)
    old, slow = _ended(any_store), running(any_store)
    monkeypatch.setattr(time, "time", lambda: now - 2 * DAY)
    any_store.finish({slow.job_id: Exit(code=0)})
    monkeypatch.setattr(time, "time", lambda: now)
    new = _ended(any_store)
    assert any_store.prune(None, None) == Pruned(0, 0)
    assert any_store.prune(5 * DAY, None).jobs == 1
    assert _ids(any_store) == [slow.job_id, new]
    assert any_store.prune(1 * DAY, 5).jobs == 1
    assert _ids(any_store) == [new]
    assert any_store.prune(0, None).jobs in (0, 1)
    assert old not in _ids(any_store)


def test_large_bodies_go_with_the_last_job_that_has_them(any_store):
    large = bytes(3_000_000)
    first, second = (_ended(any_store, inputs=large) for _ in range(2))
    blobs = any_store.home / "blobs"
    shared = any_store.prune(None, 1, dry_run=True)
    assert shared.bytes < 1000
    any_store.prune(None, 1)
    assert len(list(blobs.iterdir())) == 1
    assert any_store.payload(second).inputs == large
    assert any_store.prune(None, 0).bytes > 3_000_000
    assert not list(blobs.iterdir())
    assert first not in _ids(any_store)


def test_a_program_keeps_its_body_when_the_jobs_that_ran_it_go(any_store):
    large = bytes(3_000_000)
    program_id = any_store.put_program(large, {})
    _ended(any_store, program=large)
    assert any_store.prune(None, 0).bytes < 1000
    assert any_store.program(program_id).data == large


def test_jobs_of_the_same_program_and_context_share_them(any_store):
    program, context = os.urandom(20_000), os.urandom(20_000)
    jobs = [any_store.add_job(NewJob("n", "local", program, f"{number}".encode(), context)) for number in range(300)]
    assert any_store.payload(jobs[-1].job_id) == Payload(program, b"299", context)
    path = any_store.home / "jobdeck.db"
    any_store.close()
    assert path.stat().st_size < 1_000_000


def test_pruning_gives_the_room_back(any_store):
    for _ in range(20):
        job = running(any_store)
        any_store.add_message(job.job_id, '"' + "x" * 500_000 + '"')
        any_store.finish({job.job_id: Exit(code=0)})
    assert any_store.prune(None, 0).bytes > 10_000_000
    path = any_store.home / "jobdeck.db"
    any_store.close()
    assert path.stat().st_size < 1_000_000


def test_files_that_a_killed_process_left_are_swept_and_those_of_others_are_not(any_store):
    home = any_store.home
    kept = _ended(any_store)
    orphan_log = home / "output" / f"{any_store.store_id}-{'a' * 12}.log"
    foreign_log = home / "output" / "aaaaaa-aaaaaaaaaaaa.log"
    orphan_blob = home / "blobs" / ("0" * 64)
    half_blob = home / "blobs" / f".{'0' * 64}.abcd"
    fresh_blob = home / "blobs" / ("1" * 64)
    older_blob = home / "blobs" / ("2" * 64)
    for path in (orphan_log, foreign_log, orphan_blob, half_blob, fresh_blob, older_blob):
        path.write_bytes(b"x")
    begun = any_store._db.run(lambda link: link.execute("UPDATE migrations SET applied = applied - 9e5").rowcount)
    assert begun == len(MIGRATIONS)
    for path in (orphan_log, foreign_log, orphan_blob, half_blob):
        _age(path, 7_200)
    _age(older_blob, 2e6)
    any_store.prune(None, None)
    assert not any(path.exists() for path in (orphan_log, orphan_blob, half_blob))
    assert foreign_log.exists()
    assert fresh_blob.exists(), "its row may not be committed yet"
    assert older_blob.exists(), "it belongs to a store that was set aside"
    assert any_store.log_path(kept).exists()


def test_settings_say_what_goes_by_itself(any_store, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 91 * DAY)
    old = _ended(any_store)
    monkeypatch.setattr(time, "time", lambda: now)
    newer = [_ended(any_store) for _ in range(3)]
    any_store.set_setting("keep_days", "off")
    any_store.set_setting("keep_jobs", "off")
    assert any_store.prune_by_settings().jobs == 0
    any_store.set_setting("keep_days", None)
    assert any_store.prune_by_settings().jobs == 1
    assert _ids(any_store) == newer
    any_store.set_setting("keep_jobs", "1")
    assert any_store.prune_by_settings().jobs == 2
    assert any_store.describe()["retention"] == {"keep_days": "90", "keep_jobs": "1"}
    any_store.set_setting("keep_jobs", "many")
    with pytest.raises(StoreError, match="keep_jobs is 'many'"):
        any_store.prune_by_settings()
    assert old not in _ids(any_store)
    assert _ids(any_store) == newer[2:]


@pytest.mark.parametrize("value", ["-1", "nan", ""])
def test_a_limit_that_is_no_number_removes_nothing(any_store, value):
    _ended(any_store)
    any_store.set_setting("keep_jobs", value)
    if value == "":
        assert any_store.prune_by_settings().jobs == 0
    else:
        with pytest.raises(StoreError, match="keep_jobs"):
            any_store.prune_by_settings()
    assert any_store.count(JobQuery()) == 1


def test_a_store_describes_itself(any_store):
    _ended(any_store)
    any_store.add_job(new_job())
    told = any_store.describe()
    assert told["home"] == str(any_store.home)
    assert told["store_id"] == any_store.store_id
    assert told["jobs"] == {"DONE": 1, "QUEUED": 1}
    assert told["messages"] == 1
    assert told["journal_mode"] in ("wal", "truncate")
    assert told["file_system"] in ("ext4", "nfs4")
    assert told["sizes"]["output"] == 100
    assert told["damaged"] == []

"""The contract: named programs, and bodies that are stored once."""

from __future__ import annotations

import pytest

from jobdeck._errors import InvalidInputError, JobNotFoundError
from jobdeck._records import Payload

from .conftest import new_job


def test_a_program_is_kept_under_a_new_id_until_it_is_deleted(any_store):
    first = any_store.put_program(b"one", {"name": "One", "n": [1]})
    second = any_store.put_program(b"two", {})
    assert first != second
    one = any_store.program(first)
    assert (one.program_id, one.data, one.metadata) == (first, b"one", {"name": "One", "n": [1]})
    assert one.created == one.updated
    assert [program.program_id for program in any_store.programs()] == [first, second]
    any_store.delete_program(first)
    assert [program.program_id for program in any_store.programs()] == [second]
    for call in (any_store.program, any_store.delete_program):
        with pytest.raises(JobNotFoundError, match=r"there is no program .*jobdeck\.programs\(\)"):
            call(first)


def test_a_program_that_is_put_again_under_its_id_is_replaced(any_store):
    program_id = any_store.put_program(b"old", {"v": 1})
    created = any_store.program(program_id).created
    assert any_store.put_program(b"new", {"v": 2}, program_id) == program_id
    program = any_store.program(program_id)
    assert (program.data, program.metadata, program.created) == (b"new", {"v": 2}, created)
    assert program.updated >= created
    assert len(any_store.programs()) == 1
    assert any_store.put_program(b"new", {"v": 3}, program_id) == program_id
    assert any_store.program(program_id).data == b"new"
    with pytest.raises(InvalidInputError, match="metadata"):
        any_store.put_program(b"newer", {"v": {1}}, program_id)
    assert any_store.program(program_id).data == b"new"


def test_a_body_lives_as_long_as_something_refers_to_it(any_store):
    large = bytes(range(256)) * 8192
    blobs = any_store.home / "blobs"
    program_id = any_store.put_program(large, {})
    jobs = [any_store.add_job(new_job(program=large, inputs=large)) for _ in range(3)]
    assert len(list(blobs.iterdir())) == 1
    any_store.delete_program(program_id)
    for job in jobs:
        assert any_store.payload(job.job_id) == Payload(large, large, b"{}")
        any_store.delete_job(job.job_id)
    assert not list(blobs.iterdir())
    again = any_store.add_job(new_job(program=large))
    assert any_store.payload(again.job_id).program == large

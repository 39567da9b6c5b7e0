"""A group of jobs: waited for, read, stopped and run again as one."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pandas
import pytest

from jobdeck import (
    InvalidInputError,
    JobError,
    JobNotFoundError,
    JobStatus,
    Progress,
    RuntimeJobFailureError,
    _presenting,
)
from programs import area, double, echo, half, make_unopenable

DONE, ERROR, CANCELLED, QUEUED = JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.QUEUED


def test_a_job_that_fails_keeps_no_other_from_its_end_and_is_named_with_its_reason(shared):
    group = shared.map(half, [0, 1, 2, 3, 4])
    with pytest.raises(RuntimeJobFailureError) as failure:
        group.results(30)
    words = f"of the 5 jobs of group 'half' ({group.group_id}), 2 failed; the first that failed is 'half[1]' ("
    assert str(failure.value).startswith(words)
    assert "ValueError: 1 is odd; results(partial=True) has None in their places, retry_failed()" in str(failure.value)
    assert "raise ValueError" in failure.value.remote_traceback
    assert isinstance(failure.value.__cause__, ValueError)
    assert group.statuses() == [DONE, ERROR, DONE, ERROR, DONE]
    assert group.results(partial=True) == [0, None, 1, None, 2]
    assert group.progress == Progress(5, 5, "2 error")


def test_a_job_that_is_run_again_takes_its_predecessors_place(shared, tmp_path):
    here = tmp_path / "here"
    group = shared.map(half, [0, 1, 2, 3], inputs={"here": str(here)})
    group.wait(30)
    failed = group.jobs()[1].job_id()
    here.touch()
    report = group.retry_failed()
    assert report.counts == {"retried": 2}
    assert group.results(30) == [0, 0, 1, 1]
    assert len(group) == 4
    assert group[1].job_id() == report.made[failed]
    assert group[1].retry_of == failed
    assert group.retry_failed().counts == {}


def test_whatever_way_a_job_is_run_again_it_stands_in_its_place_even_if_the_first_run_is_deleted(shared, tmp_path):
    group = shared.map(half, [1, 2])
    group.wait(30)
    first = group[0]
    again = first.retry(number=6)
    assert group.results(30) == [3, 1]
    shared.delete_job(first.job_id())
    assert group.results(30) == [3, 1]
    assert group[0] == again


def test_a_frame_has_inputs_status_and_results_and_waits_for_nothing(shared):
    group = shared.map(half, [{"number": 4}, {"number": 1, "here": "nowhere"}])
    group.wait(30)
    frame = group.to_frame()
    assert list(frame.columns) == ["number", "here", "status", "result"]
    assert list(frame.index) == [job.job_id() for job in group]
    assert frame["number"].tolist() == [4, 1]
    assert frame["status"].tolist() == ["DONE", "ERROR"]
    assert frame["result"].tolist()[0] == 2
    assert pandas.isna(frame["result"].tolist()[1])


def test_inputs_that_are_called_like_the_frames_own_columns_have_a_name_that_says_so(shared):
    group = shared.map(echo, [{"status": 1, "result": 2}])
    group.wait(30)
    frame = group.to_frame()
    assert list(frame.columns) == ["input.status", "input.result", "status", "result"]
    assert frame.iloc[0].tolist() == [1, 2, "DONE", [1, 2]]


def test_without_pandas_a_frame_is_refused_in_words(shared, monkeypatch):
    group = shared.map(double, [1])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidInputError, match="pip install pandas"):
        group.to_frame()


def test_tags_of_a_group_are_tags_of_its_jobs(shared):
    group = shared.map(double, [1, 2], tags=["a", "b"])
    group[0].update_tags(additional_tags=["own"])
    assert group.update_tags(additional_tags=["c"], removal_tags=["a"]) == ["b", "c"]
    assert group.tags == ["b", "c"]
    assert [job.tags for job in group] == [["b", "own", "c"], ["b", "c"]]
    assert group.update_tags(replacement_tags=[]) == []
    assert [job.tags for job in group] == [["own"], []]
    with pytest.raises(InvalidInputError, match="update_tags: give"):
        group.update_tags()


def test_a_group_takes_another_name_for_every_handle(shared):
    group = shared.map(double, [1])
    other = shared.group(group.group_id)
    group.update_name("twice")
    assert other.name == "twice"
    assert group[0].name == "double[0]"
    with pytest.raises(InvalidInputError, match="a group's name is a text that is not empty"):
        group.update_name(" ")


def test_handles_of_one_group_are_equal_in_any_kernel(shared):
    group = shared.map(area, [1])
    assert {group, shared.group(group.group_id)} == {group}
    assert group != group.group_id
    program = (
        "import pickle, sys\n"
        "group = pickle.loads(sys.stdin.buffer.read())\n"
        "print(group.results(30), group == pickle.loads(pickle.dumps(group)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(group), capture_output=True, check=True, timeout=60
    )
    assert said.stdout.decode().split() == ["[2]", "True"]


def test_a_group_is_a_sequence_of_its_jobs(shared):
    group = shared.map(double, [1, 2, 3])
    assert len(group) == 3
    assert [job.name for job in group] == ["double[0]", "double[1]", "double[2]"]
    assert group[-1] == group.jobs()[2]
    assert group[1:] == group.jobs()[1:]
    with pytest.raises(IndexError):
        group[3]


def test_a_group_whose_jobs_are_deleted_is_gone(shared):
    group = shared.map(double, [1, 2])
    group.wait(30)
    shared.delete_jobs(group.jobs())
    with pytest.raises(JobNotFoundError, match="or its last job was deleted"):
        group.statuses()
    assert repr(group) == f"<JobGroup 'double' ({group.group_id}): JobNotFoundError>"
    with pytest.raises(JobNotFoundError):
        group.wait(30)


def test_a_result_that_cannot_be_opened_here_names_its_job(shared):
    group = shared.map(make_unopenable, [1])
    with pytest.raises(JobError, match=r"the result of job \S+ cannot be opened here: ZeroDivisionError"):
        group.results(30)


def test_a_group_shows_itself_as_one_output(shared):
    shown = []

    class Recorder:
        def display(self, store, job_ids, layout, group_id=None):
            shown.append((store.store_id, job_ids, layout, group_id))

        def mimebundle(self, store, job_ids, layout, group_id=None):
            return {"text/plain": f"{layout} {group_id}"}

        element = mimebundle

    group = shared.map(double, [1])
    before = _presenting._factory
    try:
        _presenting.set_presenter(Recorder)
        group._ipython_display_()
        forms = group._repr_mimebundle_(include=None), group._display_()
        _presenting.set_presenter(None)
        assert group._repr_mimebundle_() == {"text/plain": repr(group)}
    finally:
        _presenting.set_presenter(before)
    assert shown == [(shared.store.store_id, (), "group", group.group_id)]
    assert forms == ({"text/plain": f"group {group.group_id}"},) * 2

"""Making groups: one program with many inputs."""

from __future__ import annotations

import operator
import threading

import numpy as np
import pytest

import jobdeck
from jobdeck import EngineError, InvalidInputError, JobNotFoundError, JobStatus, StoreError, UnpicklableError
from jobdeck._records import GroupQuery, JobQuery
from jobdeck._service import JobService
from programs import Backend, area, double, name_of, nothing


def test_results_come_in_the_order_of_the_inputs(shared):
    assert shared.map(double, [3, 1, 2]).results(30) == [6, 2, 4]


def test_an_item_is_a_mapping_of_inputs_or_the_programs_one_argument(shared):
    group = shared.map(area, [{"width": 2}, 3, {"width": 4, "height": 5}])
    assert group.results(30) == [4, 6, 20]
    assert [job.inputs for job in group] == [{"width": 2}, {"width": 3}, {"width": 4, "height": 5}]


def test_what_all_jobs_have_is_given_once_and_an_item_may_say_otherwise(shared):
    assert shared.map(area, [1, {"width": 2, "height": 10}], inputs={"height": 7}).results(30) == [7, 20]


def test_an_item_is_the_first_argument_that_the_inputs_of_all_jobs_leave_open(shared):
    assert shared.map(area, [1, 2], inputs={"width": 10}).results(30) == [10, 20]
    assert shared.map(operator.neg, [1]).results(30) == [-1]


def test_a_generator_is_read_to_its_end_before_anything_is_queued(shared):
    known = len(shared.groups())

    def inputs():
        yield 1
        raise OSError("the file ends here")

    with pytest.raises(OSError, match="the file ends here"):
        shared.map(double, inputs())
    assert len(shared.groups()) == known
    assert shared.map(double, (number for number in range(3))).results(30) == [0, 2, 4]


def test_a_sweep_runs_every_combination_the_last_name_fastest(shared):
    group = shared.sweep(area, {"width": (1, 2), "height": np.array([10, 20])})
    assert [job.inputs for job in group] == [{"width": w, "height": h} for w in (1, 2) for h in (10, 20)]
    assert group.results(30) == [10, 20, 20, 40]
    assert group.kind == "sweep"


def test_numbers_of_numpy_are_shown_as_numbers(shared):
    group = shared.sweep(area, {"width": np.linspace(0, 1, 3)})
    previews = [record.inputs_preview for record in shared.store.jobs(JobQuery(group_id=group.group_id))]
    assert previews == [{"width": "1.0"}, {"width": "0.5"}, {"width": "0.0"}]


def test_a_group_and_its_jobs_are_called_like_the_program_or_as_one_says(shared):
    assert shared.map(double, [1, 2]).name == "double"
    group = shared.map(double, [1, 2], name="fit", tags=["h2"], metadata={"n": 1}, timeout=60)
    assert (group.name, group.tags, group.metadata, group.kind) == ("fit", ["h2"], {"n": 1}, "map")
    assert [job.name for job in group] == ["fit[0]", "fit[1]"]
    assert {(*job.tags, job.metadata["n"]) for job in group} == {("h2", 1)}


def test_every_job_gets_the_backend(shared):
    group = shared.map(name_of, [1, 2], backend=Backend())
    assert group.results(30) == ["my simulator 1", "my simulator 2"]
    assert group[0]._record.backend == "my simulator"


def test_an_uploaded_program_runs_many_times_by_its_id(shared):
    program_id = shared.upload_program(double, {"name": "twice"})
    group = shared.map(program_id, [4, 5])
    assert (group.results(30), group.name) == ([8, 10], "twice")
    assert {job.program_id for job in group} == {program_id}


def test_no_inputs_are_a_group_without_jobs(shared):
    group = shared.map(double, [])
    assert (len(group), group.results(), list(group), group.statuses()) == (0, [], [], [])
    assert "0 jobs" in repr(group)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([1, 2, {"x": 3, "y": 4}], r"inputs_list\[2\]: program 'double': got an unexpected keyword argument 'y'"),
        ([{}], r"inputs_list\[0\]: program 'double': missing a required argument: 'x'"),
        ([{1: 2}], r"inputs_list\[0\]: inputs of 'double': the name 1 is no string"),
        (
            {"x": [1, 2]},
            "inputs_list is a list of inputs, not a dict; for all combinations of lists of values, use sweep",
        ),
        ("abc", "inputs_list is a list of inputs, not a str"),
        (5, "inputs_list is a list of inputs, not an int"),
    ],
)
def test_bad_inputs_are_refused_with_their_place_before_anything_is_queued(shared, inputs, words):
    known = shared.store.count(JobQuery())
    with pytest.raises(InvalidInputError, match=words):
        shared.map(double, inputs)
    assert shared.store.count(JobQuery()) == known


def test_a_single_value_for_a_program_that_takes_none_says_how_inputs_are_given(shared):
    with pytest.raises(InvalidInputError, match=r"inputs_list\[0\]: .* an item that is no mapping of names to values"):
        shared.map(nothing, [1])


def test_what_cannot_be_pickled_is_refused_with_its_place(shared):
    with pytest.raises(UnpicklableError, match=r"inputs_list\[1\]: argument 1 cannot be sent to a job"):
        shared.map(double, [1, threading.Lock()])


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({}, "grid is a mapping of names to lists of values"),
        ([1], "grid is a mapping of names to lists of values"),
        ({"x": 1}, r"grid\['x'\] is a list of values, not an int"),
        ({"x": "abc"}, r"grid\['x'\] is a list of values, not a str"),
        ({"x": []}, r"grid\['x'\] has no values"),
        ({"x": range(10**4), "y": range(10**4)}, "grid has more than 1,000,000 combinations; sweep a part of it"),
        ({"x": [1], "z": [2]}, r"combination 0 of the grid: program 'double': got an unexpected keyword argument 'z'"),
    ],
)
def test_a_grid_that_is_none_is_refused(shared, grid, words):
    with pytest.raises(InvalidInputError, match=words):
        shared.sweep(double, grid)


def test_inputs_for_all_jobs_are_a_mapping(shared):
    with pytest.raises(InvalidInputError, match="inputs is a mapping of names to values, not a list"):
        shared.map(double, [1], inputs=[1])


def test_an_engine_that_does_not_exist_is_said_before_anything_is_queued(shared):
    known = shared.store.groups(GroupQuery())
    with pytest.raises(EngineError, match="there is no engine 'slurm'"):
        shared.map(double, [1], engine="slurm")
    assert shared.store.groups(GroupQuery()) == known


def test_a_store_that_fails_on_the_way_says_how_many_jobs_were_queued(shared, monkeypatch):
    add_jobs, added = JobService.add_jobs, []

    def fail_later(self, several):
        if added:
            raise StoreError("the disk is full")
        added.extend(several)
        return add_jobs(self, several)

    monkeypatch.setattr("jobdeck._grouping.AT_ONCE", 2)
    monkeypatch.setattr(JobService, "add_jobs", fail_later)
    with pytest.raises(
        StoreError, match=r"2 of 3 jobs of group 'double' \(\S+\) were queued, the others were not: the"
    ):
        shared.map(double, [1, 2, 3])
    assert [len(group) for group in shared.groups(limit=1)] == [2]


def test_many_jobs_are_added_in_transactions_of_a_thousand_and_their_program_is_kept_once(home, monkeypatch):
    monkeypatch.setattr("jobdeck._engines.Engines.ensure_agent", lambda *_: None)
    sizes = []
    add_jobs = JobService.add_jobs
    monkeypatch.setattr(JobService, "add_jobs", lambda self, new: (sizes.append(len(new)), add_jobs(self, new))[1])
    with jobdeck.Deck(home) as deck:
        group = deck.map(double, range(2_500))
        assert sizes == [1_000, 1_000, 500]
        assert deck.store.tally(group.group_id).counts == {"QUEUED": 2_500}
        programs = deck.store._db.run(
            lambda link: link.execute("SELECT count(DISTINCT program), count(DISTINCT context) FROM jobs").fetchone()
        )
        assert programs == (1, 1)


def test_the_functions_of_the_module_are_those_of_the_default_deck(home, shared, monkeypatch):
    monkeypatch.setenv("JOBDECK_HOME", str(shared.home))
    group = jobdeck.map(operator.neg, [1, 2])
    assert group.results(30) == [-1, -2]
    assert jobdeck.group(group.group_id) == group == jobdeck.groups(1)[0]
    assert jobdeck.sweep(double, {"x": [1]}).results(30) == [2]


def test_groups_are_found_by_what_they_are(shared):
    fit = shared.map(double, [1], name="a fit of lines", tags=["lines"])
    scan = shared.sweep(double, {"x": [1]}, name="a scan of lines", tags=["lines"])
    assert shared.groups(tags=["lines"]) == [scan, fit]
    assert shared.groups(tags=["lines"], descending=False, limit=1) == [fit]
    assert shared.groups(name="A SCAN", kind="sweep") == [scan]
    assert shared.jobs(query=f"group:{fit.group_id}") == fit.jobs()


def test_a_group_that_is_not_there_is_said_so(shared):
    with pytest.raises(JobNotFoundError, match=r"there is no group 'nonsense' here"):
        shared.group("nonsense")
    with pytest.raises(InvalidInputError, match="a group id is a text, not int"):
        shared.group(3)


def test_jobs_of_a_group_wait_in_the_order_of_their_inputs(shared):
    group = shared.map(double, range(20))
    group.wait(30)
    started = [job.metrics()["started"] for job in group]
    assert started == sorted(started)
    assert group.statuses() == [JobStatus.DONE] * 20

"""What is set for a home: which engine runs jobs that name none, and the rest of its settings."""

from __future__ import annotations

import pytest

from jobdeck import Deck, EngineError, InvalidInputError, JobExecutor
from programs import double


def test_a_deck_runs_jobs_on_what_it_was_given_or_a_variable_or_the_homes_setting_says(home, deck, monkeypatch):
    assert deck.engine == "local"
    deck.settings["engine"] = "dask://127.0.0.1:8786"
    assert Deck(home).engine == "dask://127.0.0.1:8786"
    assert deck.prepare(double, inputs={"x": 1}).engine == "dask://127.0.0.1:8786"
    monkeypatch.setenv("JOBDECK_ENGINE", "local")
    assert deck.engine == "local"
    assert deck.map(double, [1, 2]).results(30) == [2, 4]
    monkeypatch.setenv("JOBDECK_ENGINE", "dask://127.0.0.1:8787")
    assert Deck(home, engine="local").engine == "local"
    assert Deck(home).prepare(double, inputs={"x": 1}).engine == "dask://127.0.0.1:8787"
    assert deck.run(double, inputs={"x": 3}, engine="local").result(30) == 6


def test_a_wrong_engine_names_the_setting_and_queues_nothing(home, deck, monkeypatch):
    with pytest.raises(EngineError, match="there is no engine 'slurm'; there is:"):
        deck.settings["engine"] = "slurm"
    deck.store.set_setting("engine", "slurm")
    with pytest.raises(EngineError, match="the setting 'engine' of this home is 'slurm': there is no engine"):
        deck.run(double, inputs={"x": 1})
    with pytest.raises(EngineError, match="the setting 'engine' of this home is 'slurm'"):
        JobExecutor(home=home)
    monkeypatch.setenv("JOBDECK_ENGINE", "dask://nowhere")
    with pytest.raises(EngineError, match=r"JOBDECK_ENGINE is 'dask://nowhere': .* write dask://HOST:PORT"):
        deck.map(double, [1])
    assert deck.jobs() == []


def test_settings_are_checked_kept_and_set_back(home, deck):
    deck.settings["dask_result_limit"] = "10MB"
    deck.settings["max_workers"] = 3
    deck.settings["keep_days"] = "off"
    assert deck.max_workers == 3
    other = Deck(home)
    assert (other.settings["dask_result_limit"], other.settings["keep_days"]) == ("10000000", "off")
    del other.settings["dask_result_limit"]
    assert deck.settings["dask_result_limit"] == "1048576"
    for name, wrong, words in (
        ("max_workers", 0, "max_workers is a whole number above 0, not 0"),
        ("keep_days", -1, "keep_days is a number from 0 on, or 'off', not -1"),
        ("keep_jobs", "many", "keep_jobs is a number from 0 on, or 'off', not 'many'"),
        ("dask_result_limit", "1 sack", "dask_result_limit is a number of bytes, such as 5000000 or 5MB"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            deck.settings[name] = wrong
    with pytest.raises(InvalidInputError, match="there is no setting 'max_jobs'; there are: engine, max_workers"):
        deck.settings["max_jobs"] = 1
    with pytest.raises(KeyError):
        deck.settings["max_jobs"]

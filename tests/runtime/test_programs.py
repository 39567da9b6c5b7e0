"""Runtime programs: uploaded with their metadata, listed, shown, changed and forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobdeck import Deck, InvalidInputError, JobNotFoundError
from programs import double

TEXT = """
def helper(number):
    return number + 1


def main(backend, user_messenger, number):
    return helper(number)
"""
METADATA = {
    "name": "increment",
    "description": "Adds one.",
    "max_execution_time": 300,
    "is_public": False,
    "spec": {
        "backend_requirements": {"min_num_qubits": 5},
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "integer", "description": "What to add to.", "multipleOf": 2}},
            "required": ["number"],
        },
        "return_values": {"type": "integer", "description": "One more."},
        "interim_results": {"type": "object", "properties": {"step": {"type": ["integer", "null"]}}},
    },
}


def test_a_program_is_its_source_text_a_file_or_a_callable(deck: Deck, tmp_path: Path):
    path = tmp_path / "increment.py"
    path.write_text(TEXT, encoding="utf-8")
    by_text = deck.upload_program(TEXT, METADATA)
    by_path = deck.upload_program(str(path))
    by_callable = deck.upload_program(double)
    jobs = [deck.run(program_id=by_text, inputs={"number": 4}), deck.run(program_id=by_path, inputs={"number": 5})]
    jobs.append(deck.run(program_id=by_callable, inputs={"x": 3}))
    assert [job.result(15) for job in jobs] == [5, 6, 6]
    assert [job.name for job in jobs] == ["increment", "increment", "double"]
    assert [deck.program(each).data for each in (by_text, by_path, by_callable)] == [TEXT, TEXT, None]


def test_a_programs_text_tells_where_it_failed(deck: Deck):
    text = "def main(backend, user_messenger):\n    raise ValueError('no such number')\n"
    job = deck.run(program_id=deck.upload_program(text, name="failing"))
    job.wait_for_final_state(15)
    assert 'File "<program failing>", line 2, in main' in job.error_message()
    assert "raise ValueError('no such number')" in job.error_message()


def test_metadata_come_as_a_dict_as_a_file_and_one_by_one(deck: Deck, tmp_path: Path):
    path = tmp_path / "increment.json"
    path.write_text(json.dumps(METADATA), encoding="utf-8")
    flat = {**{key: METADATA[key] for key in ("name", "description", "max_execution_time")}, **METADATA["spec"]}
    ids = [
        deck.upload_program(TEXT, METADATA),
        deck.upload_program(TEXT, str(path)),
        deck.upload_program(TEXT, path),
        deck.upload_program(TEXT, flat),
        deck.upload_program(TEXT, {"name": "other"}, **{**METADATA, "is_public": None}),
    ]
    for program in map(deck.program, ids):
        assert (program.name, program.description, program.max_execution_time) == ("increment", "Adds one.", 300)
        assert program.backend_requirements == {"min_num_qubits": 5}
        assert program.parameters().metadata == METADATA["spec"]["parameters"]
        assert program.return_values == METADATA["spec"]["return_values"]
        assert program.interim_results == METADATA["spec"]["interim_results"]


def test_the_lists_of_the_first_programs_are_read_as_schemas(deck: Deck):
    parameters = [
        {"name": "number", "description": "What to add to.", "type": "integer", "required": True},
        {"name": "circuits", "description": "Of people's own words.", "type": "A circuit or list of circuits"},
    ]
    program = deck.program(deck.upload_program(lambda **inputs: inputs, {"parameters": parameters}))
    assert program.parameters().metadata == {
        "type": "object",
        "properties": {
            "number": {"description": "What to add to.", "type": "integer"},
            "circuits": {"description": "Of people's own words."},
        },
        "required": ["number"],
    }


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"name": " "}, "name"),
        ({"description": 5}, "description"),
        ({"max_execution_time": -1}, "max_execution_time is a number of seconds"),
        ({"is_public": "yes"}, "is_public"),
        ({"spec": "x"}, "spec is a dict of backend_requirements"),
        ({"spec": {"parameters": {"type": "quantity"}}}, r"parameters of the program\['type'\].*'quantity'"),
        ({"spec": {"return_values": 5}}, "return_values of the program is a JSON schema"),
        ({"parameters": [{"type": "integer"}]}, "a dict with a name"),
        ({"max_exection_time": 5}, "'max_exection_time', and probably mean 'max_execution_time'"),
        ({"returnValues": {}}, "probably mean 'return_values'"),
        ({"spec": {"parametres": {}}}, "no 'parametres'; did you mean 'parameters'"),
        ({"spec": {"inputs": {}}}, "spec has backend_requirements, parameters"),
        ("no-such-file.json", r"no-such-file\.json cannot be read: No such file"),
        (5, "metadata are a dict, or the path of a JSON file"),
    ],
)
def test_what_is_wrong_with_metadata_is_named_and_nothing_is_kept(deck: Deck, metadata, words):
    with pytest.raises(InvalidInputError, match=words):
        deck.upload_program(TEXT, metadata)
    assert not deck.programs()


def test_fields_of_a_programs_own_are_kept_beside_those_that_are_known(deck: Deck):
    program = deck.program(deck.upload_program(TEXT, {**METADATA, "version": "1.2", "author": "Ada"}))
    assert (program.metadata["version"], program.metadata["author"]) == ("1.2", "Ada")


@pytest.mark.parametrize(("text", "words"), [("{", "no JSON"), ("[1]", "has to hold an object")])
def test_a_metadata_file_that_holds_something_else_is_named(deck: Deck, tmp_path: Path, text, words):
    path = tmp_path / "increment.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=words) as caught:
        deck.upload_program(TEXT, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("def main(:\n", "not valid Python"), ("def run(backend):\n    pass\n", "no function main")],
)
def test_a_text_that_is_no_program_is_refused(deck: Deck, text, words):
    with pytest.raises(InvalidInputError, match=words):
        deck.upload_program(text)


def test_a_program_tells_how_it_is_used(deck: Deck, capsys: pytest.CaptureFixture[str]):
    program_id = deck.upload_program(TEXT, METADATA)
    shown = str(deck.program(program_id))
    assert shown.startswith(f"{program_id}:\n  Name: increment\n  Description: Adds one.\n")
    for line in (
        "  Max execution time: 5 min 0 s",
        "  Input parameters:\n    Type: object\n    Properties:\n        - number:\n            Type: integer",
        "            Multiple of: 2",
        "            Required: True",
        "        - step:\n            Type: integer or null\n            Required: False",
        "  Returns:\n    Description: One more.\n    Type: integer",
    ):
        assert line in shown
    bare = deck.upload_program(double, {"description": "twice \x1b[31m"})
    assert "  Max execution time: none\n  Input parameters:\n    none\n" in str(deck.program(bare))

    deck.pprint_programs()
    brief = capsys.readouterr().out
    assert f"{program_id}:\n  Name: increment\n  Description: Adds one.\n" in brief
    assert "\x1b" not in brief
    assert "parameters" not in brief
    deck.pprint_programs(detailed=True, limit=1)
    assert capsys.readouterr().out == f"{'=' * 50}\n{shown}\n"
    told = deck.program(program_id).to_dict()
    assert (told["program_id"], told["parameters"]) == (program_id, deck.program(program_id).parameters())


def test_programs_are_listed_in_parts(deck: Deck):
    ids = [deck.upload_program(double) for _ in range(4)]
    assert [program.program_id for program in deck.programs()] == ids
    assert [program.program_id for program in deck.programs(limit=2, skip=1)] == ids[1:3]
    assert [program.program_id for program in deck.programs(True, 2)] == ids[:2]
    with pytest.raises(InvalidInputError, match="limit"):
        deck.programs(limit=-1)


def test_a_program_is_known_by_its_name_where_it_alone_has_it(deck: Deck):
    program_id = deck.upload_program(double, name="two times")
    assert deck.program("two times").program_id == program_id
    assert deck.run(program_id="two times", inputs={"x": 2}).result(15) == 4
    other = deck.upload_program(double, name="two times")
    for call in (deck.program, deck.delete_program, lambda name: deck.run(program_id=name, inputs={"x": 1})):
        with pytest.raises(InvalidInputError, match=f"2 programs are called 'two times'.*{program_id}, {other}"):
            call("two times")
    deck.delete_program(other)
    deck.delete_program("two times")
    assert not deck.programs()
    with pytest.raises(JobNotFoundError, match="two times"):
        deck.run(program_id="two times")


def test_a_program_is_changed_in_parts(deck: Deck):
    program_id = deck.upload_program(TEXT, METADATA)
    deck.update_program(program_id, name="plus one", max_execution_time=60)
    deck.update_program(program_id, metadata={"description": "Adds 1."})
    changed = deck.program(program_id)
    assert (changed.name, changed.description, changed.max_execution_time) == ("plus one", "Adds 1.", 60)
    assert changed.parameters().metadata == METADATA["spec"]["parameters"]
    assert changed.data == TEXT
    deck.update_program(program_id, TEXT.replace("+ 1", "+ 2"), spec={"parameters": {"type": "object"}})
    assert deck.run(program_id=program_id, inputs={"number": 3}).result(15) == 5
    assert not changed.is_public
    deck.set_program_visibility(program_id, public=True)
    assert deck.program(program_id).is_public
    with pytest.raises(InvalidInputError, match="update_program: give data, metadata"):
        deck.update_program(program_id)


def test_jobs_of_a_program_are_found_by_it_and_by_whether_they_have_ended(deck: Deck):
    program_id = deck.upload_program(double)
    done = deck.run(program_id=program_id, inputs={"x": 1})
    done.wait_for_final_state(15)
    waiting = deck.prepare(program_id=program_id, inputs={"x": 2})
    other = deck.prepare(double, inputs={"x": 3})
    assert deck.jobs(program_id=program_id) == [waiting, done]
    assert deck.jobs(pending=True) == [other, waiting]
    assert deck.jobs(10, 0, False, program_id) == [done]
    assert deck.jobs(10, 1, True) == [waiting]
    deck.delete_job(done.job_id())
    assert deck.jobs(pending=False) == []
    with pytest.raises(InvalidInputError, match="pending"):
        deck.jobs(pending=True, status="DONE")


def test_a_program_and_the_id_of_one_are_not_given_together(deck: Deck):
    with pytest.raises(InvalidInputError, match="not both"):
        deck.run(double, program_id="program-x")
    with pytest.raises(InvalidInputError, match="program id is a text"):
        deck.run(program_id=5)

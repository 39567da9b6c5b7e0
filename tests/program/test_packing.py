"""What a program takes along, and the errors before anything is queued."""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import json
import logging
import subprocess
import sys
import textwrap
import threading
from typing import Any

import cloudpickle
import pytest

from jobdeck._call import run as run_in_job
from jobdeck._errors import InvalidInputError, UnpicklableError
from jobdeck._messenger import PrintingMessenger, UserMessenger, active
from jobdeck._program import (
    Packed,
    edit,
    is_plain_call,
    open_payload,
    outcome_of_value,
    pack,
    pack_program,
    replace_inputs,
    value_of,
)
from jobdeck._program.payload import Call
from jobdeck._program.pickling import dumps, dumps_by_name
from jobdeck._program.source import Source
from jobdeck._records import Payload

LOCK = threading.Lock()


def payload(packed: Packed) -> Payload:
    return Payload(packed.program, packed.inputs, packed.context)


def run(packed: Packed) -> Any:
    return open_payload(payload(packed)).run(PrintingMessenger())


def plain(a, b=2):
    return [a, b]


def loop(steps):
    return steps


def filled(backend, user_messenger, a, *, b=2):
    return [backend, type(user_messenger).__name__, a, b]


def filled_last(a, user_messenger=None, backend="own"):
    return [a, type(user_messenger).__name__, backend]


def positional_only(backend, user_messenger, /, a):
    return [backend, type(user_messenger).__name__, a]


def any_keywords(**inputs):
    return inputs


def locking(a):
    return LOCK, a


class Bag:
    def __init__(self):
        self.inner = {"lock": LOCK}


class Caller:
    def __call__(self, a):
        return a

    def method(self, a):
        return a


@pytest.mark.parametrize(
    ("program", "inputs", "result"),
    [
        (plain, {"a": 1}, [1, 2]),
        (filled, {"a": 1, "b": 3}, ["B", "PrintingMessenger", 1, 3]),
        (filled_last, {"a": 1}, [1, "PrintingMessenger", "B"]),
        (positional_only, {"a": 1}, ["B", "PrintingMessenger", 1]),
        (any_keywords, {"backend": 1, "x": 2}, {"backend": 1, "x": 2}),
        (functools.partial(plain, 5), {"b": 1}, [5, 1]),
        (Caller(), {"a": 1}, 1),
        (Caller().method, {"a": 1}, 1),
        (dict, {"a": 1}, {"a": 1}),
        (lambda a: a, {"a": 1}, 1),
    ],
)
def test_inputs_are_keyword_arguments_and_the_rest_is_filled_in(program, inputs, result):
    assert run(pack(program, inputs, backend="B")) == result


def test_a_backend_of_its_own_stays_where_none_is_given():
    assert run(pack(filled_last, {"a": 1})) == [1, "PrintingMessenger", "own"]


@pytest.mark.parametrize("args", [(1, 3), (1,)])
def test_a_plain_call_passes_its_arguments_around_what_is_filled_in(args):
    packed = pack(lambda user_messenger, a, b=3: [type(user_messenger).__name__, a, b], args=args)
    assert run(packed) == ["PrintingMessenger", 1, 3]
    assert open_payload(payload(packed)).inputs == dict(zip("ab", args, strict=False))


def test_a_plain_call_may_pass_a_backend_itself():
    assert run(pack(filled, backend="B", kwargs={"backend": "C", "a": 1}))[0] == "C"


def test_a_coroutine_is_run():
    async def program(a):
        return a + 1

    assert run(pack(program, {"a": 1})) == 2


@pytest.mark.parametrize(
    ("program", "inputs", "words"),
    [
        (plain, {}, "'plain': missing a required argument: 'a'; its inputs are (a, b=2)"),
        (plain, {"a": 1, "c": 1}, "unexpected keyword argument 'c'; its inputs"),
        (loop, {"steps": 1, "stpes": 2}, "did you mean 'steps'? its inputs are (steps)"),  # as in a retry
        (loop, {"stpes": 1}, "unexpected keyword argument 'stpes'; did you mean 'steps'? its inputs are (steps)"),
        (filled, {"a": 1, "backend": 1}, "must not name 'backend'"),
        (filled, {"a": 1, "user_messenger": 1}, "must not name 'user_messenger'"),
        (plain, [1], "must be a mapping of names to values, not list"),
        (plain, {1: 2}, "the name 1 is no string"),
        (3, {}, "uploaded program; 3 is an int"),
        (None, {}, "uploaded program; none was given"),
        ("missing.py", {}, "cannot be read: No such file"),
        ("no_such_module", {}, "is no importable module"),
        ("def main(): pass", {}, "is neither the path of a .py file nor the name of a module"),
        ("json", {}, "module json has no function main"),
        (json, {}, "module json has no function main"),
    ],
)
def test_what_does_not_fit_is_said_at_once(program, inputs, words):
    with pytest.raises(InvalidInputError) as caught:
        pack(program, inputs)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("program", "inputs", "words"),
    [
        (plain, {"a": 1, "b": LOCK}, "input 'b' cannot be sent to a job: it is a _thread.lock"),
        (
            plain,
            {"a": {"k": [0, LOCK]}},
            "input 'a' cannot be sent to a job: the item 'k', the item 1 is a _thread.lock",
        ),
        (plain, {"a": Bag()}, "input 'a' cannot be sent to a job: the attribute 'inner', the item 'lock' is a _thread"),
    ],
)
def test_an_input_that_cannot_be_pickled_is_named(program, inputs, words):
    with pytest.raises(UnpicklableError) as caught:
        pack(program, inputs)
    assert words in str(caught.value)


def test_a_closure_variable_that_cannot_be_pickled_is_named():
    handle = threading.Lock()

    def inner():
        return handle

    def program():
        return inner()

    with pytest.raises(UnpicklableError) as caught:
        pack(program)
    words = str(caught.value)
    assert "variable 'inner' that program() closes over, variable 'handle' that inner() closes over" in words
    assert "is a _thread.lock" in words


def test_an_argument_of_a_plain_call_that_cannot_be_pickled_is_named():
    with pytest.raises(UnpicklableError, match="argument 2 cannot be sent"):
        pack(plain, args=(1, LOCK))


def in_a_main(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_global_that_cannot_be_pickled_is_named():
    words = in_a_main("""
        import threading
        from jobdeck._program import pack
        lock = threading.Lock()
        def helper(): return [lock for _ in range(2)]
        def vqe(): return helper()
        try:
            pack(vqe)
        except TypeError as exc:
            print(exc)
    """)
    assert "program 'vqe' cannot be sent to a job: global variable 'helper' that vqe() uses" in words
    assert "global variable 'lock' that helper() uses is a _thread.lock" in words


def test_functions_of_main_run_in_a_process_that_does_not_have_them():
    data = in_a_main("""
        import base64, json
        from jobdeck._program import pack
        factor = 3
        class Point:
            def __init__(self, x): self.x = x
        def scaled(p): return factor * p.x
        def program(p): return scaled(p)
        packed = pack(program, {"p": Point(2)})
        print(json.dumps([base64.b64encode(part).decode() for part in (packed.program, packed.inputs, packed.context)]))
    """)
    import base64

    parts = [base64.b64decode(part) for part in json.loads(data)]
    assert open_payload(Payload(*parts)).run(PrintingMessenger()) == 6


def test_a_module_that_no_path_leads_to_goes_by_value(tmp_path):
    file = tmp_path / "elsewhere.py"
    file.write_text("import threading\nbase = 10\ndef inner(a): return base + a\ndef program(a): return inner(a)\n")
    spec = importlib.util.spec_from_file_location("elsewhere", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["elsewhere"] = module
    spec.loader.exec_module(module)
    packed = pack(module.program, {"a": 1})
    del sys.modules["elsewhere"]
    assert run(packed) == 11


def test_a_module_on_the_path_goes_by_name(tmp_path, monkeypatch):
    (tmp_path / "on_the_path.py").write_text("def main(user_messenger, a): return a * 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    packed = pack("on_the_path", {"a": 2})
    assert "on_the_path" not in sys.modules
    with pytest.raises(InvalidInputError, match="unexpected keyword argument 'c'"):
        pack("on_the_path", {"a": 1, "c": 1})
    assert run(packed) == 4
    module = sys.modules.pop("on_the_path")
    sys.modules["on_the_path"] = module
    again = pack(module, {"a": 3})
    assert again.name == "on_the_path"
    assert b"a * 2" not in again.program
    assert run(again) == 6
    del sys.modules["on_the_path"]


@pytest.fixture
def program_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path / "json.py"
    sys.modules.pop("__jobdeck_program__", None)


def test_a_file_runs_as_it_was_when_it_was_submitted(program_file):
    program_file.write_text(
        "import json\nassert json.dumps(1)\ndef main(backend, user_messenger, *, a, b=1): return [a, b]\n"
    )
    packed = pack(program_file, {"a": 5})
    program_file.write_text("def main(): raise SystemError\n")
    assert packed.name == "json"
    assert run(packed) == [5, 1]
    assert open_payload(payload(packed)).inputs == {"a": 5}


def test_a_file_may_return_an_instance_of_a_class_of_its_own(program_file):
    program_file.write_text("class Energy:\n    unit = 'Ha'\ndef main(): return Energy()\n")
    outcome = outcome_of_value(run(pack(program_file)))
    del sys.modules["__jobdeck_program__"]
    assert outcome.encoding == "pickle"
    assert value_of(outcome).unit == "Ha"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def other(): pass\n", "has no function main"),
        ("def main(:\n", "is not valid Python"),
        ("def main(backend, *, a): pass\n", "missing a required argument: 'a'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_once(program_file, text, words):
    program_file.write_text(text)
    with pytest.raises(InvalidInputError, match=words):
        pack(str(program_file))


def test_a_named_program_is_packed_again_with_other_inputs():
    name, data = pack_program(plain)
    assert name == "plain"
    assert run(pack(data, {"a": 1})) == [1, 2]
    assert run(pack(data, {"a": 2})) == [2, 2]
    with pytest.raises(InvalidInputError, match="missing"):
        pack(data)


def test_a_retry_changes_some_inputs_and_keeps_the_rest():
    packed = pack(plain, args=(1,), kwargs={"b": 5})
    again = replace_inputs(payload(packed), {"a": 7})
    assert run(again) == [7, 5]
    assert again.inputs_preview == {"a": "7", "b": "5"}
    assert again.context == packed.context
    assert again.program == packed.program
    assert replace_inputs(payload(packed), {}).inputs == packed.inputs


def test_a_retry_with_an_input_that_the_program_does_not_take_is_refused():
    with pytest.raises(InvalidInputError, match="unexpected keyword argument 'c'"):
        replace_inputs(payload(pack(plain, {"a": 1})), {"c": 7})


def test_nothing_is_active_once_a_program_has_ended():
    def failing():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(pack(failing))
    assert active() is None


def test_pickling_by_value_leaves_cloudpickles_registry_as_it_was():
    before = cloudpickle.list_registry_pickle_by_value()
    pack(plain, {"a": 1})
    assert cloudpickle.list_registry_pickle_by_value() == before


@pytest.mark.parametrize("named", [json.dumps, int, textwrap.TextWrapper, sys.getsizeof])
def test_what_goes_by_its_name_is_pickled_as_cloudpickle_would_have_it(named: Any) -> None:
    value = ("callable", named, None, None)
    assert dumps_by_name(value, named) == dumps(value)


def test_a_program_that_has_lost_its_name_or_is_registered_goes_by_value(tmp_path, monkeypatch):
    (tmp_path / "named.py").write_text("def program(): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("named")
    before = module.program
    module.program = lambda: 2
    replaced = pack(before)
    module.program = before
    cloudpickle.register_pickle_by_value(module)
    registered = pack(before)
    cloudpickle.unregister_pickle_by_value(module)
    by_name = pack(before)
    del sys.modules["named"]
    (tmp_path / "named.py").write_text("def program(): return 'read anew'\n")
    importlib.invalidate_caches()
    assert (run(replaced), run(registered), run(by_name)) == (1, 1, "read anew")
    del sys.modules["named"]


async def later(a):
    await asyncio.sleep(0)
    return a + 1


@pytest.mark.parametrize("program", [plain, later, filled_last, functools.partial(plain, b=9)])
def test_the_short_way_of_a_jobs_process_leads_to_the_same(program: Any) -> None:
    packed = pack(program, {"a": 1})
    messenger = UserMessenger()
    assert run_in_job(packed.program, packed.inputs, lambda: messenger) == open_payload(payload(packed)).run(messenger)


def test_a_plain_call_is_known_without_being_opened() -> None:
    assert is_plain_call(pack(plain, {"a": threading.Event}).inputs)
    assert is_plain_call(pack(plain, args=(1,)).inputs)
    for other in (
        pack(plain, {"a": 1}, backend=1),
        pack(plain, {"a": 1}, log_level="INFO"),
        pack(filled_last, {"a": 1}),
    ):
        assert not is_plain_call(other.inputs)


def test_the_short_way_has_edited_inputs_a_level_of_logging_and_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    name, program = pack_program(plain, returns={"type": "string"})
    packed = pack(program, {"a": 1}, log_level="DEBUG")
    edited, _ = edit(packed.inputs, packed.inputs_preview, {"a": "7"})
    assert name == "plain"
    before = logging.getLogger().level
    try:
        assert run_in_job(packed.program, edited, UserMessenger) == [7, 2]
    finally:
        logging.getLogger().setLevel(before)
    assert "does not return what it says" in capsys.readouterr().err


def test_what_was_stored_as_an_object_is_still_opened() -> None:
    parts = dumps(Source("callable", plain)), dumps(Call((1,), {"b": 5}, None, is_plain=True)), b""
    assert open_payload(Payload(*parts)).run(PrintingMessenger()) == [1, 5]
    assert run_in_job(*parts[:2], UserMessenger) == [1, 5]

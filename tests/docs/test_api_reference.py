"""docs/api.md names every public thing, with the signature that it has."""

from __future__ import annotations

import ast
import inspect
import re
from operator import attrgetter

import pytest

import jobdeck

from .conftest import read

API = read("docs/api.md")
_CALL = re.compile(r"^#+ `([\w.]+)\((.*)\)`", re.MULTILINE)
_NAMED = re.compile(r"`(?:jobdeck\.)?([A-Za-z_][\w.]*)(?:\([^`]*\))?`")
CLASSES = (
    "BulkReport",
    "Deck",
    "Job",
    "JobGroup",
    "JobManager",
    "JobStatus",
    "ManagedJob",
    "ManagedJobSet",
    "ManagedResults",
    "ParameterNamespace",
    "Program",
    "Progress",
    "UserMessenger",
)


def documented_calls() -> list[tuple[str, str]]:
    return _CALL.findall(API.text)


def parameters(owner: object, *, bound: bool) -> list[tuple[str, inspect._ParameterKind, str | None]]:
    """Name, kind and default of each parameter; `bound` leaves out the first one."""
    found = [
        (p.name, p.kind, None if p.default is p.empty else getattr(p.default, "__name__", repr(p.default)))
        for p in inspect.signature(owner).parameters.values()
    ]
    return found[1:] if bound else found


def written_parameters(text: str) -> list[tuple[str, inspect._ParameterKind, str | None]]:
    """The same of a signature as it is written in the document."""
    arguments = ast.parse(f"def f({text}): ...").body[0].args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [ast.unparse(d) for d in arguments.defaults]
    kinds = [inspect.Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs)
    kinds += [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)
    found = [(a.arg, kind, default) for a, kind, default in zip(positional, kinds, defaults, strict=True)]
    if arguments.vararg:
        found.append((arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL, None))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((argument.arg, inspect.Parameter.KEYWORD_ONLY, default and ast.unparse(default)))
    if arguments.kwarg:
        found.append((arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD, None))
    return found


@pytest.mark.parametrize(("name", "signature"), documented_calls())
def test_a_documented_signature_is_the_real_one(name, signature):
    path = name.removeprefix("jobdeck.")
    owner = attrgetter(path)(jobdeck)
    is_method = "." in path and inspect.isclass(attrgetter(path.rpartition(".")[0])(jobdeck))
    assert written_parameters(signature) == parameters(owner, bound=is_method)


def test_the_reference_documents_calls():
    assert len(documented_calls()) > 20


def test_every_public_name_is_in_the_reference():
    named = set(_NAMED.findall(API.text))
    assert set(jobdeck.__all__) - named == set()


@pytest.mark.parametrize("class_name", CLASSES)
def test_every_public_member_is_in_the_reference(class_name):
    named = set(_NAMED.findall(API.text))
    own = [base for base in getattr(jobdeck, class_name).__mro__ if base.__module__.startswith("jobdeck")]
    members = {name for base in own for name in (*vars(base), *vars(base).get("__annotations__", ())) if name[0] != "_"}
    classes = {class_name, *(base.__name__ for base in own)}
    assert {name for name in members if not named & {name, *(f"{each}.{name}" for each in classes)}} == set()

"""Packing a program with its inputs in the kernel, and opening both in the job's process.

The two stand together, and are longer than other modules for it: what the one leaves out, such as arguments that are
filled in, the other has to put back.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import CoroutineType
from typing import Any, Final

from .. import _messenger
from .._errors import InvalidInputError
from .._plain import near
from .._records import Payload
from .backendless import explained, refuse_backendless, takes_backend
from .context import Context
from .edits import split, values_of
from .held import Held, held_by, is_reference
from .libraries import libraries_of
from .pickling import are_plain, dumps_by_name, dumps_named, dumps_plain, loads
from .preview import preview
from .reach import Part
from .source import Source, open_source, source_of, text_source

_FILLED_IN: Final = ("backend", "user_messenger")
"""Arguments that jobdeck gives to a program that has them."""
_UNNAMED: Final = "args"
"""What arguments are called together that have no names of their own."""


@dataclass(frozen=True)
class Packed:
    """A program and its inputs, ready for a new job's row (see :class:`~jobdeck._records.NewJob`).

    `held` is what the bytes refer to where they are references into this process.
    """

    name: str
    program: bytes
    inputs: bytes
    context: bytes
    inputs_preview: dict[str, str]
    held: object = None


@dataclass(frozen=True)
class Call:
    """The arguments that a job was given: those of ``submit`` by place, the rest by name.

    `is_plain` says that nothing is to be filled in, so that the job's process need not look for a signature.
    """

    args: tuple[Any, ...]
    keywords: dict[str, Any]
    backend: Any
    is_plain: bool = False
    log_level: str | None = None


class OpenProgram:
    """A program with its inputs, in the process that runs it or wants to see the inputs."""

    def __init__(self, source: Source, call: Call) -> None:
        self._source = source
        self._call = call

    @property
    def name(self) -> str:
        """What the program is called."""
        return self._source.name

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs by name; what has no name of its own is under ``"args"``."""
        return _by_name(self._source.signature(), self._call)

    @property
    def backend(self) -> Any:
        """What the program gets as ``backend``."""
        return self._call.backend

    def run(self, messenger: _messenger.Messenger) -> Any:
        """Call the program and return what it returns; a coroutine is run to its end.

        While it runs, a :class:`~jobdeck._messenger.UserMessenger` is the active one of this process.
        """
        before = _messenger.active()
        own = messenger if isinstance(messenger, _messenger.UserMessenger) and messenger is not before else None
        if own is not None:
            _messenger.activate(own)
        try:
            if self._call.log_level is not None:
                logging.basicConfig(level=self._call.log_level)
            function = self._source.open()
            args, keywords = self._call.args, self._call.keywords
            if not self._call.is_plain:
                args, keywords = _filled(Source("callable", function).signature(), self._call, messenger)
            value = function(*args, **keywords)
            if isinstance(value, CoroutineType):
                value = awaited(value, messenger)
            if self._source.returns and value is not None:
                _complain(self._source, value)
            return value
        except AttributeError as error:
            if self._call.backend is not None or not takes_backend(self._source.signature()):
                raise
            if (said := explained(self.name, error)) is error:
                raise
            raise said from error
        finally:
            if own is not None:
                _messenger.activate(before)


def awaited(program: CoroutineType[Any, Any, Any], messenger: _messenger.Messenger) -> Any:
    """Run a coroutine to its end; a messenger of a job in a thread can stop it."""
    import asyncio  # not above: each process that a job is forked from would be a third larger

    return asyncio.run(_stoppable(program, messenger))


async def _stoppable(program: CoroutineType[Any, Any, Any], messenger: _messenger.Messenger) -> Any:
    """Await a program so that a messenger can stop it in a thread, where no signal wakes an event loop."""
    import asyncio

    task = asyncio.current_task()
    if threading.current_thread() is threading.main_thread() or not isinstance(messenger, _messenger.UserMessenger):
        return await program
    assert task is not None
    loop = asyncio.get_running_loop()

    def stop(heard: Callable[[], None]) -> None:
        heard()
        task.cancel()

    def wake(heard: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(stop, heard)

    with messenger._waking(wake):
        return await program


def _complain(source: Source, value: Any) -> None:
    """Say it in the job's output where a program returns other than it says; what it returns is kept all the same."""
    from .._schema import misfits, told

    assert source.returns is not None
    wrong = misfits(source.returns, value, lambda path: "what it returned" + "".join(f"[{step!r}]" for step in path))
    if wrong:
        print(f"jobdeck: the program does not return what it says that it does: {told(wrong)}", file=sys.stderr)


def pack_program(program: Any, name: str | None = None, returns: Mapping[str, Any] | None = None) -> tuple[str, bytes]:
    """Return a program's name and its pickle, which :func:`pack` takes in the program's place.

    Parameters
    ----------
    program
        As :func:`pack` takes it, or the source text itself.
    name
        What a source text is called.
    returns
        The JSON schema of what the program returns.

    Raises
    ------
    InvalidInputError
        It is no program.
    UnpicklableError
        It cannot be sent to another process.
    """
    is_text = isinstance(program, str) and "\n" in program
    source = text_source(program, name or "program") if is_text else source_of(program)
    return source.name, _program_bytes(replace(source, returns=returns or None))


def repack_program(data: bytes, returns: Mapping[str, Any]) -> bytes:
    """Return the pickle of a packed program with another schema of what it returns."""
    source = open_source(data)
    return data if source.returns == (returns or None) else _program_bytes(replace(source, returns=returns or None))


def source_text(data: bytes) -> str | None:
    """Return the source text of a packed program, None where it is a callable or a module."""
    return open_source(data).text


def pack(
    program: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    backend: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    log_level: str | None = None,
    by_reference: bool = False,
) -> Packed:
    """Pack a program with its inputs; whatever is wrong with either is said now, before anything is queued.

    Parameters
    ----------
    program
        A callable; the path of a .py file or an importable module (itself, or its dotted name) that has
        ``main(backend, user_messenger, **inputs)``; or the pickle that :func:`pack_program` returned.
    inputs
        Keyword arguments by name. ``backend`` and ``user_messenger`` are filled in where the program has them.
    backend
        What the program gets as ``backend``.
    args, kwargs
        The arguments of a plain call, as ``submit`` has them.
    log_level
        The level of the root logger in the job.
    by_reference
        Whether the job will run in this process, so that program and inputs are not pickled (see ``_program.held``).

    Raises
    ------
    InvalidInputError
        It is no program, or the inputs do not fit its signature.
    UnpicklableError
        The program or an input cannot be sent to another process; the text names the part.
    """
    packer = Packer(program, backend=backend, log_level=log_level, by_reference=by_reference)
    return packer.pack(inputs, args=args, kwargs=kwargs)


class Packer:
    """Packs one program with one set of inputs after another; see :func:`pack` for what it takes and raises.

    What is the same for all of them is done once: the program's bytes and the context are one object.
    """

    def __init__(
        self, program: Any, *, backend: Any = None, log_level: str | None = None, by_reference: bool = False
    ) -> None:
        self._given = program
        self._by_reference = by_reference
        self._source = open_source(program) if isinstance(program, bytes) else source_of(program)
        self._signature = self._source.signature()
        if backend is None and takes_backend(self._signature):
            refuse_backendless(self._source)
        self._backend = backend
        self._log_level = log_level
        self._is_plain = _is_plain(self._source, self._signature)
        self._contexts: dict[tuple[str, ...], bytes] = {}

    @property
    def name(self) -> str:
        """What the program is called."""
        return self._source.name

    def pack(
        self, inputs: Mapping[str, Any] | None, *, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Packed:
        """Pack the program with these inputs."""
        name = self.name
        inputs = _checked(name, inputs)
        _refuse_filled_in(name, self._signature, inputs)
        keywords = {**inputs, **_checked(name, kwargs)}
        call = Call(tuple(args), keywords, self._backend, self._is_plain, self._log_level)
        _check_fit(name, self._signature, call)
        if self._by_reference:
            inputs_held = Held(call)
            previews = _previews(self._signature, call)
            program = self._held.reference
            return Packed(name, program, inputs_held.reference, b"", previews, (self._held, inputs_held))
        packed = _inputs_bytes(call)
        return Packed(
            name=name,
            program=self._program,
            inputs=packed,
            context=self._context(libraries_of((self._program, packed))),
            inputs_preview=_previews(self._signature, call),
        )

    def pack_one(self, value: Any, inputs: Mapping[str, Any] | None) -> Packed:
        """Pack the program with a value for the first argument that `inputs` leave open."""
        if inputs and self._signature is not None:
            named = _checked(self.name, inputs)
            parameters = _rest(self._signature, Call((), named, self._backend)).parameters.values()
            free = [each for each in parameters if each.name not in named and not _is_variable(each)]
            if free and free[0].kind is not inspect.Parameter.POSITIONAL_ONLY:
                return self.pack({free[0].name: value, **named})
        return self.pack(inputs, args=(value,))

    @cached_property
    def _program(self) -> bytes:
        return self._given if isinstance(self._given, bytes) else _program_bytes(self._source)

    @cached_property
    def _held(self) -> Held:
        return Held(self._source)

    def _context(self, libraries: tuple[str, ...]) -> bytes:
        found = self._contexts.get(libraries)
        if found is None:
            target = self._source.target if self._source.kind == "callable" else None
            found = self._contexts[libraries] = Context.bytes_here(target, libraries)
        return found


def open_payload(payload: Payload) -> OpenProgram:
    """Open what :func:`pack` packed. It unpickles: only for the job's own process, or one that asks for the inputs.

    A job's process enters the payload's :class:`Context` first.
    """
    source = open_source(payload.program)
    return OpenProgram(source, _opened(source, payload.inputs))


def is_plain_call(inputs: bytes) -> bool:
    """Tell, without opening them, whether a job's inputs are those of a program that jobdeck fills nothing in for."""
    return inputs.endswith(_PLAIN_END)


def held_of(payload: Payload) -> tuple[Held | None, Held | None]:
    """Return what keeps a program and its inputs that are references into this process."""
    return held_by(payload.program), held_by(split(payload.inputs)[0])


def inputs_by_name(source: Source, signature: inspect.Signature | None, inputs: bytes) -> dict[str, Any]:
    """Open inputs that were packed for this program; what has no name of its own is under ``"args"``."""
    return _by_name(signature, _opened(source, inputs))


def replace_inputs(payload: Payload, changed: Mapping[str, Any]) -> Packed:
    """Pack the same program, in the context that it had, with some of its inputs changed.

    Raises
    ------
    InvalidInputError
        The program takes no such input.
    UnpicklableError
        A changed input cannot be sent to another process.
    """
    source = open_source(payload.program)
    signature = source.signature()
    changed = _checked(source.name, changed)
    _refuse_filled_in(source.name, signature, changed)
    call = _changed(signature, _opened(source, payload.inputs), changed)
    call = replace(call, is_plain=_is_plain(source, signature))
    _check_fit(source.name, signature, call)
    previews = _previews(signature, call)
    if is_reference(payload.program):
        held = Held(call)
        return Packed(
            source.name, payload.program, held.reference, payload.context, previews, (held_by(payload.program), held)
        )
    inputs = _inputs_bytes(call) if changed else payload.inputs
    return Packed(source.name, payload.program, inputs, payload.context, previews)


# --- pickles


def _opened(source: Source, inputs: bytes) -> Call:
    """Open a job's inputs, with what was edited in its place."""
    pickled, edits = split(inputs)
    opened: Call | tuple[Any, ...] = loads(pickled)
    call = opened if isinstance(opened, Call) else Call(*opened)
    return _changed(source.signature(), call, values_of(edits)) if edits else call


def _program_bytes(source: Source) -> bytes:
    # A tuple, since to open an instance means to look its class up.
    parts = source.kind, source.target, source.text, source.returns
    if source.kind == "callable" and source.returns is None and (short := dumps_by_name(parts, source.target)):
        return short
    return dumps_named(parts, [Part(f"program {source.name!r}", source.target)])


def _inputs_bytes(call: Call) -> bytes:
    written = call.args, call.keywords, call.backend, call.is_plain, call.log_level
    if call.backend is None and are_plain(call.args) and are_plain(call.keywords.values()):
        return dumps_plain(written)
    parts = [Part(f"argument {place + 1}", value) for place, value in enumerate(call.args)]
    parts += [Part(f"input {name!r}", value) for name, value in call.keywords.items()]
    return dumps_named(written, [*parts, Part("the backend", call.backend)])


_PLAIN_END: Final = dumps_plain(((), {}, None, True, None))[-6:]
"""How the inputs of a plain call end: no backend, nothing to fill in, no level of logging."""


# --- signatures


def _checked(program: str, inputs: Any) -> dict[str, Any]:
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        raise InvalidInputError(
            f"inputs of {program!r} must be a mapping of names to values, not {type(inputs).__name__}"
        )
    for name in inputs:
        if not isinstance(name, str):
            raise InvalidInputError(f"inputs of {program!r}: the name {preview(name, 60)} is no string")
    return dict(inputs)


def _refuse_filled_in(program: str, signature: inspect.Signature | None, inputs: Mapping[str, Any]) -> None:
    for name in _FILLED_IN:
        if name in inputs and signature is not None and name in signature.parameters:
            hint = "pass it as run(…, backend=…)" if name == "backend" else "leave it out"
            raise InvalidInputError(f"inputs of {program!r} must not name {name!r}: jobdeck fills it in; {hint}")


def _is_plain(source: Source, signature: inspect.Signature | None) -> bool:
    # The signature of a file's or module's main was only read, and may turn out to be another one.
    return source.kind == "callable" and not (signature and any(name in signature.parameters for name in _FILLED_IN))


def _rest(signature: inspect.Signature, call: Call) -> inspect.Signature:
    """Return the signature without what jobdeck fills in."""
    if not any(name in signature.parameters for name in _FILLED_IN):
        return signature
    kept = [
        parameter
        for name, parameter in signature.parameters.items()
        if name not in _FILLED_IN or name in call.keywords or _is_variable(parameter)
    ]
    return signature.replace(parameters=kept)


def _is_variable(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _check_fit(program: str, signature: inspect.Signature | None, call: Call) -> None:
    if signature is None:
        return
    rest = _rest(signature, call)
    try:
        rest.bind(*call.args, **call.keywords)
    except TypeError as exc:
        takes = str(rest.replace(return_annotation=inspect.Signature.empty))
        said = _misspelt(rest, call.keywords) or f"{exc};"
        raise InvalidInputError(f"program {program!r}: {said} its inputs are {takes}") from None


def _misspelt(signature: inspect.Signature, named: Iterable[str]) -> str | None:
    """Return words about the first name that a program does not have, of which Python would name what it lacks."""
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return None
    unknown = next((name for name in named if name not in signature.parameters), None)
    if unknown is None:
        return None
    close = near(unknown, signature.parameters)
    said = f"got an unexpected keyword argument {unknown!r}"
    return f"{said}; did you mean {' or '.join(map(repr, close))}?" if close else f"{said};"


def _filled(
    signature: inspect.Signature | None, call: Call, messenger: _messenger.Messenger
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments with ``backend`` and ``user_messenger`` in their places."""
    if signature is None:
        return call.args, call.keywords
    rest = _rest(signature, call)
    arguments = dict(rest.bind(*call.args, **call.keywords).arguments)
    for name, value in (("backend", call.backend), ("user_messenger", messenger)):
        parameter = signature.parameters.get(name)
        if parameter is None or name in rest.parameters:
            continue
        if value is not None or parameter.default is inspect.Parameter.empty:
            arguments[name] = value
    bound = inspect.BoundArguments(signature, arguments)
    return bound.args, bound.kwargs


def _by_name(signature: inspect.Signature | None, call: Call) -> dict[str, Any]:
    places = _places(signature, call)
    named = {name: call.args[place] for name, place in places.items()}
    unnamed = call.args[len(places) :]
    return {**named, **({_UNNAMED: unnamed} if unnamed else {}), **call.keywords}


def _places(signature: inspect.Signature | None, call: Call) -> dict[str, int]:
    """Return the names of the arguments that were given by place, with those places."""
    if signature is None:
        return {}
    named = [
        name
        for name, parameter in _rest(signature, call).parameters.items()
        if parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    return {name: place for place, name in enumerate(named[: len(call.args)])}


def _changed(signature: inspect.Signature | None, call: Call, values: Mapping[str, Any]) -> Call:
    """Return the call with other values for some inputs, named as `_by_name` names them."""
    args, keywords = list(call.args), {**call.keywords}
    places = _places(signature, call)
    for name, value in values.items():
        if name in places:
            args[places[name]] = value
        elif name == _UNNAMED and name not in keywords and len(args) > len(places):
            if not isinstance(value, (list, tuple)):
                raise InvalidInputError(f"{_UNNAMED!r} stands for several arguments: it has to be a tuple or a list")
            args[len(places) :] = value
        else:
            keywords[name] = value
    return replace(call, args=tuple(args), keywords=keywords)


def _previews(signature: inspect.Signature | None, call: Call) -> dict[str, str]:
    return {name: preview(value) for name, value in _by_name(signature, call).items()}

"""What a program left behind: written in its own process, read in the one that asks for it."""

from __future__ import annotations

import json
import os
import traceback
from typing import Any, Final

from .._call import plain_number
from .._chart import chart_text
from .._codec import RuntimeEncoder, decode, encode
from .._errors import EncodingError, JobCancelledError
from .._records import Outcome
from .pickling import dumps, loads
from .preview import preview

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_ENTRANCES: Final = {(os.path.join(_PACKAGE, *place), "run") for place in (("_program", "payload.py"), ("_call.py",))}
"""The frames from which a program is called."""
_MAX_MESSAGE: Final = 10_000
_MAX_LINE: Final = 20_000
_MAX_TRACEBACK: Final = 200_000
_MAX_EXCEPTION: Final = 1_000_000
_MAX_PREVIEW: Final = 2000


def outcome_of_value(value: Any, encoder: type[json.JSONEncoder] = RuntimeEncoder) -> Outcome:
    """Return the outcome of a program that returned.

    JSON where the value comes back from it as it was, else a cloudpickle. A value that cannot be kept either way gives
    an outcome that failed, and says that the program itself did not. Another encoder than :class:`RuntimeEncoder` is
    taken at its word: what it can encode is kept so.
    """
    if value is None:
        return Outcome(ok=True)
    if encoder is RuntimeEncoder and (number := plain_number(value)) is not None:
        return Outcome(ok=True, encoding="json", body=number.encode("ascii"), preview=number)
    shown = preview(value, _MAX_PREVIEW)
    text = _kept_as_json(value, encoder)
    if text is not None:
        return Outcome(ok=True, encoding="json", body=text.encode("ascii"), preview=shown, chart=chart_text(value))
    try:
        return Outcome(ok=True, encoding="pickle", body=dumps(value), preview=shown, chart=chart_text(value))
    except Exception as exc:  # noqa: BLE001 - pickling runs the value's own code, which may raise anything
        words = (
            f"the program ran to its end, but what it returned ({type(value).__name__}) cannot be kept: "
            f"{_message(exc)}; return something that can be pickled, or publish it as messages"
        )
        return Outcome(
            ok=False, preview=shown, exception_type="UnpicklableError", exception_text=f"UnpicklableError: {words}"
        )


def _kept_as_json(value: Any, encoder: type[json.JSONEncoder]) -> str | None:
    try:
        if encoder is not RuntimeEncoder:
            return encode(value, encoder)
        text, exact = RuntimeEncoder().encode_exactly(value)
    except EncodingError:
        return None
    return text if exact else None


def outcome_of_exception(exc: BaseException) -> Outcome:
    """Return the outcome of a program that raised.

    The traceback has the program's frames alone, with chained causes. The exception itself is kept where it can be
    pickled and opened again. Nothing about the exception, such as a failing ``__str__``, makes this raise.
    """
    name = type(exc).__name__
    message = _message(exc)
    return Outcome(
        ok=False,
        exception_type=name,
        exception_text=f"{name}: {message}" if message else name,
        traceback=_traceback(exc),
        exception=_pickled(exc),
        interrupted=isinstance(exc, (KeyboardInterrupt, JobCancelledError)),
    )


def value_of(outcome: Outcome, decoder: type[json.JSONDecoder] | None = None) -> Any:
    """Return the value that a program returned. It may unpickle: only for the process that asks for the result.

    Parameters
    ----------
    outcome
        An outcome that is ok.
    decoder
        A JSON decoder class; a value that was kept as a pickle has no use for it.
    """
    if outcome.body is None:
        return None
    if outcome.encoding == "pickle":
        return loads(outcome.body)
    return decode(outcome.body.decode("utf-8"), decoder)


def exception_of(outcome: Outcome) -> BaseException | None:
    """Return the exception that a program raised, None where it cannot be had in this process."""
    if outcome.exception is None:
        return None
    try:
        exc = loads(outcome.exception)
    except Exception:  # noqa: BLE001 - its class may be missing here, or fail to open; its text and traceback are kept
        return None
    return exc if isinstance(exc, BaseException) else None


def _message(exc: BaseException) -> str:
    try:
        text = str(exc)
    except Exception as failure:  # noqa: BLE001 - the exception's own __str__ is anybody's code
        text = f"<its text cannot be had: {type(failure).__name__}>"
    return _storable(_cut(text, _MAX_MESSAGE))


def _traceback(exc: BaseException) -> str:
    try:
        told = traceback.TracebackException.from_exception(exc, compact=True)
        _drop_own_frames(told, set())
        text = "".join(_cut(line, _MAX_LINE) for line in told.format())
    except Exception as failure:  # noqa: BLE001 - formatting calls the exceptions' and their causes' own code
        text = f"<the traceback cannot be formatted: {type(failure).__name__}>\n{_message(exc)}"
    return _storable(_cut(text, _MAX_TRACEBACK))


def _drop_own_frames(told: traceback.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    frames = list(told.stack)
    entrance = next((place for place, frame in enumerate(frames) if (frame.filename, frame.name) in _ENTRANCES), None)
    inside = frames if entrance is None else frames[entrance + 1 :]
    kept = [frame for frame in inside if not frame.filename.startswith(_PACKAGE)]
    if kept or entrance is not None:
        # A builtin leaves no frame of its own; an error before the entrance is jobdeck's, and needs its frames.
        told.stack[:] = kept
    for linked in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        if linked is not None:
            _drop_own_frames(linked, seen)


def _pickled(exc: BaseException) -> bytes | None:
    try:
        data = dumps(exc)
        if len(data) > _MAX_EXCEPTION or type(loads(data)) is not type(exc):
            return None
    except Exception:  # noqa: BLE001 - an exception that does not survive the way is left out; its text stays
        return None
    return data


def _cut(text: str, limit: int) -> str:
    """Keep both ends of a long text, since either may tell what went wrong."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")

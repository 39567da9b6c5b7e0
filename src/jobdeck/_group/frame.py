"""A group as a table for pandas: what went in, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .._errors import InvalidInputError
from .._ports import Store
from .._program import InputsReader
from .._records import JobQuery, JobRecord, Outcome, Payload
from .._status import JobStatus

if TYPE_CHECKING:
    import pandas

AT_ONCE: Final = 500
"""Jobs whose results or inputs are read at a time."""
_OWN: Final = ("status", "result")


def make_frame(
    store: Store,
    job_ids: Sequence[str],
    outcomes_of: Callable[[list[str]], Mapping[str, Outcome]],
    value_of: Callable[[JobRecord, Outcome], Any],
) -> pandas.DataFrame:
    """Return a row for each of these jobs: its inputs, its status and, where it is DONE, its result.

    An input whose value cannot be had here stands as the short text that people see.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            "to_frame() makes a pandas frame, and pandas is not here: pip install pandas"
        ) from error
    reader = InputsReader()
    rows: list[dict[str, Any]] = []
    there: list[str] = []
    for some in chunks(job_ids):
        found = {record.job_id: record for record in store.jobs(JobQuery(job_ids=tuple(some)))}
        payloads = store.payloads(some)
        done = [job_id for job_id in some if job_id in found and found[job_id].status == JobStatus.DONE]
        outcomes = outcomes_of(done)
        for job_id in some:
            if job_id not in found:
                continue
            record = found[job_id]
            inputs = _inputs(reader, record, payloads.get(job_id))
            left = outcomes.get(job_id)
            result = None if left is None else value_of(record, left)
            named = {f"input.{name}" if name in _OWN else name: value for name, value in inputs.items()}
            rows.append({**named, "status": str(record.status), "result": result})
            there.append(job_id)
    columns = dict.fromkeys(name for row in rows for name in row if name not in _OWN)
    table = {name: [row.get(name) for row in rows] for name in (*columns, *_OWN)}
    frame: pandas.DataFrame = pandas.DataFrame(table, index=pandas.Index(there, name="job_id", dtype=object))
    return frame


def chunks(job_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Return ids in parts that the store reads at a time."""
    return (job_ids[begin : begin + AT_ONCE] for begin in range(0, len(job_ids), AT_ONCE))


def _inputs(reader: InputsReader, record: JobRecord, payload: Payload | None) -> Mapping[str, Any]:
    if payload is None or record.source is not None:
        return record.inputs_preview
    try:
        return reader.read(payload)
    except Exception:  # noqa: BLE001 - opening a pickle runs the values' own code, and imports
        return record.inputs_preview

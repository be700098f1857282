"""Records of a run on disk: one JSON line an item, appended as it is answered, so that a killed run goes on where it stopped."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from vision_zero.errors import EvaluationError, one_line
from vision_zero.evaluation.benchmarks.json_files import write_atomically
from vision_zero.evaluation.suite import Record

_LOGGER = logging.getLogger(__name__)

SCHEMA: pa.Schema = pa.schema(
    {
        "benchmark": pa.string(),
        "answerer": pa.string(),
        "key": pa.string(),
        "prompt": pa.string(),
        "response": pa.string(),
        "extraction": pa.string(),
        "prediction": pa.string(),
        "answers": pa.list_(pa.string()),
        "is_right": pa.bool_(),
        "is_answered": pa.bool_(),
        "fault": pa.string(),
        "also": pa.map_(pa.string(), pa.bool_()),
        "groups": pa.map_(pa.string(), pa.list_(pa.string())),
    }
)


def read_records(path: Path) -> list[Record]:
    """The records of a file, in the order in which they were written; none if there is no file.

    A last line without its end is the trace of a killed run and is skipped. Of an item that was asked again, because it had
    become another one, the last record counts.

    Raises:
        EvaluationError: another line is no record, or an item occurs twice.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {one_line(error, 200)}") from error
    records: dict[str, Record] = {}
    for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            record = Record.model_validate_json(line)
        except ValidationError as error:
            raise EvaluationError(f"{path}, line {number} is no record of an answer; remove the file to start again") from error
        if record.key in records and records[record.key].asked == record.asked:
            raise EvaluationError(f"{path}, line {number}: item {record.key} occurs twice; remove the file to start again")
        records[record.key] = record
    return list(records.values())


@contextmanager
def appending(path: Path) -> Iterator[Callable[[Sequence[Record]], None]]:
    """Hold the file of records: nobody else may write it, and a torn last line is cut off. While another run holds it, as another
    one's with the same base and suites may, this one waits.

    Yields:
        Writes records in one call and waits until they are on the disk: after a kill each is there whole or not at all.

    Raises:
        EvaluationError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {one_line(error, 200)}") from error

    def append(records: Sequence[Record]) -> None:
        data = "".join(f"{record.model_dump_json()}\n" for record in records).encode()
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)

    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _LOGGER.warning("another run is writing %s: this one waits until it ends, and takes its answers over", path)
            fcntl.flock(handle, fcntl.LOCK_EX)
        data = path.read_bytes()
        os.ftruncate(handle, data.rfind(b"\n") + 1)
        yield append
    finally:
        os.close(handle)


def write_jsonl(records: Sequence[Record], path: Path) -> None:
    """The records as JSON lines, all or none."""
    write_atomically(path, "".join(f"{record.model_dump_json()}\n" for record in records))


def write_parquet(records: Sequence[Record], path: Path) -> None:
    """The records as a table: prompt, response, extraction and verdict of each item."""
    rows = [{**record.model_dump(include=set(SCHEMA.names) - {"also", "groups"}), **_pairs(record)} for record in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)


def _pairs(record: Record) -> dict[str, list[tuple[str, object]]]:
    return {"also": list(record.also.items()), "groups": [(name, list(values)) for name, values in record.groups.items()]}

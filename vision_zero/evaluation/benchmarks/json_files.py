"""JSON in files of unknown origin: every fault is one line that names the file and says what to do."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vision_zero import atomic_dir
from vision_zero.data.json_csv import text_of as decoded
from vision_zero.errors import EvaluationError, PairsError, one_line
from vision_zero.text import well_formed

Row = dict[str, Any]
_GZIP = b"\x1f\x8b"


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark; a file that gzip compressed is unpacked.

    Raises:
        EvaluationError: there is no such file, or it is no such text.
    """
    try:
        data = path.read_bytes()
        return decoded(gzip.decompress(data) if data.startswith(_GZIP) else data, str(path))
    except (OSError, EOFError, zlib.error, PairsError) as error:
        raise EvaluationError(f"{path} cannot be read as text: {one_line(error, 200)}") from error


def rows_of(text: str, name: str) -> list[Row]:
    """The records of JSON text: a list of objects, also under a key; an object of objects by id, each of which then has its id
    as ``pid``; the columns of a table by name, or as pandas splits it; or JSON lines.

    Raises:
        EvaluationError: the text is no such JSON, or an id occurs twice.
    """
    try:
        loaded = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, name))
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{") and _is_object(text.lstrip().partition("\n")[0]):
            return lines_of(text, name)
        raise EvaluationError(f"{name} is not JSON: {one_line(error, 200)}") from error
    if isinstance(loaded, dict) and {"results", "configs"} <= loaded.keys():
        raise EvaluationError(f"{name} holds the scores of lmms-eval: give its file of samples, *_samples_*.jsonl")
    loaded = _unwrapped(loaded)
    if isinstance(loaded, dict):
        loaded = [
            {**value, "pid": str(value.get("pid") or key)} if isinstance(value, dict) else value for key, value in loaded.items()
        ]
    if not isinstance(loaded, list) or not all(isinstance(row, dict) for row in loaded):
        raise EvaluationError(f"{name} must hold a list of objects, or an object that maps each pid to one")
    return loaded


def lines_of(text: str, name: str) -> list[Row]:
    """The objects of JSON lines; empty lines are skipped.

    Raises:
        EvaluationError: a line is no JSON object; the message gives its number.
    """
    if text.lstrip().startswith("["):
        return rows_of(text, name)
    rows = []
    # Only a line feed ends a line: U+2028, U+0085 and the like may stand inside a JSON text as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvaluationError(f"{name}, line {number} is not JSON: {one_line(error, 200)}") from error
        if not isinstance(row, dict):
            raise EvaluationError(f"{name}, line {number} must be a JSON object")
        rows.append(row)
    return rows


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half of it.

    Raises:
        EvaluationError: the folder cannot be written to.
    """
    try:
        atomic_dir.write_atomically(path, well_formed(text))
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {one_line(error, 200)}") from error


def json_text(value: Any) -> str:
    """JSON as the official results are written: indented, in Unicode."""
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


def json_lines(rows: Iterable[Row]) -> str:
    """A line of JSON for each row, in Unicode."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def absent(value: Any) -> bool:
    """Is it None, or the NaN that tables put where nothing is?"""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str:
    """A cell as text that can be stored: nothing for an absent one; whole floats without their point."""
    if absent(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return well_formed(str(value))


def reply_of(value: Any, name: str) -> str:
    """A reply as text, which may be alone in a list.

    Raises:
        EvaluationError: it is an object, or a list of several.
    """
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | dict):
        kind = "an object" if isinstance(value, dict) else f"a list of {len(value)}"
        raise EvaluationError(f"{name} is {kind}: give its text")
    return text_of(value)


def _unwrapped(loaded: Any) -> Any:
    """The rows of a table by columns, or under a key; anything else as it is."""
    if not isinstance(loaded, dict):
        return loaded
    if isinstance(loaded.get("prediction"), dict):
        columns = {column: values for column, values in loaded.items() if isinstance(values, dict)}
        return [{column: values.get(key) for column, values in columns.items()} for key in columns["prediction"]]
    if isinstance(loaded.get("prediction"), list):
        lists = {column: values for column, values in loaded.items() if isinstance(values, list)}
        if len({len(values) for values in lists.values()}) == 1:
            return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    named = [key for key, value in loaded.items() if isinstance(value, list) and all(isinstance(row, dict) for row in value)]
    key = next((key for key in ("logs", "data", *named[:1]) if isinstance(loaded.get(key), list)), None)
    if key is None:
        return loaded
    rows = loaded[key]
    names = loaded.get("columns")
    if isinstance(names, list) and all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return [dict(zip(names, row, strict=True)) for row in rows]
    return rows


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _unique(pairs: Iterable[tuple[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise EvaluationError(f"{name}: {key!r} occurs twice; keep one record of it")
        found[key] = value
    return found

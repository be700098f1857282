"""JSON in files of unknown origin: every fault is one line that names the file and says what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vision_zero.errors import EvaluationError

Row = dict[str, Any]


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        EvaluationError: there is no such file, or it is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read as text: {one_line(error)}") from error


def rows_of(text: str, name: str) -> list[Row]:
    """The records of JSON text: a list of objects, an object of objects by id, each of which then has its id as ``pid``, or the
    columns of a table by name, each with its values by row, as pandas writes them.

    Raises:
        EvaluationError: the text is no such JSON, or an id occurs twice.
    """
    try:
        loaded = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, name))
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{name} is not JSON: {one_line(error)}") from error
    if isinstance(loaded, dict) and isinstance(loaded.get("prediction"), dict):
        columns = {column: values for column, values in loaded.items() if isinstance(values, dict)}
        loaded = [{column: values.get(key) for column, values in columns.items()} for key in columns["prediction"]]
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
    rows = []
    # Only a line feed ends a line: U+2028, U+0085 and the like may stand inside a JSON text as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvaluationError(f"{name}, line {number} is not JSON: {one_line(error)}") from error
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
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {one_line(error)}") from error


def json_text(value: Any) -> str:
    """JSON as the official results are written: indented, in Unicode."""
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


def absent(value: Any) -> bool:
    """Is it None, or the NaN that tables put where nothing is?"""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str:
    """A cell as text: nothing for an absent one; whole floats without their point."""
    if absent(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def one_line(error: object, longest: int = 200) -> str:
    """An error's text on one line, cut to a length."""
    return " ".join(str(error).split())[:longest]


def _unique(pairs: Iterable[tuple[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise EvaluationError(f"{name}: {key!r} occurs twice; keep one record of it")
        found[key] = value
    return found

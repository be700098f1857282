"""Rows of JSON and CSV files, in the forms that people and published data sets use."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from collections.abc import Mapping
from typing import Any

from vision_zero.data.split_names import split_named
from vision_zero.errors import PairsError, one_line

Row = dict[str, Any]
_DELIMITERS = ",;\t|"


def text_of(data: bytes, path: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with a byte order mark.

    Raises:
        PairsError: it is neither.
    """
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise PairsError(f"{path}: not a text in UTF-8, save it so ({one_line(error)})") from error


def rows_of_json(text: str, path: str) -> list[Row]:
    """The rows of a JSON file: a list of objects, also under a key; objects by id; columns of equal length; or one object.

    Raises:
        PairsError: it is no JSON, or none of these.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PairsError(f"{path}: not a readable JSON file ({one_line(error)})") from error
    rows = _rows(found) or ([found] if isinstance(found, dict) and found else None)
    if rows is None:
        raise PairsError(f"{path}: holds no rows: a list of objects is needed, one for each pair")
    return rows


def _rows(found: object) -> list[Row] | None:
    if isinstance(found, list):
        return found if found and all(isinstance(row, dict) for row in found) else None
    if not isinstance(found, dict) or not found:
        return None
    values = list(found.values())
    if all(map(split_named, found)) and all(isinstance(value, list) for value in values):
        # One list for each split; the rows say which.
        return [{"split": split, **row} for split, own in found.items() for row in own if isinstance(row, dict)]
    if all(isinstance(value, dict) for value in values):
        return _turned(found) or values
    if len(values) > 1 and all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    return next((rows for value in values if (rows := _rows(value)) is not None), None)


def _turned(found: Mapping[str, Mapping[str, Any]]) -> list[Row] | None:
    """Rows of pandas' ``to_json()``: columns first, each with the values by the row's number."""
    first, *others = found.values()
    if not first or not all(key.isdigit() for key in first) or any(other.keys() != first.keys() for other in others):
        return None
    return [{column: values[key] for column, values in found.items()} for key in first]


def rows_of_csv(text: str, path: str) -> list[Row]:
    """The rows of a CSV file with a header, parted by commas, semicolons, tabs or bars: by what gives most lines as many cells
    as the header has.

    Raises:
        PairsError: it is no CSV.
    """
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= len("sep=;"):
        text = rest
    # The module's limit of 131,072 characters is too little for a picture as base64.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    delimiters = "\t" if path.lower().endswith(".tsv") and "\t" in text.partition("\n")[0] else _DELIMITERS
    tries = [_parted(text, delimiter) for delimiter in delimiters]
    lines = max((lines for lines in tries if not isinstance(lines, csv.Error)), key=_evenness, default=[])
    if not lines and isinstance(tries[0], csv.Error):
        raise PairsError(f"{path}: not a readable CSV file ({one_line(tries[0])})") from tries[0]
    header = [name.strip() for name in lines[0]] if lines else []
    return [dict(zip(header, [*line, *[None] * (len(header) - len(line))], strict=False)) for line in lines[1:]]


def _parted(text: str, delimiter: str) -> list[list[str]] | csv.Error:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
        return [line for line in reader if any(line)]
    except csv.Error as error:
        return error


def _evenness(lines: list[list[str]]) -> tuple[float, int]:
    """The share of lines with as many cells as the header, where it has several; and how many it has."""
    width = len(lines[0]) if lines else 0
    return (sum(len(line) == width for line in lines) / len(lines) if width > 1 else 0.0), width

"""Rows of JSON and CSV files, in the forms that people and published data sets use."""

from __future__ import annotations

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


def rows_of_json(data: bytes, path: str) -> list[Row]:
    """The rows of a JSON file: a list of objects, also under a key; objects by id; or columns of equal length.

    Raises:
        PairsError: it is no JSON, or none of these.
    """
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise PairsError(f"{path}: not a readable JSON file ({one_line(error)})") from error
    rows = _rows(found)
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


def rows_of_csv(data: bytes, path: str) -> list[Row]:
    """The rows of a CSV file with a header, separated by commas, semicolons, tabs or bars.

    Raises:
        PairsError: it is not readable text or no CSV.
    """
    try:
        text = data.decode("utf-8-sig")
        # The module's limit of 131,072 characters is too little for a picture as base64.
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [{key: value for key, value in row.items() if key is not None} for row in reader]
    except (ValueError, csv.Error) as error:
        raise PairsError(f"{path}: not a readable CSV file ({one_line(error)})") from error

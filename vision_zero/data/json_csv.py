"""Rows of JSON and CSV files, in the forms that people and published data sets use."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vision_zero.data.split_names import split_named
from vision_zero.errors import PairsError, one_line

Row = dict[str, Any]
DELIMITERS = ",;\t|"


class HoldsNoRowsError(PairsError):
    """It is JSON, but no table."""


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


def rows_of_json(text: str, path: str, named_lines: bool) -> Sequence[Row | PairsError]:
    """The rows of a JSON file: a list of objects, also under a key; objects by id; columns of equal length; or one object; or of
    a file of JSON lines, with what is wrong with a line in its place.

    Args:
        named_lines: its name says that it has lines; but these are often named .json, and a list of rows .jsonl.

    Raises:
        HoldsNoRowsError: it is JSON, but none of these.
        PairsError: it is no JSON, or holds several such lists.
    """
    if not text.strip():
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = _json_lines(text, path)
        if isinstance(error, ValueError):
            # No document as a whole: lines, where one of them is an object.
            if any(isinstance(row, dict) and row for row in lines):
                return lines
            if named_lines and lines:
                raise PairsError(f"{path}: not a file of JSON lines; {lines[0]}") from None
        if named_lines:
            return lines
        raise PairsError(f"{path}: not a readable JSON file ({one_line(error)})") from error
    if named_lines and not isinstance(found, list):
        return _json_lines(text, path)
    rows = _rows(found, path) or ([found] if isinstance(found, dict) and found else None)
    if rows is None:
        raise HoldsNoRowsError(f"{path}: holds no rows: a list of objects is needed, one for each pair")
    return rows


def _json_lines(text: str, path: str) -> list[Row | PairsError]:
    """The object of each line. Only line feeds end lines: a text may hold every other separator as it is."""
    found: list[Row | PairsError] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            found.append(PairsError(f"{path}: line {number} is no JSON ({one_line(error)})"))
        else:
            found.append(row if isinstance(row, dict) else PairsError(f"{path}: line {number} is no JSON object"))
    return found


def _rows(found: object, path: str) -> Sequence[Row | PairsError] | None:
    wrong = PairsError(f"{path}: a row of a list is no JSON object")
    if isinstance(found, list):
        return [row if isinstance(row, dict) else wrong for row in found] if any(isinstance(row, dict) for row in found) else None
    if not isinstance(found, dict) or not found:
        return None
    values = list(found.values())
    if all(map(split_named, found)) and all(isinstance(value, list) for value in values):
        named = _of_splits(found, wrong)
        return named if any(row is not wrong for row in named) else None
    if all(isinstance(value, dict) for value in values):
        return _turned(found) or values
    if len(values) > 1 and all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    return _under_a_key(found, path, wrong)


def _under_a_key(found: Mapping[str, Any], path: str, wrong: PairsError) -> Sequence[Row | PairsError] | None:
    """The first rows under a key; of several lists whose rows have the same keys all, if these name splits."""
    kinds: dict[frozenset[str], dict[str, list[Any]]] = {}
    for key, value in found.items():
        first = next((row for row in value if isinstance(row, dict)), None) if isinstance(value, list) else None
        if first is not None:
            kinds.setdefault(frozenset(first), {})[key] = value
    alike = next((lists for lists in kinds.values() if len(lists) > 1), {})
    if not alike:
        return next((rows for value in found.values() if (rows := _rows(value, path)) is not None), None)
    if not all(map(split_named, alike)):
        raise PairsError(f"{path}: holds several lists of like rows ({', '.join(alike)}): make one of them, or a file of each")
    return _of_splits(alike, wrong)


def _of_splits(lists: Mapping[str, list[Any]], wrong: PairsError) -> list[Row | PairsError]:
    """The rows of a list for each split, which say whose they are."""
    return [{"split": split, **row} if isinstance(row, dict) else wrong for split, own in lists.items() for row in own]


def _turned(found: Mapping[str, Mapping[str, Any]]) -> list[Row] | None:
    """Rows of pandas' ``to_json()``: columns first, each with the values by the row's number."""
    first, *others = found.values()
    if not first or not all(key.isdigit() for key in first) or any(other.keys() != first.keys() for other in others):
        return None
    return [{column: values[key] for column, values in found.items()} for key in first]


def rows_of_csv(text: str, path: str) -> list[Row | PairsError]:
    """The rows of a CSV file with a header, parted by what gives most lines as many cells as the header has; with what is wrong
    in the place of a row that has more, of which nobody can tell what belongs where. Raises as :func:`lines_of_csv` does."""
    delimiters = "\t" if path.lower().endswith(".tsv") and "\t" in _without_hint(text).partition("\n")[0] else DELIMITERS
    lines, _ = lines_of_csv(text, path, _evenness, delimiters, skip_spaces=True)
    header = [name.strip() for name in lines[0]] if lines else []
    rows: list[Row | PairsError] = []
    for number, line in enumerate(lines[1:], start=1):
        if any(map(str.strip, line[len(header) :])):
            wrong = f"row {number} below the header has {len(line)} cells, and the header {len(header)}"
            rows.append(PairsError(f"{path}: {wrong}: a text with the delimiter in it needs quotes"))
        else:
            rows.append(dict(zip(header, [*line, *[None] * (len(header) - len(line))], strict=False)))
    if rows and isinstance(rows[0], PairsError) and not any(isinstance(row, dict) for row in rows):
        raise rows[0]
    return rows


def lines_of_csv(
    text: str, path: str, evenness: Callable[[list[list[str]]], Any], delimiters: str = DELIMITERS, *, skip_spaces: bool = False
) -> tuple[list[list[str]], str]:
    """The lines of a CSV file that are not empty, as cells, and what parts these: the delimiter that gives the evenest lines, the
    first of equal ones.

    Raises:
        PairsError: it is no CSV.
    """
    # The module's limit of 131,072 characters is too little for an image as base64.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    text = _without_hint(text)
    read: dict[str, list[list[str]]] = {}
    problem: tuple[int, csv.Error] | None = None
    for delimiter in delimiters:
        cells = io.StringIO(text, newline="")
        try:
            lines = csv.reader(cells, delimiter=delimiter, strict=True, skipinitialspace=skip_spaces)
            read[delimiter] = [line for line in lines if any(map(str.strip, line))]
        except csv.Error as error:
            problem = problem or (lines.line_num, error)
    best = max(read, key=lambda delimiter: evenness(read[delimiter]), default=",")
    if problem is not None and all(len(line) == 1 for line in read.get(best, ())):
        number, fault = problem
        raise PairsError(f"{path}: not a readable CSV file (line {number}: {one_line(fault)})") from fault
    return read.get(best, []), best


def _without_hint(text: str) -> str:
    """Without the first line that tells Excel the delimiter: "sep=;"."""
    first, _, rest = text.partition("\n")
    return rest if first.strip().lower().startswith("sep=") and len(first.strip()) <= len("sep=;") else text


def _evenness(lines: list[list[str]]) -> tuple[float, int]:
    """The share of lines with as many cells as the header, where it has several; and how many it has."""
    width = len(lines[0]) if lines else 0
    return (sum(len(line) == width for line in lines) / len(lines) if width > 1 else 0.0), width

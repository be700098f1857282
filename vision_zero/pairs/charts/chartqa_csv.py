"""A table of ChartQA: its CSV file and annotation, read into rows and columns of numbers.

The tables were partly read from pictures by machine: cells may be missing or hold words, and names may occur twice. Such rows
and columns are left out.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_zero.errors import PairsError
from vision_zero.texts import flat

LEAST_FILLED = 0.6
"""A column counts if at least this share of its cells are numbers."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by row and column: ``values[column][row]``; ``annotation`` is ChartQA's name for the chart's type."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    is_percent: bool
    title: str = ""
    annotation: str = ""

    def turned(self) -> Table:
        """Rows and columns exchanged."""
        values = tuple(zip(*self.values, strict=True))
        return Table(self.columns, self.rows, values, self.is_percent, self.title, self.annotation)


def parsed(text: str, path: str, notes: Mapping[str, Any]) -> Table:
    """The table of a CSV file's text, without the rows and columns that are no numbers.

    Raises:
        PairsError: fewer than two rows or no column of numbers are left.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise PairsError(f"{path}: not a CSV file: {error}") from error
    if len(lines) < 3 or len(lines[0]) < 2:
        raise PairsError(f"{path}: not a table: it needs a header, a column of names, a column of numbers and two rows")
    header, body = lines[0], [line for line in lines[1:] if len(line) == len(lines[0])]
    cells = [[_number(cell) for cell in line[1:]] for line in body]
    kept = [
        column
        for column, name in enumerate(header[1:])
        if sum(row[column] is not None for row in cells) >= max(1.0, LEAST_FILLED * len(cells)) and not _is_repeated(name, header)
    ]
    rows: dict[str, tuple[float, ...]] = {}
    for line, numbers in zip(body, cells, strict=True):
        values = tuple(value for column in kept if (value := numbers[column]) is not None)
        if line[0].strip() and len(values) == len(kept):
            rows.setdefault(_clean(line[0]), values)
    if not kept or len(rows) < 2:
        raise PairsError(f"{path}: holds fewer than two rows of numbers")
    return Table(
        rows=tuple(rows),
        columns=tuple(_clean(header[column + 1]) for column in kept),
        values=tuple(zip(*rows.values(), strict=True)),
        is_percent="%" in text,
        title=_clean(str(_inside(notes, "general_figure_info", "title", "text"))),
        annotation=str(notes.get("type", "")),
    )


def _number(cell: str) -> float | None:
    text = re.sub(r"[\s,%$€£]", "", cell).replace("\N{MINUS SIGN}", "-")
    try:
        value = float(text)
    except ValueError:
        return None
    return round(value, 4) if math.isfinite(value) and abs(value) < 1e12 else None


def _is_repeated(name: str, header: list[str]) -> bool:
    """pandas wrote a second column of one name as "name.1"."""
    base, dot, digits = name.rpartition(".")
    return bool(dot) and digits.isdigit() and base in header


def _clean(name: str) -> str:
    return flat(name)


def _inside(notes: Mapping[str, Any], *keys: str) -> Any:
    found: Any = notes
    for key in keys:
        found = found.get(key, "") if isinstance(found, dict) else ""
    return found

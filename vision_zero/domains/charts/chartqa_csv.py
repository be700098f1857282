"""A table of ChartQA: its CSV file and annotation, read into rows and columns of numbers.

The tables were partly read from images by machine: cells may be missing or hold words, and names may occur twice. Such rows
and columns are left out. Tables of one's own may be parted by ";" or tabs, begin with a line that is their title, and number
their rows or give codes before the names.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from vision_zero.data.json_csv import lines_of_csv
from vision_zero.domains.charts.long_tables import LEAST_FILLED, spread
from vision_zero.domains.charts.number_formats import Column, is_unit, name_and_unit, read_columns, reading
from vision_zero.errors import PairsError
from vision_zero.text import single_line

LEAST_SEEN = 0.02
"""Columns whose numbers are all smaller than this share of the largest of another column share no axis with it."""
_DELIMITERS = "\t;|,"
_YEARS = range(1500, 2101)
_CODE = re.compile(r"[A-Z]{2,3}|[a-z]{2}")
_RANK = re.compile(r"[=T]?\d+ ?(?:st|nd|rd|th|[=.)º]+)?", re.IGNORECASE)
_MISSING = frozenset(("", "-", "–", "—", ".", "..", "...", ":", "*", "n/a", "na", "n.a.", "nan", "null", "none", "x"))
_SUM_TOLERANCE = 0.002
"""A first or last row that differs by no more than this share from the sum of at least three others is their sum ("World")."""
_TOTAL = re.compile(
    r"(?:grand |sub-?\s?)?totals?[:.]?|total g[ée]n[ée]ral|totals?\s*[,:(–—-].*|(?:.*\S\s)?(?:grand |sub-?)total"
    r"|sum|overall|all|all \(.*\)|(?:summe )?(?:insgesamt|gesamt)|summe(?: gesamt)?|suma"
    r"|totale|totaal|totalt|razem|celkem|yhteensä|toplam|jumlah|합계|총계|소계|итого|всего"
    r"|合[计計]|[总總総][计計数]|小[计計]|共[计計]|المجموع|الإجمالي|مجموع|कुल|योग|tổng(?: cộng)?"
    r"|(?:.*\S\s)?(?:averages?|mean|median|durchschnitt|mittelwert)|avg\.?|ø(?:\s.*)?"
    r"|moyenne|promedio|média|media|среднее|平均[值値]?|평균",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*:?-{2,}:?\s*")  # below the header of a Markdown table
_MARKUP = (
    (re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"), ""),  # control characters, but for spaces
    (re.compile(r"^\s*'(.*)'\s*$", re.DOTALL), r"\1"),
    (re.compile(r"<br\s?/?>", re.IGNORECASE), " "),
    (re.compile(r"</?(?:b|i|u|strong|em|a|span|small|sup|sub)\b[^<>]*>", re.IGNORECASE), ""),
    (re.compile(r"(?<=[^\s\[])(?:\[(?:\w{1,2}|note \d+)\])+(?=\s*$)"), ""),
    (re.compile(r"^\s*(\*\*|__)(.+)\1(?=\s*$)"), r"\2"),
)
_SUM_WORD = re.compile(r"\b(?:totals?|sum|all|overall|gesamt|insgesamt|summe|suma|combined)\b", re.IGNORECASE)
COUNTING = frozenset(
    ("", "#", "no", "no.", "nr", "nr.", "rank", "ranking", "position", "pos", "pos.", "place", "platz", "rang", "index", "id")
)
"""Headers of first columns that number the rows."""
RANKS = frozenset(("#", "rank", "ranking", "platz", "rang"))
_CODES = re.compile(r"(?:.*\b)?(?:codes?|iso ?[\d-]*|ids?|uuid|key|fips|m49|zip|plz|ags|nuts ?\d?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """Numbers by row and column: ``values[column][row]``; ``annotation`` is ChartQA's name for the chart's type.

    Attributes:
        units: of each column, "%" or what stands at its numbers or in its header; empty where nothing does.
        row_title: what the rows are; ``value_title`` what the numbers are. Empty where nothing says so.
        left_out: what was not taken from the file, one phrase each.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    units: tuple[str, ...]
    title: str = ""
    annotation: str = ""
    row_title: str = ""
    value_title: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of all columns; empty where they have several."""
        return self.units[0] if len(set(self.units)) == 1 else ""

    def turned(self) -> ParsedTable:
        """Rows and columns exchanged, of a table whose columns have one unit."""
        values = tuple(zip(*self.values, strict=True))
        units = (self.unit,) * len(self.rows)
        return replace(self, rows=self.columns, columns=self.rows, values=values, units=units, row_title="")

    def of_unit(self, unit: str) -> ParsedTable:
        """The columns of that unit alone: those of different units share no axis."""
        return self._of([column for column, own in enumerate(self.units) if own == unit])

    def by_scale(self) -> list[ParsedTable]:
        """The table in parts whose columns can be seen beside each other: none is lower than ``LEAST_SEEN`` of the highest."""
        heights = [max(map(abs, values)) for values in self.values]
        groups: list[list[int]] = []
        for column in sorted(range(len(heights)), key=heights.__getitem__, reverse=True):
            if not groups or heights[column] < LEAST_SEEN * heights[groups[-1][0]]:
                groups.append([])
            groups[-1].append(column)
        seen = [group for group in groups if heights[group[0]] > 0] or groups
        return [self._of(sorted(group)) for group in seen]

    def _of(self, kept: Sequence[int]) -> ParsedTable:
        columns, values = tuple(self.columns[column] for column in kept), tuple(self.values[column] for column in kept)
        return replace(self, columns=columns, values=values, units=tuple(self.units[column] for column in kept))


def parsed(text: str, path: str, notes: Mapping[str, Any]) -> ParsedTable:
    """The table of a CSV file's text, without the rows and columns that are no numbers.

    Raises:
        PairsError: fewer than two rows or no column of numbers are left.
    """
    lines, delimiter = lines_of_csv(text, path, _evenness, _DELIMITERS)
    lines = [[_without_markup(cell) for cell in line] for line in lines]
    lines = [line for line in lines if any(cell.strip() and not _RULE.fullmatch(cell) for cell in line)]
    heading, lines = _without_heading(_without_empty_ends(lines))
    lines, given_units = _one_header(lines)
    if len(lines) < 3 or len(lines[0]) < 2:
        raise PairsError(f"{path}: not a table: it needs a header, a column of names, a column of numbers and two rows")
    left_out, heading_below = list[str](), ""
    if wide := spread(lines):
        heading_below, unit = name_and_unit(wide.title)
        lines, left_out, given_units = wide.lines, list(wide.left_out), [unit] * len(wide.lines[0])
    header, body = lines[0], [line for line in lines[1:] if len(line) == len(lines[0])]
    if len(body) < 2:
        raise PairsError(f"{path}: holds fewer than two rows as long as its header")
    columns = read_columns([[line[place] for line in body] for place in range(len(header))], delimiter == ";")
    named = _name_column(header, body, columns)
    kept = [place for place in range(len(header)) if place != named and _counts(place, named, header, columns)]
    names = [name_and_unit(cell) for cell in header]
    twice = [place for place in kept if names[place] in names[:place] or _is_repeated(header[place], header)]
    kept = [place for place in kept if place not in twice]
    rows: dict[str, tuple[float, ...]] = {}
    for number, line in enumerate(body):
        values = tuple(value for place in kept if (value := columns[place].values[number]) is not None)
        if line[named].strip() and len(values) == len(kept):
            rows.setdefault(single_line(line[named]), values)
    if not kept or len(rows) < 2:
        raise PairsError(f"{path}: holds fewer than two rows of numbers")
    if lost := len(lines) - 1 - len(rows):
        left_out.append(f"rows without a name or a number, or named twice: {lost}")
    if twice:
        left_out.append(f"columns named twice: {len(twice)}")
    sparse = [place for place, column in enumerate(columns) if set(column.values) != {None} and not _is_filled(column)]
    if few := [single_line(header[place]) for place in sparse if place != named]:
        left_out.append(f"columns with few numbers: {', '.join(few)}")
    table = ParsedTable(
        rows=tuple(rows),
        columns=tuple(names[place][0] for place in kept),
        values=tuple(zip(*rows.values(), strict=True)),
        units=tuple(columns[place].unit or names[place][1] or (given_units[place] if given_units else "") for place in kept),
        title=single_line(str(_inside(notes, "general_figure_info", "title", "text"))) or heading or heading_below,
        annotation=str(notes.get("type", "")),
        row_title=single_line(header[named]),
        value_title=_value_title(notes),
        left_out=tuple(left_out),
    )
    return _without_totals(table, path)


def _evenness(lines: list[list[str]]) -> float:
    """The share of lines that have the same number of cells, more than one."""
    widths = Counter(len(line) for line in lines if len(line) > 1)
    return max(widths.values(), default=0) / max(1, len(lines))


def _without_empty_ends(lines: list[list[str]]) -> list[list[str]]:
    """The lines without empty cells behind the header's last one: many programs end each line of numbers with a delimiter."""
    width = len(lines[0]) if lines else 0
    ends_there = width > 1 and not any(cell.strip() for line in lines for cell in line[width:])
    return [line[:width] for line in lines] if ends_there else lines


def _without_heading(lines: list[list[str]]) -> tuple[str, list[list[str]]]:
    """The title that stands above the header, and the lines from the header on."""
    widths = Counter(map(len, lines))
    width = max(widths, key=lambda size: (widths[size] if size > 1 else 0, size), default=0)
    first = 0
    while first < len(lines) - 3 and (
        len(lines[first]) != width or sum(bool(cell.strip()) for cell in lines[first]) == 1 < width
    ):
        first += 1
    first += _is_title_of_cells(lines[first:])
    heading = [", ".join(cell.strip() for cell in line if cell.strip()) for line in lines[:first]]
    return single_line(" ".join(heading).lstrip("# ")), lines[first:]


def _without_markup(cell: str) -> str:
    """The cell without quotation marks, emphasis, tags, entities and footnotes, as tables of web pages and Markdown have them."""
    text = cell
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return html.unescape(text)


def _is_title_of_cells(lines: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is a title that a comma parts into as many cells as the table has: "Sales by shop, 2020"."""
    if len(lines) < 4 or not any(cell.startswith(" ") for cell in lines[0]) or any(cell.startswith(" ") for cell in lines[1]):
        return False
    return all(cell.strip().lower() not in _MISSING and reading(cell) is None for cell in lines[1])


def _one_header(lines: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """The lines with one header, and the units where a line below it holds them.

    A second header stands below one whose cells are empty or repeated where they span several columns ("2019, , 2020, ").
    """
    if len(lines) < 4 or len(lines[0]) != len(lines[1]):
        return lines, []
    first, second = lines[0], [cell.strip() for cell in lines[1]]
    if any(reading(cell) is not None for cell in second[1:]):
        return lines, []
    if not second[0] and all(not cell or is_unit(cell.strip("()[]")) for cell in second[1:]) and any(second):
        return [first, *lines[2:]], [cell.strip("()[]") for cell in second]
    spans = [cell.strip() for cell in first[1:]]
    if len(set(spans)) == len(spans) or any(cell.lower() in _MISSING for cell in second[1:]):
        return lines, []
    above = ""
    header = [second[0] or first[0]]
    for cell, below in zip(spans, second[1:], strict=True):
        above = cell or above
        header.append(f"{above} {below}".strip())
    return [header, *lines[2:]], []


def _name_column(header: Sequence[str], body: Sequence[Sequence[str]], columns: Sequence[Column]) -> int:
    """The column that names the rows: the first, but for those that number them and codes right before their names."""
    words = [place for place in range(len(header)) if _are_names(place, body, columns)]
    named = 0
    if _numbers_rows(header[0], columns[0]) or _are_ranks(header[0], body) or is_code(header[0]):
        named = next((place for place in words if place > 0), 0)
    cells = [line[named].strip() for line in body]
    return named + 1 if named + 1 in words and all(map(_CODE.fullmatch, filter(None, cells))) else named


def _are_names(place: int, body: Sequence[Sequence[str]], columns: Sequence[Column]) -> bool:
    cells = [line[place].strip() for line in body]
    different = len(set(filter(None, cells))) > 0.8 * len(cells)
    return different and sum(value is not None for value in columns[place].values) < 0.2 * len(cells)


def _are_ranks(name: str, body: Sequence[Sequence[str]]) -> bool:
    """Whether the first column ranks the rows: "1st", "2=", "=2", "T3", "4."."""
    cells = [line[0].strip() for line in body if line[0].strip()]
    return bool(cells) and all(map(_RANK.fullmatch, cells)) and (key_of(name) in COUNTING or not all(map(str.isdigit, cells)))


def _numbers_rows(name: str, column: Column) -> bool:
    values = [value for value in column.values if value is not None]
    if len(values) < LEAST_FILLED * len(column.values):
        return False
    counts = values[0] in (0, 1) and all(after - before in (0, 1, 2) for before, after in pairwise(values))
    return key_of(name) in COUNTING or (counts and len(values) == len(column.values))


def _counts(place: int, named: int, header: Sequence[str], columns: Sequence[Column]) -> bool:
    """Is this a column of numbers to draw, which say more than the row's place or time?"""
    name, column = header[place], columns[place]
    if not _is_filled(column):
        return False
    key = key_of(name)
    if key in RANKS or (place < named and (key in COUNTING or is_code(name) or _numbers_rows(name, column))):
        return False
    return not (key == "year" and all(value in (*_YEARS, None) for value in column.values))


def _is_filled(column: Column) -> bool:
    return sum(value is not None for value in column.values) >= max(1.0, LEAST_FILLED * len(column.values))


def key_of(name: str) -> str:
    return single_line(name).lower()


def _without_totals(table: ParsedTable, path: str) -> ParsedTable:
    """The table without its sums: exchanged like a part, they would contradict the parts."""
    rows = [place for place, name in enumerate(table.rows) if not is_total(name)]
    rows = next((others for end in (-1, 0) if (others := _parts(table, rows, end))), rows)
    columns = [place for place, name in enumerate(table.columns) if not is_total(name)]
    columns = columns or list(range(len(table.columns)))
    if len(rows) < 2:
        raise PairsError(f"{path}: holds fewer than two rows of numbers beside the total")
    names = [table.rows[place] for place in range(len(table.rows)) if place not in rows]
    names += [table.columns[place] for place in range(len(table.columns)) if place not in columns]
    return replace(
        table,
        rows=tuple(table.rows[place] for place in rows),
        columns=tuple(table.columns[place] for place in columns),
        values=tuple(tuple(table.values[column][row] for row in rows) for column in columns),
        units=tuple(table.units[place] for place in columns),
        left_out=(*table.left_out, f"totals, which are no parts: {', '.join(names)}") if names else table.left_out,
    )


def _parts(table: ParsedTable, rows: Sequence[int], end: int) -> list[int]:
    """The other rows, where the first or the last one is their sum in every column; else none."""
    others = [place for place in rows if place != rows[end]] if rows else []
    # Where the name has a word of sums, fewer parts and smaller numbers tell enough.
    is_named = bool(rows) and _SUM_WORD.search(table.rows[rows[end]]) is not None
    if len(others) < (2 if is_named else 3):
        return []
    sums = [(column[rows[end]], sum(column[place] for place in others)) for column in table.values]
    are_sums = all(total > 0 and abs(total - parts) <= _SUM_TOLERANCE * total for total, parts in sums)
    by_chance = (
        not is_named and len(sums) == 1 and sums[0][0] < 100
    )  # small numbers of one column often add up; so does a half of shares
    return others if are_sums and not by_chance else []


def _is_repeated(name: str, header: Sequence[str]) -> bool:
    """pandas wrote a second column of one name as "name.1"."""
    base, dot, digits = name.rpartition(".")
    return bool(dot) and digits.isdigit() and base in header


def _value_title(notes: Mapping[str, Any]) -> str:
    axis = "x_axis" if notes.get("type") == "h_bar" else "y_axis"
    return single_line(str(_inside(notes, "general_figure_info", axis, "label", "text")))


def _inside(notes: Mapping[str, Any], *keys: str) -> Any:
    found: Any = notes
    for key in keys:
        found = found.get(key, "") if isinstance(found, dict) else ""
    return found


def is_total(name: str) -> bool:
    """Whether a row or column of this name is the sum or mean of others."""
    return _TOTAL.fullmatch(name) is not None


def is_code(header: str) -> bool:
    """Whether a column of this header holds codes or keys of what the rows are."""
    return _CODES.fullmatch(single_line(header)) is not None

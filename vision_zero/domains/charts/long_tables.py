"""Tables with a line for each number ("France, 2019, 82.8", "North, Apples, 5"), spread to rows and columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.domains.charts.number_formats import reading
from vision_zero.domains.charts.times import moments

LEAST_FILLED = 0.6
"""Columns of numbers, and tables of two sorts of names, have at least this share of their cells."""
_CODE = re.compile(r"[A-Z]{2,4}")


@dataclass(frozen=True, slots=True)
class Spread:
    """The header and the lines; what the numbers are, or of what; and what was left out."""

    lines: list[list[str]]
    title: str
    left_out: tuple[str, ...] = ()


def spread(lines: Sequence[Sequence[str]]) -> Spread | None:
    """The table by times, or by the more numerous of two sorts of names; None where no two columns name its lines together.

    Of a single thing all columns of numbers are kept, of several ones the first.
    """
    header, body = lines[0], [[cell.strip() for cell in line] for line in lines[1:] if len(line) == len(lines[0])]
    columns = list(zip(*body, strict=True))
    times = [place for place, cells in enumerate(columns) if all(cells) and moments(cells)]
    things = [place for place, cells in enumerate(columns) if place not in times and _are_things(cells)]
    numbers = [place for place, cells in enumerate(columns) if place not in (*times, *things) and _are_numbers(cells)]
    named = [place for place in things if not all(map(_CODE.fullmatch, columns[place]))] or things
    varied = [place for place in named if len(set(columns[place])) > 1]
    keys = _keys(columns, times, varied or named)
    if keys is None or not numbers:
        return None
    row, column = keys
    cells = {(line[row], line[column]): line for line in body}
    names, rows = list(dict.fromkeys(columns[column])), list(dict.fromkeys(columns[row]))
    if len(cells) != len(body) or len(cells) < LEAST_FILLED * len(names) * len(rows):
        return None
    if len(names) == 1:
        return Spread([[line[place] for place in (row, *numbers)] for line in [list(header), *body]], names[0])
    value = numbers[0]
    filled = [[key, *(cells[key, name][value] if (key, name) in cells else "" for name in names)] for key in rows]
    others = (f"columns beside {header[value].strip()}: {len(numbers) - 1}",) if len(numbers) > 1 else ()
    return Spread([[header[row], *names], *filled], header[value].strip(), others)


def _keys(columns: Sequence[Sequence[str]], times: Sequence[int], things: Sequence[int]) -> tuple[int, int] | None:
    """The columns that become the rows' names and the columns' names."""
    if len(times) == 1 and things:
        return times[0], things[0]
    if times or len(things) != 2 or min(len(set(columns[place])) for place in things) < 2:
        return None
    few, many = sorted(things, key=lambda place: len(set(columns[place])))
    return many, few


def _are_things(cells: Sequence[str]) -> bool:
    """Words, some of them more than once."""
    return all(cells) and len(set(cells)) < len(cells) and not any(map(reading, cells))


def _are_numbers(cells: Sequence[str]) -> bool:
    return sum(reading(cell) is not None for cell in cells) >= LEAST_FILLED * len(cells)

"""Measurements of chart pairs: does the change log agree with the two tables, can every text be read?

What the tables say differs is told in the words that an edit's log uses: the log must say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast, get_args

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.chart import Chart, cells, from_facts, mark_at
from vision_zero.domains.charts.config import ChartEdit
from vision_zero.domains.charts.phrases import (
    category_color_phrase,
    mark_phrase,
    place_phrase,
    position_axis_phrase,
    series_color_phrase,
    series_phrase,
    series_place_phrase,
    value_axis_phrase,
)
from vision_zero.domains.charts.render import legibility_problems
from vision_zero.domains.pair_rules import UNREADABLE, disagreement, log_fault
from vision_zero.errors import PairsError, one_line

TOUCHED: Mapping[ChartEdit, frozenset[str]] = {
    "swap_values": frozenset({"series"}),
    "change_values": frozenset({"series"}),
    "swap_series": frozenset({"series"}),
    "relabel": frozenset({"categories", "series"}),
    "recolor": frozenset({"categories", "colors", "series", "style"}),
    "reorder": frozenset({"categories", "colors", "series"}),
    "change_axis": frozenset({"axis", "position_axis"}),
}
"""The fields of a chart that each kind of edit may change."""
T = TypeVar("T")
Difference = tuple[str, str]
"""What the original shows, and what the modified chart shows instead."""


def measure(pair: ImagePair) -> dict[str, Any]:
    """What is wrong with the log, and with the texts; None where nothing is."""
    return {"log_fault": log_fault(_log_against_tables, pair), "text_fault": _text_fault(pair)}


def _log_against_tables(pair: ImagePair) -> str:
    before, after = (from_facts(facts)[0] for facts in (pair.original_facts, pair.modified_facts))
    kinds = {change.kind for change in pair.changes}
    if len(kinds) != 1 or not kinds <= set(get_args(ChartEdit)):
        return f"one edit of a chart is expected, but the log has {', '.join(sorted(kinds)) or 'none'}"
    kind = cast(ChartEdit, kinds.pop())
    if moved := strays(before, after, kind):
        return f"the {' and the '.join(moved)} of the chart differs too"
    logged = Counter((each.before, each.after) for each in pair.changes)
    return disagreement(Counter(differences(before, after, kind)), logged, "table")


def _text_fault(pair: ImagePair) -> str | None:
    try:
        return next(
            (problem for facts in (pair.original_facts, pair.modified_facts) for problem in legibility_problems(facts)), None
        )
    except PairsError:
        return None  # `log_fault` says so.
    except UNREADABLE as error:
        return f"it cannot be drawn: {one_line(error)}"


def differences(before: Chart, after: Chart, kind: ChartEdit) -> list[Difference]:
    """The differences of that kind, as (before, after) phrases."""
    if kind in ("swap_values", "change_values"):
        changed = [cell for cell in cells(before) if mark_at(before, cell) != mark_at(after, cell)]
        return _told(mark_phrase, before, after, changed)
    if kind == "swap_series":
        rows = zip(before.series, after.series, strict=True)
        return [(series_phrase(old), series_phrase(new)) for old, new in rows if series_phrase(old) != series_phrase(new)]
    if kind == "relabel":
        return [(f"label {old}", f"label {new}") for old, new in zip(_names(before), _names(after), strict=True) if old != new]
    if kind == "recolor":
        return _recolored(before, after)
    if kind == "reorder":
        places = [place for place, name in enumerate(before.categories) if name != after.categories[place]]
        rows_moved = [row for row, series in enumerate(before.series) if series.name != after.series[row].name]
        return _told(place_phrase, before, after, places) + _told(series_place_phrase, before, after, rows_moved)
    found = []
    if before.axis != after.axis:
        found.append((value_axis_phrase(before), value_axis_phrase(after)))
    if before.position_axis is not None and after.position_axis is not None and before.position_axis != after.position_axis:
        found.append((position_axis_phrase(before), position_axis_phrase(after)))
    return found


def _told(phrase: Callable[[Chart, T], str], before: Chart, after: Chart, parts: Iterable[T]) -> list[Difference]:
    return [(phrase(before, part), phrase(after, part)) for part in parts]


def strays(before: Chart, after: Chart, kind: ChartEdit) -> list[str]:
    """The fields that differ though an edit of that kind does not touch them."""
    names = [field.name for field in fields(Chart)]
    return [name for name in names if getattr(before, name) != getattr(after, name) and name not in TOUCHED[kind]]


def _names(chart: Chart) -> list[str]:
    return [*chart.categories, *(series.name for series in chart.series)]


def _recolored(before: Chart, after: Chart) -> list[Difference]:
    if before.colors:
        places = [place for place, color in enumerate(before.colors) if color != after.colors[place]]
        return _told(category_color_phrase, before, after, places)
    if before.type == "heat_map":
        rows = [0] if before.style.color_map != after.style.color_map else []
    else:
        rows = [row for row, series in enumerate(before.series) if series.color != after.series[row].color]
        # A box plot's five rows of numbers are one thing.
        rows = rows[:1] if before.type == "box_plot" else rows
    return _told(series_color_phrase, before, after, rows)

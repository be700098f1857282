"""Edits of a chart: of its values, names, colours, order and axes.

The paper exchanges the values of two categories; the other edits are further details that a spy's image may differ in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from vision_zero.domains.charts.chart import (
    SLICED,
    Chart,
    DataPoint,
    Range,
    cells,
    fits_axes,
    has_fixed_total,
    is_stacked,
    mark_at,
    span,
    value_at,
    with_mark,
    with_series,
)
from vision_zero.domains.charts.compact import COMPACT_COLORS, STEP, is_plain
from vision_zero.domains.charts.config import ChartEdit, ChartsConfig
from vision_zero.domains.charts.palette import HEAT_MAPS, all_colors, color_name, distance
from vision_zero.domains.charts.parts import Part, colors_of, in_order, painted, told, with_label
from vision_zero.domains.charts.ticks import nice_range, precision_of
from vision_zero.domains.charts.topics import other_names
from vision_zero.randomness import one_of, some_of, weighted

VALUE_TRIES = 40
LEAST_MARK = 0.05
"""A changed value keeps at least this share of the axis, so that its mark stays visible."""
LEAST_SLICE = 0.03
"""A slice keeps at least this share of the whole."""
LEAST_APART = 0.1
"""Points of a scatter plot that change places are at least this share of the axis apart."""
COLOR_DISTANCE = 0.14
"""A new colour differs at least this much (OKLab) from the others and from the background."""
AXIS_GROWTH = (1.35, 1.7, 2.1)
"""Factors by which an axis may grow."""


@dataclass(frozen=True, slots=True)
class EditedChart:
    """The modified chart, the name of the edit, and the parts that it changed."""

    chart: Chart
    kind: ChartEdit
    parts: tuple[Part, ...]


def edit_chart(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """An edit of ``chart``, or None where the kind that was drawn does not suit it: then another chart should be tried."""
    kind = weighted(config.edits, rng)
    made = _EDITS[kind](config, chart, rng)
    # Equal values, or series that differ only where they are cut short, make no change that can be told.
    if made is None or any(told(chart, kind, part) == told(made.chart, kind, part) for part in made.parts):
        return None
    return made


def swap_values(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Two marks exchange their values: of one series, or of one column where series are stacked."""
    pairs = [pair for pair in combinations(cells(chart), 2) if _can_swap(config, chart, *pair)]
    most = int(rng.integers(config.min_changes, config.max_changes + 1))
    chosen: list[tuple[DataPoint, DataPoint]] = []
    edited = chart
    for one, other in some_of(pairs, len(pairs), rng):
        if len(chosen) == most:
            break
        if any(cell in pair for pair in chosen for cell in (one, other)):
            continue
        swapped = with_mark(with_mark(edited, one, mark_at(edited, other)), other, mark_at(edited, one))
        if fits_axes(swapped):
            chosen.append((one, other))
            edited = swapped
    if len(chosen) < config.min_changes:
        return None
    return EditedChart(edited, "swap_values", tuple(cell for pair in chosen for cell in pair))


def change_values(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Marks take new values; where the values are parts of a whole, another part gives or takes the difference."""
    most = int(rng.integers(config.min_changes, config.max_changes + 1))
    free = some_of(cells(chart), len(cells(chart)), rng)
    edited, touched, count = chart, list[DataPoint](), 0
    while free and count < most:
        cell = free.pop()
        partners = [other for other in free if _share_a_whole(chart, cell, other)] if has_fixed_total(chart) else [None]
        for partner in partners:
            changed = _changed(config, edited, cell, partner, rng)
            if changed is not None:
                edited, count = changed, count + 1
                touched.append(cell)
                if partner is not None:
                    free.remove(partner)
                    touched.append(partner)
                break
    return EditedChart(edited, "change_values", tuple(touched)) if count >= config.min_changes else None


def swap_series(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Two series exchange their values; names and colours stay."""
    if chart.type == "box_plot" or len(chart.series) < 2:
        return None
    least = config.min_difference * span(chart)
    pairs = list(combinations(range(len(chart.series)), 2))
    for one, other in some_of(pairs, len(pairs), rng):
        first, second = chart.series[one], chart.series[other]
        same_points = first.positions == second.positions
        if same_points and max(abs(a - b) for a, b in zip(first.values, second.values, strict=True)) < least:
            continue
        new_first = replace(first, values=second.values, positions=second.positions)
        new_second = replace(second, values=first.values, positions=first.positions)
        swapped = with_series(with_series(chart, one, new_first), other, new_second)
        return EditedChart(swapped, "swap_series", (one, other))
    return None


def relabel(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Categories get other names of the same sort; where these are years or bins, series do.

    Two names of a sort that :mod:`vocabulary` does not know are exchanged.
    """
    of_categories = bool(chart.categories) and not chart.ordered
    old = chart.categories if of_categories else tuple(series.name for series in chart.series)
    if not of_categories and (len(old) < 2 or chart.type == "box_plot"):
        return None
    count = _count(config, len(old), rng)
    places, fresh = sorted(some_of(range(len(old)), count, rng)), other_names(old, count, rng)
    if len(fresh) < count and config.min_changes == 1:
        places = sorted(some_of(range(len(old)), 2, rng))
        fresh = [old[place] for place in reversed(places)]
    if not places or len(fresh) < len(places):
        return None

    first, edited = 0 if of_categories else len(chart.categories), chart
    for place, name in zip(places, fresh, strict=True):
        edited = with_label(edited, first + place, name)
    return EditedChart(edited, "relabel", tuple(first + place for place in places))


def recolor(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Categories or series get colours that the chart does not show yet; a heat map gets another colour map."""
    if chart.type == "heat_map":
        name = one_of([name for name in HEAT_MAPS if name != chart.style.color_map], rng)
        edited = replace(chart, style=replace(chart.style, color_map=name))
        return EditedChart(edited, "recolor", (0,)) if config.min_changes == 1 else None
    room = len(colors_of(chart))
    count = _count(config, room, rng)
    fresh = _fresh_colors(chart, count, rng)
    if count == 0 or len(fresh) < count:
        return None
    places, edited = sorted(some_of(range(room), count, rng)), chart
    for place, color in zip(places, fresh, strict=True):
        edited = painted(edited, place, color)
    return EditedChart(edited, "recolor", tuple(places))


def reorder(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Two categories change places; where these are years or bins, two stacked or grouped series do."""
    if config.min_changes > 1:
        return None
    if chart.categories and not chart.ordered:
        one, other = sorted(some_of(range(len(chart.categories)), 2, rng))
        order = list(range(len(chart.categories)))
        order[one], order[other] = other, one
        return EditedChart(in_order(chart, order), "reorder", (one, other))
    if is_stacked(chart) or chart.type in ("grouped_bars", "heat_map"):
        one, other = sorted(some_of(range(len(chart.series)), 2, rng))
        rows = list(chart.series)
        rows[one], rows[other] = rows[other], rows[one]
        first = len(chart.categories)
        return EditedChart(replace(chart, series=tuple(rows)), "reorder", (first + one, first + other))
    return None


def change_axis(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """One axis covers another range; the data stay."""
    if chart.type in SLICED or config.min_changes > 1:
        return None
    name = "position_axis" if chart.position_axis is not None and rng.random() < 0.5 else "axis"
    wider: Any = {name: one_of(_wider(chart, getattr(chart, name)), rng)}
    return EditedChart(replace(chart, **wider), "change_axis", (name,))


_EDITS: dict[ChartEdit, Callable[[ChartsConfig, Chart, np.random.Generator], EditedChart | None]] = {
    "swap_values": swap_values,
    "change_values": change_values,
    "swap_series": swap_series,
    "relabel": relabel,
    "recolor": recolor,
    "reorder": reorder,
    "change_axis": change_axis,
}


def _can_swap(config: ChartsConfig, chart: Chart, one: DataPoint, other: DataPoint) -> bool:
    difference = abs(value_at(chart, one) - value_at(chart, other))
    if not _share_a_whole(chart, one, other) or difference < config.min_difference * span(chart):
        return False
    if chart.position_axis is None:
        return True
    positions = chart.series[one.series].positions
    return abs(positions[one.place] - positions[other.place]) >= LEAST_APART * (chart.position_axis[1] - chart.position_axis[0])


def _share_a_whole(chart: Chart, one: DataPoint, other: DataPoint) -> bool:
    return one.place == other.place if is_stacked(chart) else one.series == other.series


def _changed(
    config: ChartsConfig, chart: Chart, cell: DataPoint, partner: DataPoint | None, rng: np.random.Generator
) -> Chart | None:
    compact = chart.style.look == "compact"
    low, high = _bounds(chart, cell, partner)
    old, step = value_at(chart, cell), STEP if compact else 10.0 ** -_precision(chart)
    decimals = max(6, 0 if compact else _precision(chart))
    for _ in range(VALUE_TRIES if high > low else 0):
        new = round(round(rng.uniform(low, high) / step) * step, decimals)
        if not low <= new <= high or abs(new - old) < config.min_difference * span(chart):
            continue
        changed = with_mark(chart, cell, tuple(round(part + new - old, decimals) for part in mark_at(chart, cell)))
        if partner is not None:
            changed = with_mark(changed, partner, (round(value_at(chart, partner) + old - new, decimals),))
        if fits_axes(changed) and (not compact or is_plain(changed)):
            return changed
    return None


def _bounds(chart: Chart, cell: DataPoint, partner: DataPoint | None) -> tuple[float, float]:
    low, high = chart.axis
    if partner is not None:
        both = value_at(chart, cell) + value_at(chart, partner)
        least = LEAST_SLICE * (high - low)
        return least, both - least
    if is_stacked(chart):
        rest = sum(series.values[cell.place] for series in chart.series) - value_at(chart, cell)
        return low + LEAST_SLICE * (high - low), high - rest
    return low + LEAST_MARK * (high - low), high


def _precision(chart: Chart) -> int:
    """Decimals of the chart's values, no more than a millionth of the axis needs."""
    written = max(precision_of(value) for series in chart.series for value in series.values)
    return min(written, max(0, 6 - math.floor(math.log10(span(chart)))))


def _count(config: ChartsConfig, room: int, rng: np.random.Generator) -> int:
    """How many things to change out of ``room``; 0 where there is not enough room."""
    count = min(int(rng.integers(config.min_changes, config.max_changes + 1)), room)
    return count if count >= config.min_changes else 0


def _fresh_colors(chart: Chart, count: int, rng: np.random.Generator) -> list[str]:
    """Colours that stand apart from those of the chart and from each other, as many as there are up to ``count``."""
    compact = chart.style.look == "compact"
    options = tuple(COMPACT_COLORS.values()) if compact else all_colors()
    shown = [*chart.colors, *(series.color for series in chart.series if series.color)]
    taken = shown if compact else [*shown, chart.style.background, chart.style.panel]
    names = {color_name(color) for color in shown}
    least = 0.0 if compact else COLOR_DISTANCE
    fresh: list[str] = []
    for color in some_of(options, len(options), rng):
        if len(fresh) < count and color_name(color) not in names and all(distance(color, other) > least for other in taken):
            fresh.append(color)
            taken, names = [*taken, color], names | {color_name(color)}
    return fresh


def _wider(chart: Chart, axis: Range) -> list[Range]:
    low, high = axis
    ranges = {nice_range(low, low + growth * (high - low)) for growth in AXIS_GROWTH}
    if low > 0 and chart.type in ("lines", "scatter", "box_plot"):
        ranges.add(nice_range(0.0, high))
    return sorted(ranges - {axis})

"""Edits of a chart: of its values, names, colours, order and axes.

The paper exchanges the values of two categories; the other edits are further details that a spy's image may differ in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from vision_zero.domains.charts.chart import (
    SLICED,
    Chart,
    ChartChange,
    DataPoint,
    EditedChart,
    Range,
    cells,
    fits_axes,
    has_fixed_total,
    is_stacked,
    mark_at,
    span,
    value_at,
    with_item,
    with_mark,
    with_series,
)
from vision_zero.domains.charts.compact import COMPACT_COLORS, STEP, is_plain
from vision_zero.domains.charts.config import ChartEdit, ChartsConfig
from vision_zero.domains.charts.palette import HEAT_MAPS, all_colors, distance
from vision_zero.domains.charts.phrases import (
    category_color_phrase,
    color_name,
    mark_phrase,
    place_phrase,
    position_axis_phrase,
    series_color_phrase,
    series_phrase,
    series_place_phrase,
    value_axis_phrase,
)
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


def edit_chart(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """An edit of ``chart``, or None where the kind that was drawn does not suit it: then another chart should be tried."""
    return _EDITS[weighted(config.edits, rng)](config, chart, rng)


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
    return _of_marks(chart, edited, "swap_values", [cell for pair in chosen for cell in pair])


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
    return _of_marks(chart, edited, "change_values", touched) if count >= config.min_changes else None


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
        alone = (with_series(chart, one, new_first), with_series(chart, other, new_second))
        changes = tuple(
            ChartChange(series_phrase(before), series_phrase(after), None if is_stacked(chart) else part)
            for before, after, part in zip((first, second), (new_first, new_second), alone, strict=True)
        )
        return EditedChart(with_series(alone[0], other, new_second), "swap_series", changes)
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

    def renamed(names: Sequence[str]) -> Chart:
        if of_categories:
            return replace(chart, categories=tuple(names))
        return replace(chart, series=tuple(replace(row, name=name) for row, name in zip(chart.series, names, strict=True)))

    new, changes = list(old), []
    for place, name in zip(places, fresh, strict=True):
        new[place] = name
        alone = renamed(with_item(old, place, name))
        changes.append(ChartChange(f"label {old[place]}", f"label {name}", alone))
    return EditedChart(renamed(new), "relabel", tuple(changes))


def recolor(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Categories or series get colours that the chart does not show yet; a heat map gets another colour map."""
    if chart.type == "heat_map":
        name = one_of([name for name in HEAT_MAPS if name != chart.style.color_map], rng)
        edited = replace(chart, style=replace(chart.style, color_map=name))
        change = ChartChange(series_color_phrase(chart, 0), series_color_phrase(edited, 0))
        return EditedChart(edited, "recolor", (change,)) if config.min_changes == 1 else None
    places = len(chart.colors) or (1 if chart.type == "box_plot" else len(chart.series))
    count = _count(config, places, rng)
    fresh = _fresh_colors(chart, count, rng)
    if count == 0 or len(fresh) < count:
        return None
    edited, changes = chart, []
    for place, color in zip(sorted(some_of(range(places), count, rng)), fresh, strict=True):
        phrase = category_color_phrase if chart.colors else series_color_phrase
        edited, alone = _painted(edited, place, color), _painted(chart, place, color)
        changes.append(ChartChange(phrase(chart, place), phrase(alone, place), alone))
    return EditedChart(edited, "recolor", tuple(changes))


def reorder(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """Two categories change places; where these are years or bins, two stacked or grouped series do."""
    if config.min_changes > 1:
        return None
    if chart.categories and not chart.ordered:
        one, other = sorted(some_of(range(len(chart.categories)), 2, rng))
        return _with_places_exchanged(chart, one, other)
    if is_stacked(chart) or chart.type in ("grouped_bars", "heat_map"):
        one, other = sorted(some_of(range(len(chart.series)), 2, rng))
        rows = list(chart.series)
        rows[one], rows[other] = rows[other], rows[one]
        edited = replace(chart, series=tuple(rows))
        changes = tuple(
            ChartChange(series_place_phrase(chart, place), series_place_phrase(edited, place)) for place in (one, other)
        )
        return EditedChart(edited, "reorder", changes)
    return None


def change_axis(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """One axis covers another range; the data stay."""
    if chart.type in SLICED or config.min_changes > 1:
        return None
    if chart.position_axis is not None and rng.random() < 0.5:
        edited, phrase = replace(chart, position_axis=one_of(_wider(chart, chart.position_axis), rng)), position_axis_phrase
    else:
        edited, phrase = replace(chart, axis=one_of(_wider(chart, chart.axis), rng)), value_axis_phrase
    return EditedChart(edited, "change_axis", (ChartChange(phrase(chart), phrase(edited)),))


_EDITS: dict[ChartEdit, Callable[[ChartsConfig, Chart, np.random.Generator], EditedChart | None]] = {
    "swap_values": swap_values,
    "change_values": change_values,
    "swap_series": swap_series,
    "relabel": relabel,
    "recolor": recolor,
    "reorder": reorder,
    "change_axis": change_axis,
}


def _of_marks(chart: Chart, edited: Chart, kind: ChartEdit, touched: list[DataPoint]) -> EditedChart:
    joint = has_fixed_total(chart) or is_stacked(chart)
    changes = tuple(
        ChartChange(
            mark_phrase(chart, cell),
            mark_phrase(edited, cell),
            None if joint else with_mark(chart, cell, mark_at(edited, cell)),
        )
        for cell in touched
    )
    return EditedChart(edited, kind, changes)


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


def _painted(chart: Chart, place: int, color: str) -> Chart:
    """The chart with that category, or series, in another colour; a box plot's series have one colour together."""
    if not chart.colors:
        rows = range(len(chart.series)) if chart.type == "box_plot" else (place,)
        for row in rows:
            chart = with_series(chart, row, replace(chart.series[row], color=color))
        return chart
    edited = replace(chart, colors=with_item(chart.colors, place, color))
    if chart.style.look == "full":
        return edited
    return replace(edited, categories=with_item(chart.categories, place, color_name(color)))


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


def _in_order(chart: Chart, order: Sequence[int]) -> Chart:
    """The chart with category ``order[i]`` in place i."""
    return replace(
        chart,
        categories=tuple(chart.categories[place] for place in order),
        colors=tuple(chart.colors[place] for place in order) if chart.colors else (),
        series=tuple(replace(series, values=tuple(series.values[place] for place in order)) for series in chart.series),
    )


def _with_places_exchanged(chart: Chart, one: int, other: int) -> EditedChart:
    order = list(range(len(chart.categories)))
    order[one], order[other] = other, one
    edited = _in_order(chart, order)
    changes = []
    for place in (one, other):
        # Alone, the newcomer stands in this place as well as in its own.
        alone = None if has_fixed_total(chart) else _in_order(chart, [*range(place), order[place], *range(place + 1, len(order))])
        changes.append(ChartChange(place_phrase(chart, place), place_phrase(edited, place), alone))
    return EditedChart(edited, "reorder", tuple(changes))


def _wider(chart: Chart, axis: Range) -> list[Range]:
    low, high = axis
    ranges = {nice_range(low, low + growth * (high - low)) for growth in AXIS_GROWTH}
    if low > 0 and chart.type in ("lines", "scatter", "box_plot"):
        ranges.add(nice_range(0.0, high))
    return sorted(ranges - {axis})

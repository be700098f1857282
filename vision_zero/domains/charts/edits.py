"""Edits of a chart: of its values (:mod:`value_edits`) and, here, of its names, colours, order and axes.

The paper exchanges the values of two categories; the other edits are further details that a spy's picture may differ in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vision_zero.domains.charts.chart import SLICED, Chart, ChartChange, EditedChart, Range
from vision_zero.domains.charts.compact import COMPACT_COLORS
from vision_zero.domains.charts.config import ChartEdit, ChartsConfig
from vision_zero.domains.charts.data_points import has_fixed_total, is_stacked
from vision_zero.domains.charts.palette import HEAT_MAPS, all_colors, distance
from vision_zero.domains.charts.phrases import (
    axis_phrase,
    category_color_phrase,
    color_name,
    place_phrase,
    series_color_phrase,
    series_place_phrase,
)
from vision_zero.domains.charts.ticks import nice_range
from vision_zero.domains.charts.topics import other_names
from vision_zero.domains.charts.value_edits import change_values, swap_series, swap_values
from vision_zero.randomness import one_of, some_of, weighted

COLOR_DISTANCE = 0.14
"""A new colour differs at least this much (OKLab) from the others and from the background."""
AXIS_GROWTH = (1.35, 1.7, 2.1)
"""Factors by which an axis may grow."""


def edit_chart(config: ChartsConfig, chart: Chart, rng: np.random.Generator) -> EditedChart | None:
    """An edit of ``chart``, or None where the kind that was drawn does not suit it: then another chart should be tried."""
    return _EDITS[weighted(config.edits, rng)](config, chart, rng)


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
        alone = renamed([*old[:place], name, *old[place + 1 :]])
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
        wider = one_of(_wider(chart, chart.position_axis), rng)
        edited = replace(chart, position_axis=wider)
        names = (axis_phrase(f"axis of {chart.position_name}", axis) for axis in (chart.position_axis, wider))
    else:
        wider = one_of(_wider(chart, chart.axis), rng)
        edited = replace(chart, axis=wider)
        name = "colour scale" if chart.type == "heat_map" else "value axis"
        names = (axis_phrase(name, axis) for axis in (chart.axis, wider))
    before, after = names
    return EditedChart(edited, "change_axis", (ChartChange(before, after),))


_EDITS: dict[ChartEdit, Callable[[ChartsConfig, Chart, np.random.Generator], EditedChart | None]] = {
    "swap_values": swap_values,
    "change_values": change_values,
    "swap_series": swap_series,
    "relabel": relabel,
    "recolor": recolor,
    "reorder": reorder,
    "change_axis": change_axis,
}


def _count(config: ChartsConfig, room: int, rng: np.random.Generator) -> int:
    """How many things to change out of ``room``; 0 where there is not enough room."""
    count = min(int(rng.integers(config.min_changes, config.max_changes + 1)), room)
    return count if count >= config.min_changes else 0


def _painted(chart: Chart, place: int, color: str) -> Chart:
    if chart.type == "box_plot" and not chart.colors:
        return replace(chart, series=tuple(replace(series, color=color) for series in chart.series))
    if not chart.colors:
        series = chart.series[place]
        return replace(chart, series=(*chart.series[:place], replace(series, color=color), *chart.series[place + 1 :]))
    colors = (*chart.colors[:place], color, *chart.colors[place + 1 :])
    if chart.style.look == "full":
        return replace(chart, colors=colors)
    names = (*chart.categories[:place], color_name(color), *chart.categories[place + 1 :])
    return replace(chart, colors=colors, categories=names)


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

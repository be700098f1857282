"""Edits of a chart's values: two values exchanged (the paper's), values changed, two series exchanged."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np

from vision_zero.domains.charts.chart import Chart, ChartChange, EditedChart
from vision_zero.domains.charts.compact import STEP, is_plain
from vision_zero.domains.charts.config import ChartEdit, ChartsConfig
from vision_zero.domains.charts.data_points import (
    DataPoint,
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
from vision_zero.domains.charts.phrases import mark_phrase, series_phrase
from vision_zero.domains.charts.ticks import precision_of
from vision_zero.randomness import some_of

VALUE_TRIES = 40
LEAST_MARK = 0.05
"""A changed value keeps at least this share of the axis, so that its mark stays visible."""
LEAST_SLICE = 0.03
"""A slice keeps at least this share of the whole."""
LEAST_APART = 0.1
"""Points of a scatter plot that change places are at least this share of the axis apart."""


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

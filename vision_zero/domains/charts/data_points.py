"""Reading and changing a chart's values one mark at a time.

A mark is what one value draws: a bar, a slice, a point of a line. In a box plot it is a whole box: its cell is the median's,
and its numbers are all five.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vision_zero.domains.charts.chart import SLICED, STACKED, Chart, Series

_MEDIAN = 2
_WHOLE = 0.5
"""Columns whose sums differ by less than this, and by less than that many percent, are parts of one whole."""


@dataclass(frozen=True, slots=True, order=True)
class DataPoint:
    """Row and column of the table."""

    series: int
    place: int


def cells(chart: Chart) -> list[DataPoint]:
    """The cell of every mark."""
    if chart.type == "box_plot":
        return [DataPoint(_MEDIAN, place) for place in range(len(chart.categories))]
    return [DataPoint(row, place) for row, series in enumerate(chart.series) for place in range(len(series.values))]


def value_at(chart: Chart, cell: DataPoint) -> float:
    return chart.series[cell.series].values[cell.place]


def mark_at(chart: Chart, cell: DataPoint) -> tuple[float, ...]:
    """The numbers that the mark is drawn from."""
    if chart.type == "box_plot":
        return tuple(series.values[cell.place] for series in chart.series)
    return (value_at(chart, cell),)


def with_mark(chart: Chart, cell: DataPoint, numbers: tuple[float, ...]) -> Chart:
    """The chart with the mark drawn from other numbers."""
    rows = range(len(chart.series)) if chart.type == "box_plot" else (cell.series,)
    series = list(chart.series)
    for row, value in zip(rows, numbers, strict=True):
        values = series[row].values
        series[row] = replace(series[row], values=(*values[: cell.place], value, *values[cell.place + 1 :]))
    return replace(chart, series=tuple(series))


def with_series(chart: Chart, row: int, series: Series) -> Chart:
    return replace(chart, series=(*chart.series[:row], series, *chart.series[row + 1 :]))


def span(chart: Chart) -> float:
    """The length against which differences of values are measured: the axis, or the largest slice."""
    return max(chart.series[0].values) if chart.type in SLICED else chart.axis[1] - chart.axis[0]


def is_stacked(chart: Chart) -> bool:
    """Do several series stand on top of each other, so that one value moves others' marks?"""
    return chart.type in STACKED and len(chart.series) > 1


def has_fixed_total(chart: Chart) -> bool:
    """Are the values parts of a whole that an edit must keep: a pie, or columns that have one and the same sum?"""
    if chart.type in SLICED:
        return True
    # The compact stack is one column: its categories lie on top of each other.
    if chart.type == "stacked_bars" and len(chart.series) == 1:
        return True
    if not is_stacked(chart):
        return False
    sums = column_sums(chart)
    return max(sums) - min(sums) < _WHOLE * min(1.0, max(sums) / 100)


def column_sums(chart: Chart) -> list[float]:
    return [sum(column) for column in zip(*(series.values for series in chart.series), strict=True)]


def fits_axes(chart: Chart) -> bool:
    """Does every mark lie within the axes?"""
    low, high = chart.axis
    slack = 1e-9 * (high - low)
    if chart.type in SLICED:
        return all(value > 0 for value in chart.series[0].values)
    if is_stacked(chart):
        positive = all(value >= 0 for series in chart.series for value in series.values)
        return positive and max(column_sums(chart)) <= high + _WHOLE * (high == 100) + slack
    inside = all(low - slack <= value <= high + slack for series in chart.series for value in series.values)
    if chart.position_axis is None:
        return inside
    left, right = chart.position_axis
    return inside and all(left <= place <= right for series in chart.series for place in series.positions)

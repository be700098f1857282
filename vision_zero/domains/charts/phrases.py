"""Short phrases for parts of a chart, as a person would say them."""

from __future__ import annotations

from vision_zero.domains.charts.chart import Chart, Range, Series
from vision_zero.domains.charts.color_names import color_name
from vision_zero.domains.charts.data_points import DataPoint, value_at
from vision_zero.domains.charts.palette import HEAT_MAPS
from vision_zero.domains.charts.ticks import number

_LISTED = 4
"""Values of a series that are spelled out before it is cut short."""


def mark_phrase(chart: Chart, cell: DataPoint) -> str:
    """The mark's value with what it belongs to: "value of Norway 43", "value of Coal in 2015: 43"."""
    value, series = number(value_at(chart, cell)), chart.series[cell.series]
    if chart.type == "scatter" and series.positions and chart.style.look == "full":
        place = f"({number(series.positions[cell.place])}, {value})"
        return f"point of {series.name} at {place}" if len(chart.series) > 1 else f"point at {place}"
    name = chart.categories[cell.place]
    # Two numbers in a row would read as one.
    name += ":" if name[-1:].isdigit() else ""
    if chart.type == "box_plot":
        return f"median of {name} {value}"
    if len(chart.series) > 1:
        return f"value of {series.name} in {name} {value}"
    return f"value of {name} {value}"


def series_phrase(series: Series) -> str:
    """The series with its values, or its first and last ones where there are many."""
    values = [number(value) for value in series.values]
    if len(values) > _LISTED:
        values = [*values[:2], "…", values[-1]]
    return f"{series.name} {', '.join(values)}"


def place_phrase(chart: Chart, place: int) -> str:
    return f"{chart.categories[place]} in place {place + 1}"


def series_place_phrase(chart: Chart, place: int) -> str:
    return f"{chart.series[place].name} in place {place + 1}"


def category_color_phrase(chart: Chart, place: int) -> str:
    """Such as "Norway in blue"; in the compact look, where the colour is the name, "blue bar 45"."""
    name = color_name(chart.colors[place])
    if chart.style.look == "compact":
        return f"{name} {_MARKS[chart.type]} {number(chart.series[0].values[place])}"
    return f"{chart.categories[place]} in {name}"


def series_color_phrase(chart: Chart, row: int) -> str:
    if chart.type == "heat_map":
        return f"{HEAT_MAPS.get(chart.style.color_map, chart.style.color_map)} colour scale"
    name = color_name(chart.series[row].color)
    if chart.type == "box_plot":
        return f"{name} boxes"
    return f"{chart.series[row].name} in {name}" if len(chart.series) > 1 else f"{name} {_MARKS[chart.type]}s"


def axis_phrase(name: str, axis: Range) -> str:
    return f"{name} from {number(axis[0])} to {number(axis[1])}"


_MARKS = {
    "vertical_bars": "bar",
    "horizontal_bars": "bar",
    "grouped_bars": "bar",
    "stacked_bars": "part",
    "lines": "point",
    "areas": "area",
    "pie": "slice",
    "doughnut": "slice",
    "scatter": "point",
    "box_plot": "box",
    "histogram": "bar",
    "heat_map": "cell",
}

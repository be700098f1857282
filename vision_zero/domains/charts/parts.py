"""The parts of a chart that edits change: which they are, how a person would tell them, and the chart in which one alone differs.

An edit says which parts it changed, and the check of the log finds those that differ: both are told in the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vision_zero.domains.charts.chart import (
    Chart,
    DataPoint,
    Series,
    cells,
    has_fixed_total,
    is_stacked,
    mark_at,
    value_at,
    with_item,
    with_mark,
    with_series,
)
from vision_zero.domains.charts.config import ChartEdit
from vision_zero.domains.charts.palette import HEAT_MAPS, color_name
from vision_zero.domains.charts.ticks import number

Part = DataPoint | int | str
"""A mark, of edits of values; the row of a series; the place among ``labels`` of a name that is changed or moved; the place among
``colors_of`` of a colour; the field of an axis."""
_LISTED = 4
"""Values of a series that are spelled out before it is cut short."""
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


def labels(chart: Chart) -> tuple[str, ...]:
    """The names of its categories, then those of its series."""
    return (*chart.categories, *(series.name for series in chart.series))


def colors_of(chart: Chart) -> tuple[str, ...]:
    """The colours of its categories or series; of a heat map the colour map, of a box plot the one colour of all boxes."""
    if chart.type == "heat_map":
        return (chart.style.color_map,)
    series = chart.series[:1] if chart.type == "box_plot" else chart.series
    return chart.colors or tuple(row.color for row in series)


def differing(before: Chart, after: Chart, kind: ChartEdit) -> list[Part]:
    """The parts in which two charts differ, of those that an edit of that kind changes.

    Raises:
        ValueError: one chart has more of them than the other.
    """
    if kind in ("swap_values", "change_values"):
        return [cell for cell in cells(before) if mark_at(before, cell) != mark_at(after, cell)]
    if kind == "change_axis":
        return [name for name in ("axis", "position_axis") if getattr(before, name) != getattr(after, name)]
    if kind == "swap_series":
        rows = zip(before.series, after.series, strict=True)
        return [row for row, (old, new) in enumerate(rows) if _series(old) != _series(new)]
    shown = colors_of if kind == "recolor" else labels
    return [place for place, (old, new) in enumerate(zip(shown(before), shown(after), strict=True)) if old != new]


def alone(before: Chart, after: Chart, kind: ChartEdit, part: Any) -> Chart | None:
    """The first chart with this part as the second one has it, which shows where in the image it is; None where it cannot be told
    apart from the other parts (a slice that grows moves its neighbours)."""
    joint = has_fixed_total(before) or is_stacked(before)
    if kind in ("swap_values", "change_values") and not joint:
        return with_mark(before, part, mark_at(after, part))
    if kind == "swap_series" and not joint:
        return with_series(before, part, after.series[part])
    if kind == "relabel":
        return with_label(before, part, labels(after)[part])
    if kind == "recolor" and before.type != "heat_map":
        return painted(before, part, colors_of(after)[part])
    if kind == "reorder" and part < len(before.categories) and not has_fixed_total(before):
        # The newcomer stands in this place as well as in its own.
        own = before.categories.index(after.categories[part])
        return in_order(before, [*range(part), own, *range(part + 1, len(before.categories))])
    return None


def with_label(chart: Chart, place: int, name: str) -> Chart:
    """The chart with another name in that place of its labels."""
    row = place - len(chart.categories)
    if row < 0:
        return replace(chart, categories=with_item(chart.categories, place, name))
    return with_series(chart, row, replace(chart.series[row], name=name))


def painted(chart: Chart, place: int, color: str) -> Chart:
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


def in_order(chart: Chart, order: Sequence[int]) -> Chart:
    """The chart with category ``order[i]`` in place i."""
    return replace(
        chart,
        categories=tuple(chart.categories[place] for place in order),
        colors=tuple(chart.colors[place] for place in order) if chart.colors else (),
        series=tuple(replace(series, values=tuple(series.values[place] for place in order)) for series in chart.series),
    )


def told(chart: Chart, kind: ChartEdit, part: Any) -> str:
    """The part as a person would say it, in a chart in which an edit of that kind changes it."""
    if kind in ("swap_values", "change_values"):
        return _mark(chart, part)
    if kind == "swap_series":
        return _series(chart.series[part])
    if kind == "recolor":
        return _color(chart, part)
    if kind == "change_axis":
        return _axis(chart, part)
    label = labels(chart)[part]
    if kind == "relabel":
        return f"label {label}"
    return f"{label} in place {1 + (part if part < len(chart.categories) else part - len(chart.categories))}"


def _mark(chart: Chart, cell: DataPoint) -> str:
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


def _series(series: Series) -> str:
    """The series with its values, or its first and last ones where there are many."""
    values = [number(value) for value in series.values]
    if len(values) > _LISTED:
        values = [*values[:2], "…", values[-1]]
    return f"{series.name} {', '.join(values)}"


def _color(chart: Chart, place: int) -> str:
    """Such as "Norway in blue"; in the compact look, where the colour is the name, "blue bar 45"."""
    color = colors_of(chart)[place]
    if chart.type == "heat_map":
        return f"{HEAT_MAPS.get(color, color)} colour scale"
    name = color_name(color)
    if chart.colors and chart.style.look == "compact":
        return f"{name} {_MARKS[chart.type]} {number(chart.series[0].values[place])}"
    if chart.colors:
        return f"{chart.categories[place]} in {name}"
    if chart.type == "box_plot":
        return f"{name} boxes"
    return f"{chart.series[place].name} in {name}" if len(chart.series) > 1 else f"{name} {_MARKS[chart.type]}s"


def _axis(chart: Chart, name: str) -> str:
    low, high = getattr(chart, name)
    axis = "colour scale" if chart.type == "heat_map" else "value axis" if name == "axis" else f"axis of {chart.position_name}"
    return f"{axis} from {number(low)} to {number(high)}"

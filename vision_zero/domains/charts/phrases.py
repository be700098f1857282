"""Short phrases for parts of a chart, as a person would say them, and what people call colours."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from vision_zero.domains.charts.chart import Chart, DataPoint, Range, Series, value_at
from vision_zero.domains.charts.compact import COMPACT_COLORS
from vision_zero.domains.charts.palette import HEAT_MAPS, lab
from vision_zero.domains.charts.ticks import number

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
_GREYISH = 0.035
"""Colourfulness (OKLab's chroma) below which a hue is hardly seen."""
_GREYS = ((0.25, "black"), (0.47, "dark gray"), (0.7, "gray"), (0.95, "light gray"), (2.0, "white"))
_DARKEST, _DARKEST_CHROMA = 0.25, 0.1
_Namer = Callable[[float, float, float], str]
"""Of lightness, chroma and hue."""


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


def value_axis_phrase(chart: Chart) -> str:
    return _axis_phrase("colour scale" if chart.type == "heat_map" else "value axis", chart.axis)


def position_axis_phrase(chart: Chart) -> str:
    """Of the other axis of a scatter plot."""
    return _axis_phrase(f"axis of {chart.position_name}", chart.position_axis or (0.0, 1.0))


def _axis_phrase(name: str, axis: Range) -> str:
    return f"{name} from {number(axis[0])} to {number(axis[1])}"


def _reddish(light: float, chroma: float, lightest: str, least: float) -> str:
    if chroma < 0.1 and (light < least or lightest == "orange"):
        return "brown" if light < 0.7 else "tan"
    if light >= least:
        return lightest
    return "dark red" if light < 0.47 else "red"


def _orangish(light: float, chroma: float, _hue: float) -> str:
    if (light >= 0.8 and chroma <= 0.11) or (light >= 0.7 and chroma < 0.1):
        return "tan"
    return "brown" if light < 0.57 or (chroma < 0.1 and light < 0.7) else "orange"


def _yellowish(light: float, chroma: float, hue: float) -> str:
    if light < 0.62:
        return "brown"
    if light >= 0.9:
        return "yellow"
    if chroma < 0.1:
        return "tan"
    if hue < 78:
        return "orange"
    return "yellow" if light >= 0.83 else "gold"


_HUES: tuple[tuple[float, _Namer], ...] = (
    (10, lambda light, _c, _h: "dark red" if light < 0.45 else "pink" if light >= 0.64 else "magenta"),
    (27, lambda light, chroma, _h: _reddish(light, chroma, "pink", 0.72)),
    (40, lambda light, chroma, _h: _reddish(light, chroma, "orange", 0.68)),
    (70, _orangish),
    (98, _yellowish),
    (112, lambda light, chroma, _h: "yellow" if light >= 0.8 else "tan" if chroma < 0.09 and light > 0.7 else "olive"),
    (120, lambda light, _c, _h: "yellow" if light >= 0.88 else "light green" if light >= 0.8 else "olive"),
    (160, lambda light, _c, _h: "dark green" if light < 0.53 else "light green" if light >= 0.74 else "green"),
    (220, lambda light, _c, _h: "cyan" if light >= 0.7 else "teal"),
    (280, lambda light, chroma, _h: "light blue" if light >= 0.68 else "navy" if light < 0.43 and chroma < 0.2 else "blue"),
    (320, lambda light, _c, _h: "lavender" if light >= 0.68 else "purple"),
    (330, lambda light, chroma, _h: "magenta" if chroma > 0.25 else "pink" if light >= 0.69 else "purple"),
    (352, lambda light, chroma, _h: "pink" if light >= 0.67 else "magenta" if chroma >= 0.15 and light > 0.5 else "purple"),
    (360, lambda light, chroma, _h: "pink" if light >= 0.67 else "magenta" if chroma >= 0.12 else "purple"),
)
"""The ends of ranges of hue, in degrees, and the name within each."""


@cache
def color_name(color: str) -> str:
    """What a person would call "#rrggbb", by lightness, colourfulness and hue: the nearest of a few named colours is often of
    another hue. CLEVR's own names for CLEVR's colours."""
    for name, own in COMPACT_COLORS.items():
        if own == color:
            return name
    light, green_red, blue_yellow = lab(color)
    chroma, hue = math.hypot(green_red, blue_yellow), math.degrees(math.atan2(blue_yellow, green_red)) % 360
    if chroma < _GREYISH or (light < _DARKEST and chroma < _DARKEST_CHROMA):
        return next(name for end, name in _GREYS if light < end)
    return next(namer for end, namer in _HUES if hue <= end)(light, chroma, hue)

"""The marks of charts: bars, lines, areas, points, boxes, cells, and the slices of pies and doughnuts."""

from __future__ import annotations

import math
from collections.abc import Callable

from vision_zero.domains.charts.canvas import Horizontal, Vertical
from vision_zero.domains.charts.chart import Chart, Layout
from vision_zero.domains.charts.config import ChartType
from vision_zero.domains.charts.frame import Scales, Writer
from vision_zero.domains.charts.palette import ink_on, lightness, map_color
from vision_zero.domains.charts.ticks import number
from vision_zero.domains.charts.typography import unit_sign, wrapped

LABEL_GAP = 0.25
"""Distance of a number from the end of its bar, in text sizes."""
_EDGE = 1.0
RING = 0.42
"""Thickness of a doughnut's ring as a share of its radius."""
LEAST_INSIDE = 0.075
"""A slice of at least this share has its number inside."""
OUTSIDE = 0.55
"""Distance of texts from the rim, in text sizes."""


def draw_marks(writer: Writer, chart: Chart, scales: Scales) -> None:
    """Draw every mark of the chart's series, and the numbers at them where the layout has any."""
    _DRAWERS[chart.type](writer, chart, scales)


def label_of(chart: Chart, layout: Layout, value: float) -> str:
    """The number at a mark."""
    return number(value, layout.decimals) + unit_sign(chart)


def _edge(chart: Chart) -> str:
    return chart.style.ink if chart.style.outlined else ""


def _block(writer: Writer, scales: Scales, middle: float, width: float, start: float, end: float, face: str, edge: str) -> None:
    """A bar ``width`` pixels wide, between two pixels along the value axis."""
    near, far = middle - width / 2, middle + width / 2
    box = (start, near, end, far) if scales.lying else (near, start, far, end)
    writer.sheet.rectangle(*box, face, edge, _EDGE)


def _bars(writer: Writer, chart: Chart, scales: Scales) -> None:
    """Bars side by side in each category's slot: one, or one for each series."""
    count, base = len(chart.series), scales.at(max(0.0, chart.axis[0]))
    share = 1.0 if chart.type == "histogram" else chart.style.bar_share
    # Bars without gaps need an edge between them.
    edge = _edge(chart) or (chart.style.panel if chart.type == "histogram" else "")
    for place in range(len(chart.categories)):
        middle, slot = scales.slot(place)
        width = slot * share / count
        for row, series in enumerate(chart.series):
            offset = (row - (count - 1) / 2) * width
            center = middle - offset if scales.lying else middle + offset
            value = series.values[place]
            _block(
                writer, scales, center, width, base, scales.at(value), chart.colors[place] if chart.colors else series.color, edge
            )
            if scales.layout.value_labels:
                _write_at_end(writer, scales, center, value, label_of(chart, scales.layout, value))


def _write_at_end(writer: Writer, scales: Scales, center: float, value: float, text: str) -> None:
    gap = LABEL_GAP * scales.layout.text_size
    end = scales.at(value)
    # Below zero the bar ends downwards (or to the left), and so the number goes there.
    if scales.lying:
        writer.write(text, "value", end + gap if value >= 0 else end - gap, center, "left" if value >= 0 else "right")
    else:
        writer.write(text, "value", center, end + gap if value >= 0 else end - gap, "center", "bottom" if value >= 0 else "top")


def _stack(writer: Writer, chart: Chart, scales: Scales) -> None:
    """One bar for each category, made of the series from the axis outwards."""
    lettering = writer.lettering
    for place in range(len(chart.categories)):
        middle, slot = scales.slot(place)
        reached = 0.0
        for series in chart.series:
            value = series.values[place]
            start, end = scales.at(reached), scales.at(reached + value)
            reached += value
            width = slot * chart.style.bar_share
            _block(writer, scales, middle, width, start, end, series.color, _edge(chart))
            text = label_of(chart, scales.layout, value)
            across, up = lettering.extent(text, "value")
            room = (end - start, width) if scales.lying else (width, end - start)
            if scales.layout.value_labels and across < room[0] and up < room[1]:
                x, y = ((start + end) / 2, middle) if scales.lying else (middle, (start + end) / 2)
                writer.write(text, "value", x, y, color=ink_on(series.color))


def _lines(writer: Writer, chart: Chart, scales: Scales) -> None:
    for series in chart.series:
        points = [(scales.slot(place)[0], scales.at(value)) for place, value in enumerate(series.values)]
        writer.sheet.line(points, series.color, chart.style.line_width)
        if chart.style.markers:
            radius = 0.32 * scales.layout.text_size
            for x, y in points:
                writer.sheet.disc(x, y, radius, series.color, chart.style.panel if chart.style.outlined else "", _EDGE)


def _areas(writer: Writer, chart: Chart, scales: Scales) -> None:
    """Series on top of each other, each filled down to the one below."""
    columns = [scales.slot(place)[0] for place in range(len(chart.categories))]
    below = [0.0] * len(columns)
    for series in chart.series:
        above = [low + value for low, value in zip(below, series.values, strict=True)]
        upper = [(x, scales.at(value)) for x, value in zip(columns, above, strict=True)]
        lower = [(x, scales.at(value)) for x, value in zip(columns, below, strict=True)]
        writer.sheet.polygon([*upper, *reversed(lower)], series.color)
        writer.sheet.line(upper, chart.style.panel if len(chart.series) > 1 else series.color, 1.5)
        below = above


def _points(writer: Writer, chart: Chart, scales: Scales) -> None:
    radius = 0.42 * scales.layout.text_size
    for series in chart.series:
        # Overlapping points stay countable by their rims.
        rim = "#ffffff" if lightness(series.color) < 0.5 else "#333333"
        for position, value in zip(series.positions, series.values, strict=True):
            writer.sheet.disc(scales.across(position), scales.at(value), radius, series.color, rim, 0.8)


def _boxes(writer: Writer, chart: Chart, scales: Scales) -> None:
    """Whiskers to minimum and maximum, a box between the quartiles, a line at the median."""
    ink, sheet = chart.style.ink, writer.sheet
    for place in range(len(chart.categories)):
        middle, slot = scales.slot(place)
        least, lower, median, upper, most = (scales.at(series.values[place]) for series in chart.series)
        half = slot * min(chart.style.bar_share, 0.7) / 2
        for start, end in ((least, lower), (upper, most)):
            sheet.line(((middle, start), (middle, end)), ink, 1.2)
        for end in (least, most):
            sheet.line(((middle - half / 2, end), (middle + half / 2, end)), ink, 1.2)
        color = chart.colors[place] if chart.colors else chart.series[0].color
        sheet.rectangle(middle - half, lower, middle + half, upper, color, ink, 1.2)
        sheet.line(((middle - half, median), (middle + half, median)), ink_on(color), 2.2)


def _cells(writer: Writer, chart: Chart, scales: Scales) -> None:
    low, high = chart.axis
    for row, series in enumerate(chart.series):
        center, height = scales.row(row)
        for place, value in enumerate(series.values):
            middle, width = scales.slot(place)
            color = map_color(chart.style.color_map, min(max((value - low) / (high - low), 0.0), 1.0))
            edge = chart.style.background if chart.style.outlined else ""
            box = (middle - width / 2, center - height / 2, middle + width / 2, center + height / 2)
            writer.sheet.rectangle(*box, color, edge, _EDGE)
            if scales.layout.value_labels:
                writer.write(label_of(chart, scales.layout, value).rstrip("%"), "value", middle, center, color=ink_on(color))


def has_room_for_numbers(writer: Writer, chart: Chart, scales: Scales) -> bool:
    """Is the number at every mark narrower than the place that the mark has?"""
    if chart.type not in ("vertical_bars", "grouped_bars", "heat_map", "horizontal_bars"):
        return True
    lettering = writer.lettering
    texts = [label_of(chart, scales.layout, value) for series in chart.series for value in series.values]
    _, slot = scales.slot(0)
    bars = len(chart.series) if chart.type == "grouped_bars" else 1
    room = slot * (chart.style.bar_share if bars > 1 else 1.0) / bars
    if chart.type == "heat_map":
        return lettering.widest(texts, "value") < 0.9 * slot and lettering.highest(texts, "value") < scales.row(0)[1]
    return (lettering.highest(texts, "value") if scales.lying else lettering.widest(texts, "value")) < room


_DRAWERS: dict[ChartType, Callable[[Writer, Chart, Scales], None]] = {
    "vertical_bars": _bars,
    "horizontal_bars": _bars,
    "grouped_bars": _bars,
    "stacked_bars": _stack,
    "lines": _lines,
    "areas": _areas,
    "scatter": _points,
    "box_plot": _boxes,
    "histogram": _bars,
    "heat_map": _cells,
}


def beside_text(chart: Chart, layout: Layout, place: int) -> str:
    """What stands beside a slice: its name, and its number where the style has numbers."""
    name = wrapped(chart.categories[place], layout.label_wrap)
    return f"{name} {label_of(chart, layout, chart.series[0].values[place])}" if layout.value_labels else name


def draw_slices(writer: Writer, chart: Chart, layout: Layout) -> None:
    """Slices clockwise from the top, in the square that the layout has for them."""
    left, bottom, right, top = layout.plot
    center, radius = ((left + right) / 2, (bottom + top) / 2), (right - left) / 2
    values = chart.series[0].values
    thickness = RING * radius if chart.type == "doughnut" else None
    edge = chart.style.ink if chart.style.outlined else chart.style.background
    angle = 90.0
    for place, value in enumerate(values):
        share = value / sum(values)
        end = angle - 360 * share
        writer.sheet.wedge(center, radius, end, angle, chart.colors[place], edge, 1.2, thickness)
        _write_slice(writer, chart, layout, place, share, (*center, radius, (angle + end) / 2))
        angle = end


def _write_slice(
    writer: Writer, chart: Chart, layout: Layout, place: int, share: float, spot: tuple[float, float, float, float]
) -> None:
    """Write the slice's texts; ``spot`` is the centre, the radius and the slice's middle angle in degrees."""
    x, y, radius, degrees = spot
    turn = math.radians(degrees)
    out = radius + OUTSIDE * layout.text_size
    if layout.legend == "beside":
        side: Horizontal = "left" if math.cos(turn) > 0.15 else "right" if math.cos(turn) < -0.15 else "center"
        level: Vertical = "bottom" if math.sin(turn) > 0.85 else "top" if math.sin(turn) < -0.85 else "center"
        text = beside_text(chart, layout, place)
        writer.write(text, "label", x + out * math.cos(turn), y + out * math.sin(turn), side, level)
    elif layout.value_labels:
        text = label_of(chart, layout, chart.series[0].values[place])
        inside = share >= LEAST_INSIDE
        middle = radius * (1 - RING / 2 if chart.type == "doughnut" else 0.66) if inside else out + 0.55 * layout.text_size
        color = ink_on(chart.colors[place]) if inside else ""
        writer.write(text, "value", x + middle * math.cos(turn), y + middle * math.sin(turn), color=color)

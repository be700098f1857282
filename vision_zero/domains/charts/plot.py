"""The marks of charts: bars, lines, areas, points, boxes, cells, and the slices of pies and doughnuts."""

from __future__ import annotations

import math
from collections.abc import Callable

from vision_zero.domains.charts.canvas import Horizontal, Vertical
from vision_zero.domains.charts.config import ChartType
from vision_zero.domains.charts.frame import Page
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


def draw_marks(page: Page) -> None:
    """Draw every mark of the chart's series, and the numbers at them where the layout has any."""
    _DRAWERS[page.chart.type](page)


def label_of(page: Page, value: float) -> str:
    """The number at a mark."""
    return number(value, page.layout.decimals) + unit_sign(page.chart)


def _edge(page: Page) -> str:
    return page.style.ink if page.style.outlined else ""


def _block(page: Page, middle: float, width: float, start: float, end: float, face: str, edge: str) -> None:
    """A bar ``width`` pixels wide, between two pixels along the value axis."""
    near, far = page.point(middle - width / 2, start), page.point(middle + width / 2, end)
    page.sheet.rectangle(*near, *far, face, edge, _EDGE)


def _bars(page: Page) -> None:
    """Bars side by side in each category's slot: one, or one for each series."""
    chart = page.chart
    count, base = len(chart.series), page.at(max(0.0, chart.axis[0]))
    share = 1.0 if chart.type == "histogram" else page.style.bar_share
    # Bars without gaps need an edge between them.
    edge = _edge(page) or (page.style.panel if chart.type == "histogram" else "")
    for place in range(len(chart.categories)):
        middle, slot = page.slot(place)
        width = slot * share / count
        for row, series in enumerate(chart.series):
            offset = (row - (count - 1) / 2) * width
            center = middle - offset if page.lying else middle + offset
            value = series.values[place]
            color = chart.colors[place] if chart.colors else series.color
            _block(page, center, width, base, page.at(value), color, edge)
            if page.layout.value_labels:
                _write_at_end(page, center, value)


def _write_at_end(page: Page, center: float, value: float) -> None:
    # Below zero the bar ends downwards (or to the left), and so the number goes there.
    gap = LABEL_GAP * page.size if value >= 0 else -LABEL_GAP * page.size
    x, y = page.point(center, page.at(value) + gap)
    if page.lying:
        page.write(label_of(page, value), "value", x, y, "left" if value >= 0 else "right")
    else:
        page.write(label_of(page, value), "value", x, y, "center", "bottom" if value >= 0 else "top")


def _stack(page: Page) -> None:
    """One bar for each category, made of the series from the axis outwards."""
    for place in range(len(page.chart.categories)):
        middle, slot = page.slot(place)
        width = slot * page.style.bar_share
        reached = 0.0
        for series in page.chart.series:
            value = series.values[place]
            start, end = page.at(reached), page.at(reached + value)
            reached += value
            _block(page, middle, width, start, end, series.color, _edge(page))
            text = label_of(page, value)
            across, up = page.lettering.extent(text, "value")
            room = page.point(width, end - start)
            if page.layout.value_labels and across < room[0] and up < room[1]:
                x, y = page.point(middle, (start + end) / 2)
                page.write(text, "value", x, y, color=ink_on(series.color))


def _lines(page: Page) -> None:
    style = page.style
    for series in page.chart.series:
        points = [(page.slot(place)[0], page.at(value)) for place, value in enumerate(series.values)]
        page.sheet.line(points, series.color, style.line_width)
        if style.markers:
            for x, y in points:
                page.sheet.disc(x, y, 0.32 * page.size, series.color, style.panel if style.outlined else "", _EDGE)


def _areas(page: Page) -> None:
    """Series on top of each other, each filled down to the one below."""
    chart = page.chart
    columns = [page.slot(place)[0] for place in range(len(chart.categories))]
    below = [0.0] * len(columns)
    for series in chart.series:
        above = [low + value for low, value in zip(below, series.values, strict=True)]
        upper = [(x, page.at(value)) for x, value in zip(columns, above, strict=True)]
        lower = [(x, page.at(value)) for x, value in zip(columns, below, strict=True)]
        page.sheet.polygon([*upper, *reversed(lower)], series.color)
        page.sheet.line(upper, page.style.panel if len(chart.series) > 1 else series.color, 1.5)
        below = above


def _points(page: Page) -> None:
    for series in page.chart.series:
        # Overlapping points stay countable by their rims.
        rim = "#ffffff" if lightness(series.color) < 0.5 else "#333333"
        for position, value in zip(series.positions, series.values, strict=True):
            page.sheet.disc(page.at_position(position), page.at(value), 0.42 * page.size, series.color, rim, 0.8)


def _boxes(page: Page) -> None:
    """Whiskers to minimum and maximum, a box between the quartiles, a line at the median."""
    chart, ink, sheet = page.chart, page.style.ink, page.sheet
    for place in range(len(chart.categories)):
        middle, slot = page.slot(place)
        least, lower, median, upper, most = (page.at(series.values[place]) for series in chart.series)
        half = slot * min(page.style.bar_share, 0.7) / 2
        for start, end in ((least, lower), (upper, most)):
            sheet.line(((middle, start), (middle, end)), ink, 1.2)
        for end in (least, most):
            sheet.line(((middle - half / 2, end), (middle + half / 2, end)), ink, 1.2)
        color = chart.colors[place] if chart.colors else chart.series[0].color
        sheet.rectangle(middle - half, lower, middle + half, upper, color, ink, 1.2)
        sheet.line(((middle - half, median), (middle + half, median)), ink_on(color), 2.2)


def _cells(page: Page) -> None:
    low, high = page.chart.axis
    edge = page.style.background if page.style.outlined else ""
    for row, series in enumerate(page.chart.series):
        center, height = page.row(row)
        for place, value in enumerate(series.values):
            middle, width = page.slot(place)
            color = map_color(page.style.color_map, min(max((value - low) / (high - low), 0.0), 1.0))
            box = (middle - width / 2, center - height / 2, middle + width / 2, center + height / 2)
            page.sheet.rectangle(*box, color, edge, _EDGE)
            if page.layout.value_labels:
                page.write(label_of(page, value).rstrip("%"), "value", middle, center, color=ink_on(color))


def has_room_for_numbers(page: Page) -> bool:
    """Is the number at every mark narrower than the place that the mark has?"""
    chart, lettering = page.chart, page.lettering
    if chart.type not in ("vertical_bars", "grouped_bars", "heat_map", "horizontal_bars"):
        return True
    texts = [label_of(page, value) for series in chart.series for value in series.values]
    _, slot = page.slot(0)
    bars = len(chart.series) if chart.type == "grouped_bars" else 1
    room = slot * (page.style.bar_share if bars > 1 else 1.0) / bars
    if chart.type == "heat_map":
        return lettering.widest(texts, "value") < 0.9 * slot and lettering.highest(texts, "value") < page.row(0)[1]
    return (lettering.highest(texts, "value") if page.lying else lettering.widest(texts, "value")) < room


_DRAWERS: dict[ChartType, Callable[[Page], None]] = {
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


def beside_text(page: Page, place: int) -> str:
    """What stands beside a slice: its name, and its number where the style has numbers."""
    name = wrapped(page.chart.categories[place], page.layout.label_wrap)
    return f"{name} {label_of(page, page.chart.series[0].values[place])}" if page.layout.value_labels else name


def draw_slices(page: Page) -> None:
    """Slices clockwise from the top, in the square that the layout has for them."""
    left, bottom, right, top = page.layout.plot
    center, radius = ((left + right) / 2, (bottom + top) / 2), (right - left) / 2
    values = page.chart.series[0].values
    thickness = RING * radius if page.chart.type == "doughnut" else None
    angle = 90.0
    for place, value in enumerate(values):
        share = value / sum(values)
        end = angle - 360 * share
        edge = _edge(page) or page.style.background
        page.sheet.wedge(center, radius, end, angle, page.chart.colors[place], edge, 1.2, thickness)
        _write_slice(page, place, share, (*center, radius, (angle + end) / 2))
        angle = end


def _write_slice(page: Page, place: int, share: float, spot: tuple[float, float, float, float]) -> None:
    """Write the slice's texts; ``spot`` is the centre, the radius and the slice's middle angle in degrees."""
    x, y, radius, degrees = spot
    turn = math.radians(degrees)
    out = radius + OUTSIDE * page.size
    if page.layout.legend == "beside":
        side: Horizontal = "left" if math.cos(turn) > 0.15 else "right" if math.cos(turn) < -0.15 else "center"
        level: Vertical = "bottom" if math.sin(turn) > 0.85 else "top" if math.sin(turn) < -0.85 else "center"
        page.write(beside_text(page, place), "label", x + out * math.cos(turn), y + out * math.sin(turn), side, level)
    elif page.layout.value_labels:
        text = label_of(page, page.chart.series[0].values[place])
        inside = share >= LEAST_INSIDE
        middle = radius * (1 - RING / 2 if page.chart.type == "doughnut" else 0.66) if inside else out + 0.55 * page.size
        color = ink_on(page.chart.colors[place]) if inside else ""
        page.write(text, "value", x + middle * math.cos(turn), y + middle * math.sin(turn), color=color)

"""Pies and doughnuts."""

from __future__ import annotations

import math

from vision_zero.domains.charts.canvas import Horizontal, Vertical
from vision_zero.domains.charts.chart import Chart, Layout
from vision_zero.domains.charts.frame import Writer
from vision_zero.domains.charts.palette import ink_on
from vision_zero.domains.charts.plot import label_of
from vision_zero.domains.charts.typography import wrapped

RING = 0.42
"""Thickness of a doughnut's ring as a share of its radius."""
LEAST_INSIDE = 0.075
"""A slice of at least this share has its number inside."""
OUTSIDE = 0.55
"""Distance of texts from the rim, in text sizes."""


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

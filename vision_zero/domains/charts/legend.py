"""Legends and the colour bar of a heat map."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np

from vision_zero.domains.charts.chart import Chart, Layout
from vision_zero.domains.charts.frame import PAD, RULE, TICK_GAP, Writer, axis_numbers
from vision_zero.domains.charts.typography import Typography, legend_entries, unit_sign, value_title, wrapped

SWATCH, SWATCH_GAP, ENTRY_GAP = 1.0, 0.4, 1.3
"""Side of a colour's square, its distance from the name, and the distance between entries, in text sizes."""
ROW = 1.55
"""Height of a row of entries in text sizes."""
BESIDE_PLOT, OVER_PLOT = 1.1, 0.9
"""Distance of the legend from the plot, in text sizes."""
BAR_WIDTH = 1.3


@dataclass(frozen=True, slots=True)
class Entry:
    """A name with its colour, ``left`` pixels from the start of its row."""

    name: str
    color: str
    left: float


def legend_rows(chart: Chart, layout: Layout, lettering: Typography) -> list[list[Entry]]:
    """The entries in rows that fit the picture's width; one to a row where the legend stands at the right."""
    size = layout.text_size
    rows: list[list[Entry]] = []
    end = 0.0
    for name, color in legend_entries(chart):
        text = wrapped(name, layout.legend_wrap)
        width = (SWATCH + SWATCH_GAP) * size + lettering.extent(text, "legend")[0]
        start = end + ENTRY_GAP * size
        if rows and layout.legend != "right" and start + width <= layout.width - 2 * PAD * size:
            rows[-1].append(Entry(text, color, start))
            end = start + width
        else:
            rows.append([Entry(text, color, 0.0)])
            end = width
    return rows


def legend_extent(chart: Chart, layout: Layout, lettering: Typography) -> tuple[float, float]:
    """Width and height of the legend in pixels; nothing where there is none."""
    rows = legend_rows(chart, layout, lettering)
    return max((_row_width(row, layout, lettering) for row in rows), default=0.0), sum(_row_height(row, layout) for row in rows)


def draw_legend(writer: Writer, chart: Chart, layout: Layout) -> None:
    """Draw the legend where the layout has it."""
    if layout.legend == "beside":
        return
    rows = legend_rows(chart, layout, writer.lettering)
    _, bottom, right, top = layout.plot
    size = layout.text_size
    heights = [_row_height(row, layout) for row in rows]
    if layout.legend == "right":
        start = right + BESIDE_PLOT * size
        above = min(top, (bottom + top + sum(heights)) / 2) if chart.type in ("pie", "doughnut") else top
    else:
        above = top + OVER_PLOT * size + sum(heights) if layout.legend == "top" else PAD * size + sum(heights)
    for row, height in zip(rows, heights, strict=True):
        middle = above - height / 2
        above -= height
        if layout.legend != "right":
            centered = layout.legend == "bottom" or chart.style.centered_title
            start = (layout.width - _row_width(row, layout, writer.lettering)) / 2 if centered else PAD * size
        for entry in row:
            _draw_swatch(writer, chart, entry.color, start + entry.left, middle, size)
            writer.write(entry.name, "legend", start + entry.left + (SWATCH + SWATCH_GAP) * size, middle, "left")


def bar_extent(chart: Chart, layout: Layout, lettering: Typography) -> float:
    """Width of the colour bar with its numbers and title, from the plot's edge."""
    numbers = lettering.widest([text for _, text in _bar_numbers(chart, layout)], "label")
    title = lettering.extent(value_title(chart), "name")[1]
    return (BESIDE_PLOT + BAR_WIDTH + 2 * TICK_GAP) * layout.text_size + numbers + title


def draw_color_bar(writer: Writer, chart: Chart, layout: Layout) -> None:
    """The scale of a heat map's colours, at the right of it."""
    _, bottom, right, top = layout.plot
    size = layout.text_size
    left = right + BESIDE_PLOT * size
    low, high = chart.axis
    colors = matplotlib.colormaps[chart.style.color_map](np.linspace(0, 1, 256))[:, :3]
    writer.sheet.gradient(left, bottom, left + BAR_WIDTH * size, top, colors)
    for value, text in _bar_numbers(chart, layout):
        place = bottom + (top - bottom) * (value - low) / (high - low)
        end = left + (BAR_WIDTH + 0.25) * size
        writer.sheet.line(((end - 0.25 * size, place), (end, place)), chart.style.ink, RULE)
        writer.write(text, "label", end + 0.5 * TICK_GAP * size, place, "left")
    lines = wrapped(value_title(chart), writer.lettering.characters(top - bottom, "name"))
    writer.write(lines, "name", layout.width - PAD * size, (bottom + top) / 2, "center", "bottom", 90)


def _bar_numbers(chart: Chart, layout: Layout) -> list[tuple[float, str]]:
    return axis_numbers(chart.axis, layout.most_ticks, unit_sign(chart))


def _row_width(row: list[Entry], layout: Layout, lettering: Typography) -> float:
    return row[-1].left + (SWATCH + SWATCH_GAP) * layout.text_size + lettering.extent(row[-1].name, "legend")[0]


def _row_height(row: list[Entry], layout: Layout) -> float:
    lines = max(entry.name.count("\n") for entry in row)
    return (ROW + 1.15 * lines) * layout.text_size


def _draw_swatch(writer: Writer, chart: Chart, color: str, left: float, middle: float, size: float) -> None:
    sheet, half = writer.sheet, SWATCH * size / 2
    if chart.type == "scatter":
        sheet.disc(left + half, middle, 0.38 * size, color)
    elif chart.type == "lines":
        sheet.line(((left, middle), (left + 2 * half, middle)), color, chart.style.line_width)
        if chart.style.markers:
            sheet.disc(left + half, middle, 0.3 * size, color)
    else:
        sheet.rectangle(left, middle - 0.85 * half, left + 2 * half, middle + 0.85 * half, color)

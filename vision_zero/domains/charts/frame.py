"""A full chart on its page, and what stands around its marks: panel, grid, numbers, names, titles, legend, colour bar.

Lengths that are no pixels are multiples of the text size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import matplotlib
import numpy as np

from vision_zero.domains.charts.canvas import Canvas, Horizontal, Vertical
from vision_zero.domains.charts.chart import SLICED, Chart, Layout, Range
from vision_zero.domains.charts.ticks import numbers, ticks
from vision_zero.domains.charts.typography import Role, Typography, legend_entries, unit_sign, value_title, wrapped

PAD = 0.75
"""Free rim of the image."""
TICK_GAP = 0.5
NAME_GAP = 0.55
RULE = 1.0
"""Width of grid lines and of the frame in pixels."""
SWATCH, SWATCH_GAP, ENTRY_GAP = 1.0, 0.4, 1.3
"""Side of a colour's square in the legend, its distance from the name, and the distance between entries."""
ROW = 1.55
"""Height of a row of entries."""
BESIDE_PLOT, OVER_PLOT = 1.1, 0.9
"""Distance of the legend from the plot."""
BAR_WIDTH = 1.3


def is_lying(chart: Chart) -> bool:
    """Does the value axis run from left to right?"""
    return chart.type == "horizontal_bars" or (chart.type in ("grouped_bars", "stacked_bars") and chart.style.horizontal)


def axis_numbers(axis: Range, most: int, sign: str = "") -> list[tuple[float, str]]:
    """Places along an axis and what is written there."""
    places = ticks(axis, most)
    return [(place, text + sign) for place, text in zip(places, numbers(places), strict=True)]


class Page:
    """A chart in its layout: from values and categories to pixels, and a sheet to draw and write on in the chart's style.

    Attributes:
        lying: values run to the right, categories from the top down; else values run upwards and categories to the right.
        along: pixels where the value axis begins and ends; ``across``, those of the categories' axis from its lower or left end.
    """

    def __init__(self, chart: Chart, layout: Layout) -> None:
        self.chart, self.layout, self.style = chart, layout, chart.style
        self.size = layout.text_size
        self.lettering = Typography(chart.style, layout.text_size)
        self.lying = is_lying(chart)
        left, bottom, right, top = layout.plot
        self.along, self.across = ((left, right), (bottom, top)) if self.lying else ((bottom, top), (left, right))

    @cached_property
    def sheet(self) -> Canvas:
        return Canvas(self.layout.width, self.layout.height, self.style.background)

    def at(self, value: float) -> float:
        """Pixels along the value axis."""
        start, end = self.along
        low, high = self.chart.axis
        return start + (end - start) * (value - low) / (high - low)

    def at_position(self, position: float) -> float:
        """Pixels along the other axis of a scatter plot."""
        left, right = self.across
        low, high = self.chart.position_axis or (0.0, 1.0)
        return left + (right - left) * (position - low) / (high - low)

    def slot(self, place: int) -> tuple[float, float]:
        """Middle and width of a category's part of its axis."""
        start, end = self.across
        count = len(self.chart.categories)
        if self.lying:
            return end - (end - start) * (place + 0.5) / count, (end - start) / count
        return start + (end - start) * (place + 0.5) / count, (end - start) / count

    def row(self, place: int) -> tuple[float, float]:
        """Middle and height of a heat map's row, the first at the top."""
        bottom, top = self.along
        height = (top - bottom) / len(self.chart.series)
        return top - height * (place + 0.5), height

    def point(self, across: float, along: float) -> tuple[float, float]:
        """x and y of what is at these pixels along the categories' and the value axis."""
        return (along, across) if self.lying else (across, along)

    def write(
        self,
        text: str,
        role: Role,
        x: float,
        y: float,
        horizontal: Horizontal = "center",
        vertical: Vertical = "center",
        turn: float = 0.0,
        color: str = "",
    ) -> None:
        if text:
            self.sheet.text(
                text,
                x,
                y,
                self.lettering.size(role),
                color or self.style.ink,
                font=self.style.font,
                fallbacks=self.style.fallbacks,
                bold=self.lettering.is_bold(role),
                horizontal=horizontal,
                vertical=vertical,
                turn=turn,
            )


def draw_title(page: Page) -> None:
    layout, pad = page.layout, PAD * page.size
    left, _, right, _ = layout.plot
    title = wrapped(page.chart.title, layout.title_wrap)
    if not page.style.centered_title:
        page.write(title, "title", pad, layout.height - pad, "left", "top")
        return
    # Over the axes where there is room for it, as in matplotlib; otherwise over the image.
    half = page.lettering.extent(title, "title")[0] / 2
    middle = (left + right) / 2 if page.chart.type not in SLICED else layout.width / 2
    middle = min(max(middle, pad + half), layout.width - pad - half)
    page.write(title, "title", middle, layout.height - pad, "center", "top")


def draw_panel(page: Page) -> None:
    """The ground behind the marks with its grid."""
    chart, style, most_ticks = page.chart, page.style, page.layout.most_ticks
    if style.panel != style.background:
        page.sheet.rectangle(*page.layout.plot, style.panel)
    if style.grid == "none" or chart.type == "heat_map":
        return
    for value, _ in axis_numbers(chart.axis, most_ticks):
        ends = [page.point(end, page.at(value)) for end in page.across]
        page.sheet.line(ends, style.grid_color, RULE, style.grid_dashed)
    if style.grid == "value":
        return
    if chart.position_axis is not None:
        columns = [page.at_position(place) for place, _ in axis_numbers(chart.position_axis, most_ticks)]
    else:
        columns = [page.slot(place)[0] for place in range(len(chart.categories))]
    for column in columns:
        page.sheet.line([page.point(column, end) for end in page.along], style.grid_color, RULE, style.grid_dashed)


def draw_frame(page: Page) -> None:
    """The lines along the edges of the axes, over the marks."""
    left, bottom, right, top = page.layout.plot
    edges = {
        "left": ((left, bottom), (left, top)),
        "bottom": ((left, bottom), (right, bottom)),
        "right": ((right, bottom), (right, top)),
        "top": ((left, top), (right, top)),
    }
    base = "left" if page.lying else "bottom"
    shown = {"box": tuple(edges), "corner": ("left", "bottom"), "base": (base,), "none": ()}[page.style.frame]
    for edge in shown:
        page.sheet.line(edges[edge], page.style.ink, RULE)


def draw_axes(page: Page) -> None:
    """Numbers and names along both axes, and the axes' titles."""
    chart, layout = page.chart, page.layout
    left, bottom, right, top = layout.plot
    if chart.type == "heat_map":
        for place, series in enumerate(chart.series):
            _write_beside(page, wrapped(series.name, layout.label_wrap), page.row(place)[0])
        below, beside = chart.position_name, ""
    else:
        for value, text in axis_numbers(chart.axis, layout.most_ticks, unit_sign(chart)):
            (_write_below if page.lying else _write_beside)(page, text, page.at(value))
        below, beside = chart.position_name, value_title(chart)
    if page.lying:
        below, beside = beside, below
    if chart.position_axis is None:
        for place, name in enumerate(chart.categories):
            text, (middle, _) = wrapped(name, layout.label_wrap), page.slot(place)
            if page.lying:
                _write_beside(page, text, middle)
            else:
                _write_below(page, text, middle, layout.label_turn)
    else:
        for value, text in axis_numbers(chart.position_axis, layout.most_ticks):
            _write_below(page, text, page.at_position(value))
    page.write(below, "name", (left + right) / 2, bottom - layout.label_depth, "center", "top")
    lines = wrapped(beside, page.lettering.characters(top - bottom, "name"))
    page.write(lines, "name", PAD * page.size, (bottom + top) / 2, "center", "top", 90)


def _write_below(page: Page, text: str, x: float, turn: float = 0) -> None:
    """Write at the lower axis; turned texts end there."""
    side: Horizontal = "right" if turn else "center"
    level: Vertical = "center" if turn == 90 else "top"
    page.write(text, "label", x, page.layout.plot[1] - TICK_GAP * page.size, side, level, turn)


def _write_beside(page: Page, text: str, y: float) -> None:
    page.write(text, "label", page.layout.plot[0] - TICK_GAP * page.size, y, "right")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in the legend with its colour, ``left`` pixels from the start of its row."""

    name: str
    color: str
    left: float


def legend_rows(page: Page) -> list[list[Entry]]:
    """The entries in rows that fit the image's width; one to a row where the legend stands at the right."""
    layout, size = page.layout, page.size
    rows: list[list[Entry]] = []
    end = 0.0
    for name, color in legend_entries(page.chart):
        text = wrapped(name, layout.legend_wrap)
        width = (SWATCH + SWATCH_GAP) * size + page.lettering.extent(text, "legend")[0]
        start = end + ENTRY_GAP * size
        if rows and layout.legend != "right" and start + width <= layout.width - 2 * PAD * size:
            rows[-1].append(Entry(text, color, start))
            end = start + width
        else:
            rows.append([Entry(text, color, 0.0)])
            end = width
    return rows


def legend_extent(page: Page) -> tuple[float, float]:
    """Width and height of the legend in pixels; nothing where there is none."""
    rows = legend_rows(page)
    return max((_row_width(page, row) for row in rows), default=0.0), sum(_row_height(page, row) for row in rows)


def draw_legend(page: Page) -> None:
    """Draw the legend where the layout has it."""
    layout, size = page.layout, page.size
    if layout.legend == "beside":
        return
    rows = legend_rows(page)
    _, bottom, right, top = layout.plot
    heights = [_row_height(page, row) for row in rows]
    if layout.legend == "right":
        start = right + BESIDE_PLOT * size
        above = min(top, (bottom + top + sum(heights)) / 2) if page.chart.type in SLICED else top
    else:
        above = top + OVER_PLOT * size + sum(heights) if layout.legend == "top" else PAD * size + sum(heights)
    for row, height in zip(rows, heights, strict=True):
        middle = above - height / 2
        above -= height
        if layout.legend != "right":
            centered = layout.legend == "bottom" or page.style.centered_title
            start = (layout.width - _row_width(page, row)) / 2 if centered else PAD * size
        for entry in row:
            _draw_swatch(page, entry.color, start + entry.left, middle)
            page.write(entry.name, "legend", start + entry.left + (SWATCH + SWATCH_GAP) * size, middle, "left")


def _row_width(page: Page, row: list[Entry]) -> float:
    return row[-1].left + (SWATCH + SWATCH_GAP) * page.size + page.lettering.extent(row[-1].name, "legend")[0]


def _row_height(page: Page, row: list[Entry]) -> float:
    lines = max(entry.name.count("\n") for entry in row)
    return (ROW + 1.15 * lines) * page.size


def _draw_swatch(page: Page, color: str, left: float, middle: float) -> None:
    sheet, half = page.sheet, SWATCH * page.size / 2
    if page.chart.type == "scatter":
        sheet.disc(left + half, middle, 0.38 * page.size, color)
    elif page.chart.type == "lines":
        sheet.line(((left, middle), (left + 2 * half, middle)), color, page.style.line_width)
        if page.style.markers:
            sheet.disc(left + half, middle, 0.3 * page.size, color)
    else:
        sheet.rectangle(left, middle - 0.85 * half, left + 2 * half, middle + 0.85 * half, color)


def bar_extent(page: Page) -> float:
    """Width of a heat map's colour bar with its numbers and title, from the plot's edge."""
    numbers = page.lettering.widest([text for _, text in _bar_numbers(page)], "label")
    title = page.lettering.extent(value_title(page.chart), "name")[1]
    return (BESIDE_PLOT + BAR_WIDTH + 2 * TICK_GAP) * page.size + numbers + title


def draw_color_bar(page: Page) -> None:
    """The scale of a heat map's colours, at the right of it."""
    _, bottom, right, top = page.layout.plot
    size = page.size
    left = right + BESIDE_PLOT * size
    colors = matplotlib.colormaps[page.style.color_map](np.linspace(0, 1, 256))[:, :3]
    page.sheet.gradient(left, bottom, left + BAR_WIDTH * size, top, colors)
    for value, text in _bar_numbers(page):
        place = page.at(value)
        end = left + (BAR_WIDTH + 0.25) * size
        page.sheet.line(((end - 0.25 * size, place), (end, place)), page.style.ink, RULE)
        page.write(text, "label", end + 0.5 * TICK_GAP * size, place, "left")
    lines = wrapped(value_title(page.chart), page.lettering.characters(top - bottom, "name"))
    page.write(lines, "name", page.layout.width - PAD * size, (bottom + top) / 2, "center", "bottom", 90)


def _bar_numbers(page: Page) -> list[tuple[float, str]]:
    return axis_numbers(page.chart.axis, page.layout.most_ticks, unit_sign(page.chart))

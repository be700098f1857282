"""What stands around the marks of a full chart: panel, grid, numbers, names, titles."""

from __future__ import annotations

from dataclasses import dataclass

from vision_zero.domains.charts.canvas import Canvas, Horizontal, Vertical
from vision_zero.domains.charts.chart import SLICED, Chart, Layout, Range
from vision_zero.domains.charts.ticks import numbers, ticks
from vision_zero.domains.charts.typography import Role, Typography, unit_sign, value_title, wrapped

PAD = 0.75
"""Free rim of the picture; these are multiples of the text size."""
TICK_GAP = 0.5
NAME_GAP = 0.55
RULE = 1.0
"""Width of grid lines and of the frame in pixels."""


def is_lying(chart: Chart) -> bool:
    """Does the value axis run from left to right?"""
    return chart.type == "horizontal_bars" or (chart.type in ("grouped_bars", "stacked_bars") and chart.style.horizontal)


def axis_numbers(axis: Range, most: int, sign: str = "") -> list[tuple[float, str]]:
    """Places along an axis and what is written there."""
    places = ticks(axis, most)
    return [(place, text + sign) for place, text in zip(places, numbers(places), strict=True)]


@dataclass(frozen=True, slots=True)
class Scales:
    """From values and categories to pixels. ``lying``: values run to the right, categories from the top down."""

    chart: Chart
    layout: Layout
    lying: bool

    @classmethod
    def of(cls, chart: Chart, layout: Layout) -> Scales:
        return cls(chart, layout, is_lying(chart))

    def at(self, value: float) -> float:
        left, bottom, right, top = self.layout.plot
        low, high = self.chart.axis
        start, end = (left, right) if self.lying else (bottom, top)
        return start + (end - start) * (value - low) / (high - low)

    def across(self, position: float) -> float:
        """Pixels along the other axis of a scatter plot."""
        left, _, right, _ = self.layout.plot
        low, high = self.chart.position_axis or (0.0, 1.0)
        return left + (right - left) * (position - low) / (high - low)

    def slot(self, place: int) -> tuple[float, float]:
        """Middle and width of a category's part of its axis."""
        left, bottom, right, top = self.layout.plot
        count = len(self.chart.categories)
        if self.lying:
            return top - (top - bottom) * (place + 0.5) / count, (top - bottom) / count
        return left + (right - left) * (place + 0.5) / count, (right - left) / count

    def row(self, place: int) -> tuple[float, float]:
        """Middle and height of a heat map's row, the first at the top."""
        _, bottom, _, top = self.layout.plot
        height = (top - bottom) / len(self.chart.series)
        return top - height * (place + 0.5), height


class Writer:
    """Writes a chart's texts in its style."""

    def __init__(self, sheet: Canvas, chart: Chart, layout: Layout) -> None:
        self.sheet = sheet
        self.style = chart.style
        self.lettering = Typography(chart.style, layout.text_size)

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


def draw_title(writer: Writer, chart: Chart, layout: Layout) -> None:
    pad = PAD * layout.text_size
    left, _, right, _ = layout.plot
    title = wrapped(chart.title, layout.title_wrap)
    if not chart.style.centered_title:
        writer.write(title, "title", pad, layout.height - pad, "left", "top")
        return
    # Over the axes where there is room for it, as in matplotlib; otherwise over the picture.
    half = writer.lettering.extent(title, "title")[0] / 2
    middle = (left + right) / 2 if chart.type not in SLICED else layout.width / 2
    middle = min(max(middle, pad + half), layout.width - pad - half)
    writer.write(title, "title", middle, layout.height - pad, "center", "top")


def draw_panel(sheet: Canvas, chart: Chart, scales: Scales) -> None:
    """The ground behind the marks with its grid."""
    style, layout = chart.style, scales.layout
    left, bottom, right, top = layout.plot
    if style.panel != style.background:
        sheet.rectangle(left, bottom, right, top, style.panel)
    if style.grid == "none" or chart.type == "heat_map":
        return
    for value, _ in axis_numbers(chart.axis, layout.most_ticks):
        place = scales.at(value)
        ends = ((place, bottom), (place, top)) if scales.lying else ((left, place), (right, place))
        sheet.line(ends, style.grid_color, RULE, style.grid_dashed)
    if style.grid == "value":
        return
    if chart.position_axis is not None:
        columns = [scales.across(place) for place, _ in axis_numbers(chart.position_axis, layout.most_ticks)]
    else:
        columns = [scales.slot(place)[0] for place in range(len(chart.categories))]
    for place in columns:
        ends = ((left, place), (right, place)) if scales.lying else ((place, bottom), (place, top))
        sheet.line(ends, style.grid_color, RULE, style.grid_dashed)


def draw_frame(sheet: Canvas, chart: Chart, scales: Scales) -> None:
    """The lines along the edges of the axes, over the marks."""
    style = chart.style
    left, bottom, right, top = scales.layout.plot
    edges = {
        "left": ((left, bottom), (left, top)),
        "bottom": ((left, bottom), (right, bottom)),
        "right": ((right, bottom), (right, top)),
        "top": ((left, top), (right, top)),
    }
    base = "left" if scales.lying else "bottom"
    shown = {"box": tuple(edges), "corner": ("left", "bottom"), "base": (base,), "none": ()}[style.frame]
    for edge in shown:
        sheet.line(edges[edge], style.ink, RULE)


def draw_axes(writer: Writer, chart: Chart, scales: Scales) -> None:
    """Numbers and names along both axes, and the axes' titles."""
    layout = scales.layout
    left, bottom, _, _ = layout.plot
    size = layout.text_size
    if chart.type == "heat_map":
        for place, series in enumerate(chart.series):
            writer.write(wrapped(series.name, layout.label_wrap), "label", left - TICK_GAP * size, scales.row(place)[0], "right")
        _draw_categories(writer, chart, scales)
        _draw_axis_titles(writer, layout, chart.position_name, "")
        return
    for value, text in axis_numbers(chart.axis, layout.most_ticks, unit_sign(chart)):
        if scales.lying:
            writer.write(text, "label", scales.at(value), bottom - TICK_GAP * size, "center", "top")
        else:
            writer.write(text, "label", left - TICK_GAP * size, scales.at(value), "right")
    if chart.position_axis is None:
        _draw_categories(writer, chart, scales)
    else:
        for value, text in axis_numbers(chart.position_axis, layout.most_ticks):
            writer.write(text, "label", scales.across(value), bottom - TICK_GAP * size, "center", "top")
    below, beside = (value_title(chart), chart.position_name) if scales.lying else (chart.position_name, value_title(chart))
    _draw_axis_titles(writer, layout, below, beside)


def _draw_categories(writer: Writer, chart: Chart, scales: Scales) -> None:
    layout = scales.layout
    left, bottom, _, _ = layout.plot
    gap = TICK_GAP * layout.text_size
    for place, name in enumerate(chart.categories):
        middle, _ = scales.slot(place)
        text = wrapped(name, layout.label_wrap)
        if scales.lying:
            writer.write(text, "label", left - gap, middle, "right")
        elif layout.label_turn == 0:
            writer.write(text, "label", middle, bottom - gap, "center", "top")
        else:
            vertical: Vertical = "center" if layout.label_turn == 90 else "top"
            writer.write(text, "label", middle, bottom - gap, "right", vertical, layout.label_turn)


def _draw_axis_titles(writer: Writer, layout: Layout, below: str, beside: str) -> None:
    left, bottom, right, top = layout.plot
    size = layout.text_size
    writer.write(below, "name", (left + right) / 2, bottom - layout.label_depth, "center", "top")
    lines = wrapped(beside, writer.lettering.characters(top - bottom, "name"))
    writer.write(lines, "name", PAD * size, (bottom + top) / 2, "center", "top", 90)

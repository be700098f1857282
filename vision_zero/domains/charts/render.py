"""From a chart and its layout to pixels."""

from __future__ import annotations

from PIL import Image

from vision_zero.domains.charts.canvas import Canvas
from vision_zero.domains.charts.chart import SLICED, Chart, Layout
from vision_zero.domains.charts.compact import draw_compact
from vision_zero.domains.charts.frame import Scales, Writer, draw_axes, draw_frame, draw_panel, draw_title
from vision_zero.domains.charts.legend import draw_color_bar, draw_legend
from vision_zero.domains.charts.plot import draw_marks, draw_slices


def compose(chart: Chart, layout: Layout) -> Canvas:
    """The chart as shapes and texts, not yet drawn."""
    if chart.style.look == "compact":
        return draw_compact(chart, layout)
    sheet = Canvas(layout.width, layout.height, chart.style.background)
    writer = Writer(sheet, chart, layout)
    if chart.type in SLICED:
        draw_slices(writer, chart, layout)
    else:
        scales = Scales.of(chart, layout)
        draw_panel(sheet, chart, scales)
        draw_marks(writer, chart, scales)
        if chart.type == "heat_map":
            draw_color_bar(writer, chart, layout)
        else:
            draw_frame(sheet, chart, scales)
        draw_axes(writer, chart, scales)
    draw_title(writer, chart, layout)
    draw_legend(writer, chart, layout)
    return sheet


def render(chart: Chart, layout: Layout) -> Image.Image:
    """The chart's picture (RGB, ``layout.width`` x ``layout.height``): the same facts give the same pixels."""
    return compose(chart, layout).image()

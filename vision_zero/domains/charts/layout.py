"""Where the parts of a full chart stand: the largest text, and the plot that it leaves, with nothing cut off or overlapping.

A pair is placed together, so that both images have the same plot, text size and legend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from vision_zero.domains.charts.chart import SLICED, Chart, Layout, LegendPlace
from vision_zero.domains.charts.frame import (
    BESIDE_PLOT,
    NAME_GAP,
    OVER_PLOT,
    PAD,
    TICK_GAP,
    Page,
    axis_numbers,
    bar_extent,
    is_lying,
    legend_extent,
)
from vision_zero.domains.charts.plot import OUTSIDE, beside_text, has_room_for_numbers
from vision_zero.domains.charts.render import compose, problems_on
from vision_zero.domains.charts.ticks import decimals_of
from vision_zero.domains.charts.typography import Typography, legend_entries, unit_sign, value_title, wrapped

SHRINKS = ((1.0, 6), (0.9, 5), (0.8, 4), (0.7, 3))
"""Text sizes to try, as shares of the wished one, each with the most steps of an axis."""
TURNS = (0, 45, 90)
LEAST_PLOT = 0.42
"""The plot spans at least this share of the image's width and of its height; a pie, of the shorter side."""
_LABEL_GAP = 0.5
"""Least distance of names in a row from each other, in text sizes."""
_LABEL_WIDTH, _LEGEND_WIDTH = 0.3, 0.26
"""Most of the image's width that names beside the plot, or a legend at the right, may take."""


def fit_layout(charts: Sequence[Chart], width: int, height: int) -> Layout | None:
    """A layout that suits all of the charts, which share a style; None where their texts do not fit such an image."""
    decimals = max(decimals_of(value) for chart in charts for series in chart.series for value in series.values)
    for layout in _candidates(charts[0], width, height):
        placed = _placed(charts, replace(layout, decimals=decimals))
        if placed is not None and all(_is_legible(chart, placed) for chart in charts):
            return placed
    return None


def _candidates(chart: Chart, width: int, height: int) -> Iterator[Layout]:
    """Wishes, dearest first: numbers at the marks, then large text, then level names, then the legend's place."""
    wished = (5.5 + min(width, height) / 60) * chart.style.font_scale
    turns = TURNS if chart.categories and chart.type not in SLICED and not is_lying(chart) else (0,)
    legends: list[LegendPlace] = [chart.style.legend]
    if legend_entries(chart):
        legends += [place for place in ("right", "bottom") if place != chart.style.legend]
    # Numbers at the marks are worth a little of the text's size, but not more.
    sizes = [(True, *size) for size in SHRINKS[:2]] if chart.style.value_labels else []
    sizes += [(False, *size) for size in SHRINKS]
    for (value_labels, shrink, ticks), turn, legend in product(sizes, turns, legends):
        yield Layout(
            width=width,
            height=height,
            text_size=round(wished * shrink, 2),
            label_turn=turn,
            most_ticks=ticks,
            legend=legend,
            value_labels=value_labels,
        )


def _is_legible(chart: Chart, layout: Layout) -> bool:
    if layout.value_labels and chart.type not in SLICED and not has_room_for_numbers(Page(chart, layout)):
        return False
    return not problems_on(compose(chart, layout))


def _placed(charts: Sequence[Chart], layout: Layout) -> Layout | None:
    """The layout with the plot's place worked out, or None where too little is left for the plot."""
    lettering = Typography(charts[0].style, layout.text_size)
    pad = PAD * layout.text_size
    layout = replace(
        layout,
        title_wrap=lettering.characters(layout.width - 2 * pad, "title"),
        legend_wrap=lettering.characters(_LEGEND_WIDTH * layout.width, "legend") if layout.legend == "right" else 80,
    )
    pages = [Page(chart, layout) for chart in charts]
    return _pie(pages) if charts[0].type in SLICED else _plot(pages)


def _around(pages: Sequence[Page]) -> tuple[float, float, float]:
    """Pixels that title and legend take at the top, at the bottom and at the right."""
    first = pages[0]
    size, layout = first.size, first.layout
    title = first.lettering.highest([wrapped(page.chart.title, layout.title_wrap) for page in pages], "title")
    top = PAD * size + (title + NAME_GAP * size if title else 0.0)
    bottom = right = PAD * size
    if legend_entries(first.chart) and layout.legend != "beside":
        widths, heights = zip(*map(legend_extent, pages), strict=True)
        if layout.legend == "right":
            right += max(widths) + BESIDE_PLOT * size
        elif layout.legend == "top":
            top += max(heights) + OVER_PLOT * size
        else:
            bottom += max(heights) + NAME_GAP * size
    return top, bottom, right


def _plot(pages: Sequence[Page]) -> Layout | None:
    first, charts = pages[0], [page.chart for page in pages]
    chart, layout, lettering, size, lying = first.chart, first.layout, first.lettering, first.size, first.lying
    top, bottom, right = _around(pages)
    heat = chart.type == "heat_map"
    names_beside = lying or heat
    if names_beside:
        layout = replace(layout, label_wrap=lettering.characters(_LABEL_WIDTH * layout.width, "label"))
    numbers = [text for each in charts for _, text in axis_numbers(each.axis, layout.most_ticks, unit_sign(each))]
    beside_names = [name for each in charts for name in (each.categories if lying else (row.name for row in each.series))]
    beside = [wrapped(name, layout.label_wrap) for name in beside_names] if names_beside else numbers
    left = PAD * size + lettering.widest(beside, "label") + TICK_GAP * size
    below_title, beside_title = (value_title(chart), chart.position_name) if lying else (chart.position_name, value_title(chart))
    if beside_title and not heat:
        # As many lines as the title takes along a plot of the height that will be left, guessed a little low.
        lines = wrapped(beside_title, lettering.characters(0.8 * (layout.height - top - bottom - 2 * size), "name"))
        left += lettering.extent(lines, "name")[1] + NAME_GAP * size
    right += max(map(bar_extent, pages)) if heat else _overhang(pages, numbers)
    slot = (layout.width - left - right) / max(1, len(chart.categories))
    if not names_beside and chart.categories:
        layout = replace(layout, label_wrap=lettering.characters(slot, "label") if layout.label_turn == 0 else 80)
    names = [wrapped(name, layout.label_wrap) for each in charts for name in each.categories]
    if not names_beside and layout.label_turn == 0 and lettering.widest(names, "label") > slot - _LABEL_GAP * size:
        return None
    below, turn = (numbers, 0) if lying or chart.position_axis is not None else (names, layout.label_turn)
    depth = _label_depth(below, turn, lettering) + TICK_GAP * size + NAME_GAP * size
    bottom += depth + (lettering.extent(below_title, "name")[1] if below_title else -NAME_GAP * size)
    edges = (left, bottom, layout.width - right, layout.height - top - 0.3 * size)
    if edges[2] - edges[0] < LEAST_PLOT * layout.width or edges[3] - edges[1] < LEAST_PLOT * layout.height:
        return None
    x0, y0, x1, y1 = (float(round(edge)) for edge in edges)
    return replace(layout, plot=(x0, y0, x1, y1), label_depth=depth)


def _overhang(pages: Sequence[Page], numbers: list[str]) -> float:
    """Room at the right for the half of an axis' last number, and for the numbers at lying bars."""
    first = pages[0]
    if first.chart.position_axis is not None:
        axes = [page.chart.position_axis for page in pages if page.chart.position_axis]
        numbers = [text for axis in axes for _, text in axis_numbers(axis, first.layout.most_ticks)]
    elif not first.lying:
        return 0.5 * first.size
    return first.lettering.widest(numbers, "label") / 2


def _label_depth(texts: list[str], turn: int, lettering: Typography) -> float:
    """Height of what is written below the plot's edge, turned by so many degrees."""
    longest, line = lettering.widest(texts, "label"), lettering.highest(texts, "label")
    return line if turn == 0 else longest if turn == 90 else 0.71 * (longest + line)


def _pie(pages: Sequence[Page]) -> Layout | None:
    layout, lettering, size = pages[0].layout, pages[0].lettering, pages[0].size
    top, bottom, right = _around(pages)
    left = PAD * size
    rim = 0.3 * size
    if layout.legend == "beside":
        layout = replace(layout, label_wrap=lettering.characters(_LABEL_WIDTH * layout.width, "label"))
        pages = [Page(page.chart, layout) for page in pages]
        texts = [beside_text(page, place) for page in pages for place in range(len(page.chart.categories))]
        across = lettering.widest(texts, "label") + OUTSIDE * size
        left, right = left + across, right + across
        rim = lettering.highest(texts, "label") + OUTSIDE * size
    elif layout.value_labels:
        rim = (OUTSIDE + 1.2) * size
    side = min(layout.width - left - right, layout.height - top - bottom - 2 * rim)
    if side < LEAST_PLOT * min(layout.width, layout.height):
        return None
    x, y = (left + layout.width - right) / 2, (bottom + layout.height - top) / 2
    if layout.legend == "right":
        # The pie and its legend stand in the middle together.
        slack = (layout.width - left - right - side - 2 * rim) / 2
        x = left + max(0.0, slack * 0.8) + rim + side / 2
    return replace(layout, plot=(x - side / 2, y - side / 2, x + side / 2, y + side / 2))

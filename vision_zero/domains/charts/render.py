"""From a chart and its layout to pixels; and whether every text can be read: none cut off by the image's edge, none over
another, none too small, none with characters that its fonts lack."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.domains.charts.canvas import Canvas, PlacedText
from vision_zero.domains.charts.chart import SLICED, Chart, Layout, from_facts
from vision_zero.domains.charts.compact import draw_compact
from vision_zero.domains.charts.frame import Page, draw_axes, draw_color_bar, draw_frame, draw_legend, draw_panel, draw_title
from vision_zero.domains.charts.glyphs import unreadable
from vision_zero.domains.charts.plot import draw_marks, draw_slices
from vision_zero.domains.charts.typography import LEAST_SIZE

TOLERANCE = 0.75
"""Pixels by which boxes may touch or stick out: letters do not fill their box."""


def compose(chart: Chart, layout: Layout) -> Canvas:
    """The chart as shapes and texts, not yet drawn."""
    if chart.style.look == "compact":
        return draw_compact(chart, layout)
    page = Page(chart, layout)
    if chart.type in SLICED:
        draw_slices(page)
    else:
        draw_panel(page)
        draw_marks(page)
        if chart.type == "heat_map":
            draw_color_bar(page)
        else:
            draw_frame(page)
        draw_axes(page)
    draw_title(page)
    draw_legend(page)
    return page.sheet


def render(chart: Chart, layout: Layout) -> Image.Image:
    """The chart's image (RGB, ``layout.width`` x ``layout.height``): the same facts give the same pixels."""
    return compose(chart, layout).image()


def legibility_problems(facts: Mapping[str, Any]) -> list[str]:
    """What is wrong with the texts of the chart of those facts, one line each; empty if nothing is.

    Raises:
        PairsError: the facts are not a chart's.
    """
    return problems_on(compose(*from_facts(facts)))


def problems_on(sheet: Canvas) -> list[str]:
    """What is wrong with the texts on a sheet, measured with its renderer."""
    texts = sheet.texts()
    problems = [f"{_quoted(text)} is cut off" for text in texts if _sticks_out(text, sheet.width, sheet.height)]
    problems += [f"{_quoted(text)} is only {text.size:.1f} pixels high" for text in texts if text.size < LEAST_SIZE - 1e-6]
    lost = [(text, unreadable(text.text, fallbacks=text.fallbacks)) for text in texts]
    problems += [f"{_quoted(text)} has no letters for {letters}" for text, letters in lost if letters]
    problems += [f"{_quoted(one)} overlaps {_quoted(other)}" for one, other in combinations(texts, 2) if _overlap(one, other)]
    return problems


def _quoted(text: PlacedText) -> str:
    return repr(" ".join(text.text.split()))


def _sticks_out(text: PlacedText, width: int, height: int) -> bool:
    low, high = text.corners.min(axis=0), text.corners.max(axis=0)
    return bool((low < -TOLERANCE).any() or (high > np.array([width, height]) + TOLERANCE).any())


def _overlap(one: PlacedText, other: PlacedText) -> bool:
    """Do two boxes, each turned its own way, share more than a rim (separating axes)?"""
    apart = (one.corners.min(axis=0) > other.corners.max(axis=0)) | (other.corners.min(axis=0) > one.corners.max(axis=0))
    if apart.any():
        return False
    return all(
        _common(one.corners @ axis, other.corners @ axis) > TOLERANCE for box in (one, other) for axis in _axes(box.corners)
    )


def _axes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.stack([corners[1] - corners[0], corners[3] - corners[0]])
    return sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-9)


def _common(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(min(one.max(), other.max()) - max(one.min(), other.min()))

"""The compact look: charts for images of about 112x112, with a handful of thick marks and hardly any text.

Not in the paper; made for the embedded policy, which reads colours well and small letters not at all. Categories are colours
(CLEVR's, :data:`~vision_zero.domains.scenes.scene.PALETTE`) and are named by them; the value axis always runs from 0 to 100
with lines at 25, 50, 75 and 100; values are multiples of 5, plainly apart at both ends of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np

from vision_zero.domains.charts.canvas import Canvas
from vision_zero.domains.charts.chart import SLICED, Chart, ChartStyle, Layout, Series
from vision_zero.domains.charts.config import COMPACT_SHARES, ChartsConfig, ChartType
from vision_zero.domains.scenes.scene import COLORS, PALETTE
from vision_zero.randomness import one_of, some_of, weighted

STEP, LOWEST, HIGHEST = 5, 10, 100
"""Values are multiples of STEP from LOWEST to HIGHEST."""
GAP = 10
"""Least distance of the highest and of the lowest value from its neighbour in the order."""
MOST_SHARES = 4
COMPACT_COLORS = {str(name): f"#{red:02x}{green:02x}{blue:02x}" for name, (red, green, blue) in PALETTE.items()}

_BACKGROUND, _INK, _GRID, _FAINT = "#ffffff", "#1e1e1e", "#a8a8a8", "#d4d4d4"
_BAR_SHARE = 0.72


def sample_compact(config: ChartsConfig, rng: np.random.Generator) -> Chart:
    """A random chart of the compact look."""
    kind = weighted(config.types, rng)
    most = min(config.max_categories, MOST_SHARES) if kind in COMPACT_SHARES else config.max_categories
    count = int(rng.integers(config.min_categories, most + 1))
    names = tuple(some_of(COLORS, count, rng))
    if kind in COMPACT_SHARES:
        values = [float(value) for value in rng.permutation(one_of(_shares(count), rng))]
    else:
        values = _distinct(count, rng)
    return compact_chart(kind, names, tuple(values))


def compact_chart(kind: ChartType, names: tuple[str, ...], values: tuple[float, ...]) -> Chart:
    """The compact chart of these values for these colours."""
    return Chart(
        type=kind,
        title="",
        unit="%" if kind in COMPACT_SHARES else "",
        value_name="value",
        position_name="color",
        categories=names,
        colors=tuple(COMPACT_COLORS[name] for name in names),
        series=(Series("value", "", values, tuple(map(float, range(len(names)))) if kind == "scatter" else ()),),
        axis=(0.0, 100.0),
        position_axis=(0.0, float(len(names) - 1)) if kind == "scatter" else None,
        style=ChartStyle(look="compact"),
    )


def is_plain(chart: Chart) -> bool:
    """Do the values keep the compact look's rules, so that questions about order have one plain answer?"""
    values = chart.series[0].values
    on_grid = all(value % STEP == 0 and LOWEST <= value <= HIGHEST for value in values)
    apart = len(set(values)) == len(values) and _ends_stand_out(values)
    return on_grid and apart and (chart.type not in COMPACT_SHARES or sum(values) == 100)


def _ends_stand_out(values: Sequence[float]) -> bool:
    """Are the highest and the lowest value at least ``GAP`` away from the others?"""
    order = sorted(values)
    return order[1] - order[0] >= GAP and order[-1] - order[-2] >= GAP


def draw_compact(chart: Chart, layout: Layout) -> Canvas:
    """Draw a chart of the compact look."""
    return _Drawing(chart, layout).sheet


class _Drawing:
    """One compact chart; lengths are in units of 1/112 of the image's shorter side."""

    def __init__(self, chart: Chart, layout: Layout) -> None:
        self.chart = chart
        self.unit = min(layout.width, layout.height) / 112
        self.sheet = Canvas(layout.width, layout.height, _BACKGROUND)
        self.lying = chart.type == "horizontal_bars"
        unit = self.unit
        left, bottom, right, top = (6, 15, 13, 4) if self.lying else (25, 6, 4, 9)
        self.left, self.right = left * unit, layout.width - right * unit
        self.bottom, self.top = bottom * unit, layout.height - top * unit
        if chart.type in SLICED:
            self._slices(layout)
            return
        self._axis()
        {
            "vertical_bars": self._bars,
            "horizontal_bars": self._bars,
            "stacked_bars": self._stack,
            "lines": self._points,
            "areas": self._points,
            "scatter": self._points,
        }[chart.type]()

    def _at(self, value: float) -> float:
        """Pixels along the value axis."""
        start, end = (self.left, self.right) if self.lying else (self.bottom, self.top)
        return start + (end - start) * value / 100

    def _point(self, across: float, along: float) -> tuple[float, float]:
        """x and y of what is at these pixels along the categories' and the value axis."""
        return (along, across) if self.lying else (across, along)

    def _axis(self) -> None:
        unit = self.unit
        for value in (0, 25, 50, 75, 100):
            place = self._at(value)
            color = _INK if value == 0 else _GRID if value % 50 == 0 else _FAINT
            across = (self.bottom, self.top + 2 * unit) if self.lying else (self.left, self.right)
            width = max(1.0, round((1.5 if value == 0 else 1.0) * unit))
            self.sheet.line([self._point(end, place) for end in across], color, width)
            if value % 50:
                continue
            if self.lying:
                self.sheet.text(str(value), place, self.bottom - 2 * unit, 10.5 * unit, _INK, bold=True, vertical="top")
            else:
                self.sheet.text(str(value), self.left - 2 * unit, place, 10.5 * unit, _INK, bold=True, horizontal="right")

    def _slots(self) -> list[tuple[str, float, float, float]]:
        """Colour, value, middle and half width of each category's mark, first at the left or at the top."""
        count = len(self.chart.categories)
        start, end = (self.top, self.bottom) if self.lying else (self.left, self.right)
        slot = (end - start) / count
        return [
            (color, value, start + slot * (place + 0.5), abs(slot) * _BAR_SHARE / 2)
            for place, (color, value) in enumerate(zip(self.chart.colors, self.chart.series[0].values, strict=True))
        ]

    def _bars(self) -> None:
        for color, value, middle, half in self._slots():
            near, far = self._point(middle - half, self._at(0)), self._point(middle + half, self._at(value))
            self.sheet.rectangle(*near, *far, color, _INK, self.unit)

    def _stack(self) -> None:
        middle, half, base = (self.left + self.right) / 2, (self.right - self.left) * 0.28, 0.0
        for color, value, _, _ in self._slots():
            self.sheet.rectangle(middle - half, self._at(base), middle + half, self._at(base + value), color, _INK, self.unit)
            base += value

    def _points(self) -> None:
        points = [(middle, self._at(value)) for _, value, middle, _ in self._slots()]
        if self.chart.type == "areas":
            base = self._at(0)
            self.sheet.polygon([(points[0][0], base), *points, (points[-1][0], base)], "#dfe3ea")
        if self.chart.type != "scatter":
            self.sheet.line(points, "#555555", 2 * self.unit)
        for color, (x, y) in zip(self.chart.colors, points, strict=True):
            self.sheet.disc(x, y, 6.2 * self.unit, color, _INK, self.unit)

    def _slices(self, layout: Layout) -> None:
        """Clockwise from the top."""
        radius = 51 * self.unit
        thickness = 29 * self.unit if self.chart.type == "doughnut" else None
        values = self.chart.series[0].values
        angle = 90.0
        for color, value in zip(self.chart.colors, values, strict=True):
            end = angle - 360 * value / sum(values)
            center = (layout.width / 2, layout.height / 2)
            self.sheet.wedge(center, radius, end, angle, color, _INK, 1.2 * self.unit, thickness)
            angle = end


@cache
def _shares(count: int) -> tuple[tuple[int, ...], ...]:
    """Every set of that many values that sum to 100 and keep the rules, in ascending order."""
    sets = combinations(range(LOWEST, HIGHEST, STEP), count)
    return tuple(values for values in sets if sum(values) == 100 and _ends_stand_out(values))


def _distinct(count: int, rng: np.random.Generator) -> list[float]:
    steps = [float(value) for value in range(LOWEST, HIGHEST + 1, STEP)]
    while True:
        values = some_of(steps, count, rng)
        if _ends_stand_out(values):
            return values

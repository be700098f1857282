"""Line charts as inline SVG: without scripts or external resources, so that any frame can show them.

What is drawn where is worked out here, and drawn by ``templates/line_chart.svg.j2``. Places are pixels, rounded to a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from vision_zero.report.pages import render_page

WIDTH, HEIGHT = 520, 260
LEFT, RIGHT, BOTTOM = 52, WIDTH - 14, HEIGHT - 34
"""Edges of the plot."""
LEGEND, LEADING, BELOW = 33, 15, 25
"""Middle of the legend's first line, distance of its lines, and of the plot from the middle of its last one."""
Point = tuple[float, float]


class Spread(NamedTuple):
    """An interval around a curve at one iteration."""

    step: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A curve; ``is_faint`` draws only small points, for single values behind a running mean.

    ``spread``: shaded intervals around the curve. Points further apart than ``largest_gap`` are not connected.
    """

    name: str
    points: Sequence[Point]
    color: str
    is_faint: bool = False
    spread: Sequence[Spread] = ()
    largest_gap: float = math.inf

    def stretches(self) -> list[list[Point]]:
        """Groups of connected points."""
        found: list[list[Point]] = []
        for point in self.points:
            if found and point[0] - found[-1][-1][0] <= self.largest_gap:
                found[-1].append(point)
            else:
                found.append([point])
        return found

    def outline(self) -> list[Point]:
        """Around the shaded intervals."""
        return [(part.step, part.high) for part in self.spread] + [(part.step, part.low) for part in reversed(self.spread)]


@dataclass(frozen=True)
class Threshold:
    """A dashed horizontal line with a name."""

    name: str
    value: float
    color: str


@dataclass(frozen=True)
class Band:
    """A shaded range of iterations."""

    start: float
    stop: float
    color: str


@dataclass(frozen=True)
class Chart:
    """A chart over iterations. Its vertical axis has the range of the data; of shares, all from 0 to 1."""

    title: str
    lines: Sequence[Line]
    thresholds: Sequence[Threshold] = ()
    bands: Sequence[Band] = ()
    is_share: bool = False

    def svg(self) -> Markup:
        """The chart as one ``<svg>`` element; nothing where there are no points."""
        values = [y for line in self.lines for _, y in line.points] + [level.value for level in self.thresholds]
        values += [end for line in self.lines for part in line.spread for end in (part.low, part.high)]
        steps = [x for line in self.lines for x, _ in line.points]
        if not steps:
            return Markup("")
        low, high = (0.0, 1.0) if self.is_share else _round_limits(min(values), max(values))
        legend = self._legend()
        plot = Plot(min(steps), max(*steps, min(steps) + 1), low, high, top=legend[-1][2] + BELOW)
        return Markup(render_page("line_chart.svg.j2", chart=self, legend=legend, plot=plot))

    def _legend(self) -> list[tuple[Line | Threshold, int, int]]:
        """What it names, each with its left end and the middle of its line."""
        entries: list[tuple[Line | Threshold, int, int]] = []
        x, y = LEFT, LEGEND
        named: list[Line | Threshold] = [*self.lines, *self.thresholds]
        for entry in named:
            width = 34 + round(6.4 * len(entry.name))
            if x > LEFT and x + width > WIDTH:
                x, y = LEFT, y + LEADING
            entries.append((entry, x, y))
            x += width
        return entries


@dataclass(frozen=True)
class Plot:
    """From data to pixels."""

    first: float
    last: float
    low: float
    high: float
    top: int
    width, height, left, right, bottom = WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM

    def x(self, step: float) -> float:
        """Where an iteration is; those before the first and after the last are at the edges."""
        share = (min(max(step, self.first), self.last) - self.first) / (self.last - self.first)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def y(self, value: float) -> float:
        """Where a value is; those beyond the axis are at its ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(BOTTOM - share * (BOTTOM - self.top), 1)

    def path(self, points: Sequence[Point]) -> str:
        """The attribute of a polygon or of a line through these points."""
        return " ".join(f"{self.x(step)},{self.y(value)}" for step, value in points)

    def levels(self) -> list[float]:
        """Values beside the vertical axis."""
        return _ticks(self.low, self.high)

    def steps(self) -> list[int]:
        """Iterations below the horizontal axis."""
        return [int(step) for step in _ticks(self.first, self.last) if step == int(step)]


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers between two values."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _round_limits(low: float, high: float) -> tuple[float, float]:
    if high - low < 1e-9:
        spread = abs(high) * 0.1 or 1.0
        return low - spread, high + spread
    margin = 0.08 * (high - low)
    return (0.0 if low >= 0 else low - margin), high + margin

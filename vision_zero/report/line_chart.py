"""Line charts as inline SVG: without scripts or external resources, so that any frame can show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT = 520, 260
LEFT, RIGHT, BOTTOM = 52, 14, 34
LEGEND, LEADING, BELOW = 33, 15, 25
"""Middle of the legend's first line, distance of its lines, and of the plot from the middle of its last one, in pixels."""
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
        """The chart as one ``<svg>`` element."""
        values = [y for line in self.lines for _, y in line.points] + [level.value for level in self.thresholds]
        values += [end for line in self.lines for part in line.spread for end in (part.low, part.high)]
        steps = [x for line in self.lines for x, _ in line.points]
        if not steps:
            return Markup("")
        low, high = (0.0, 1.0) if self.is_share else _round_limits(min(values), max(values))
        legend, top = self._legend()
        frame = _Frame(min(steps), max(*steps, min(steps) + 1), low, high, top)
        parts = [
            Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, self.title),
            Markup('<text class="title" x="{}" y="18">{}</text>').format(LEFT, self.title),
            *legend,
            *(frame.band(band) for band in self.bands),
            *frame.grid(self.is_share),
            *(frame.threshold(level) for level in self.thresholds),
            *(frame.spread(line) for line in self.lines),
            *(frame.line(line) for line in self.lines),
            Markup("</svg>"),
        ]
        return Markup("").join(parts)

    def _legend(self) -> tuple[list[Markup], int]:
        """The legend's elements, and where the plot can begin below them."""
        parts, x, y = [], LEFT, LEGEND
        entries: list[Line | Threshold] = [*self.lines, *self.thresholds]
        for entry in entries:
            width = 34 + round(6.4 * len(entry.name))
            if x > LEFT and x + width > WIDTH:
                x, y = LEFT, y + LEADING
            if isinstance(entry, Line) and entry.is_faint:
                parts.append(Markup('<circle cx="{}" cy="{}" r="3" fill="{}"/>').format(x + 8, y, entry.color))
            else:
                dash = "4 3" if isinstance(entry, Threshold) else "none"
                swatch = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>')
                parts.append(swatch.format(x, y, x + 16, y, entry.color, dash))
            parts.append(Markup('<text x="{}" y="{}">{}</text>').format(x + 21, y + 4, entry.name))
            x += width
        return parts, y + BELOW


@dataclass(frozen=True)
class _Frame:
    """From data to pixels."""

    first: float
    last: float
    low: float
    high: float
    top: int

    def x(self, step: float) -> float:
        return LEFT + (step - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - self.top - BOTTOM)

    def band(self, band: Band) -> Markup:
        left, right = self.x(max(band.start, self.first)), self.x(min(band.stop, self.last))
        return Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" fill="{}"/>').format(
            left, self.top, max(right - left, 0), HEIGHT - self.top - BOTTOM, band.color
        )

    def grid(self, is_share: bool) -> list[Markup]:
        parts = []
        for value in _ticks(self.low, self.high):
            label = f"{100 * value:.0f} %" if is_share else f"{value:.4g}"
            parts.append(
                Markup('<line x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="#dde2e8"/>').format(
                    LEFT, self.y(value), WIDTH - RIGHT, self.y(value)
                )
            )
            parts.append(Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 6, self.y(value) + 4, label))
        whole = [step for step in _ticks(self.first, self.last) if step == int(step)]
        for step in whole:
            place = Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
            parts.append(place.format(self.x(step), HEIGHT - BOTTOM + 17, int(step)))
        return parts

    def threshold(self, level: Threshold) -> Markup:
        line = '<line x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}" stroke="{}" stroke-dasharray="4 3" stroke-width="1.5"/>'
        return Markup(line).format(LEFT, self.y(level.value), WIDTH - RIGHT, self.y(level.value), level.color)

    def spread(self, line: Line) -> Markup:
        if not line.spread:
            return Markup("")
        edge = [(part.step, part.high) for part in line.spread] + [(part.step, part.low) for part in reversed(line.spread)]
        path = " ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in edge)
        return Markup('<polygon points="{}" fill="{}" fill-opacity="0.13"/>').format(path, line.color)

    def line(self, line: Line) -> Markup:
        dots = Markup("").join(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}" fill-opacity="{}"><title>{}</title></circle>').format(
                self.x(step),
                self.y(value),
                2.6 if line.is_faint or len(line.points) > 1 else 3.5,
                line.color,
                0.45 if line.is_faint else 1,
                f"{line.name}, iteration {step:.0f}: {value:.4g}",
            )
            for step, value in line.points
        )
        if line.is_faint or len(line.points) < 2:
            return dots
        curve = Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2" stroke-linejoin="round"/>')
        curves = Markup("").join(
            curve.format(" ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in stretch), line.color)
            for stretch in line.stretches()
            if len(stretch) > 1
        )
        return curves + (dots if len(line.points) <= 40 else Markup(""))


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

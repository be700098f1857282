"""The page of an evaluation: a table against the base, bars by category, right and wrong answers with their images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vision_zero.evaluation.scorecard import Scorecard, SuiteScores
from vision_zero.report.pages import render_page

MOST_BARS = 16
"""Values of a breakdown that are shown: those with the most items."""
WIDTH, LEFT, RIGHT, TOP = 520, 170, 64, 46
BAR, GAP = 11, 9
POLICY, BASE = "#1f5fae", "#b9c4d3"
LONGEST_NAME = 26
"""Longest name of a category in characters; longer ones are truncated."""


def evaluation_page(scorecard: Scorecard) -> str:
    """The page as one HTML document."""
    charts = {suite.name: bar_charts(suite) for suite in scorecard.suites}
    return render_page("evaluation.html.j2", card=scorecard, charts=charts)


def bar_charts(suite: SuiteScores) -> list[Markup]:
    """One ``<svg>`` element for each breakdown of a suite that has more than one value."""
    charts = []
    for name, values in suite.policy.groups.items():
        shown = sorted(values, key=lambda value: (-values[value].total, value))[:MOST_BARS]
        base = suite.base.groups.get(name, {}) if suite.base is not None else {}
        bars = [
            Bar(value, values[value].accuracy, base[value].accuracy if value in base else None, values[value].total)
            for value in sorted(shown, key=lambda value: -values[value].accuracy)
        ]
        if len(bars) > 1:
            charts.append(_bar_chart(f"{suite.name} by {name}", bars))
    return charts


@dataclass(frozen=True)
class Bar:
    """One category: shares between 0 and 1, and its number of items; ``base`` is None without another policy."""

    name: str
    policy: float
    base: float | None
    items: int


def _bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """Categories from top to bottom."""
    is_pair = any(bar.base is not None for bar in bars)
    step = (2 * BAR if is_pair else BAR) + GAP
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, TOP + step * len(bars), title),
        Markup('<text class="title" x="0" y="16">{}</text>').format(title),
    ]
    for left, name, color in ((LEFT, "policy", POLICY), (LEFT + 80, "base", BASE))[: 1 + is_pair]:
        swatch = Markup('<rect x="{}" y="26" width="12" height="10" fill="{}"/><text x="{}" y="35">{}</text>')
        parts.append(swatch.format(left, color, left + 17, name))
    for number, bar in enumerate(bars):
        top = TOP + number * step
        name = bar.name if len(bar.name) <= LONGEST_NAME else f"{bar.name[: LONGEST_NAME - 1]}…"
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT - 8, top + BAR, name))
        parts.append(_bar(bar.policy, top, POLICY, f" of {bar.items}"))
        if bar.base is not None:
            parts.append(_bar(bar.base, top + BAR, BASE, ""))
    return Markup("").join([*parts, Markup("</svg>")])


def _bar(share: float, top: int, color: str, note: str) -> Markup:
    width = share * (WIDTH - LEFT - RIGHT)
    rect = Markup('<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"/>').format(LEFT, top, width, BAR - 1, color)
    text = Markup('<text x="{:.1f}" y="{}" style="font-size:10px">{:.0f} %{}</text>')
    return rect + text.format(LEFT + width + 4, top + BAR - 2, 100 * share, note)

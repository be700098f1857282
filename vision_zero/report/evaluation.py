"""The page of an evaluation: a table against the base, bars by category, right and wrong answers with their images."""

from __future__ import annotations

from vision_zero.evaluation.scorecard import Scorecard, SuiteScores
from vision_zero.report.bar_chart import Bar, BarChart
from vision_zero.report.pages import render_page

MOST_BARS = 16
"""Values of a breakdown that are shown: those with the most items."""


def evaluation_page(scorecard: Scorecard) -> str:
    """The page as one HTML document."""
    charts = {suite.name: bar_charts(suite) for suite in scorecard.suites}
    return render_page("evaluation.html.j2", card=scorecard, charts=charts)


def bar_charts(suite: SuiteScores) -> list[BarChart]:
    """One chart for each breakdown of a suite that has more than one value."""
    charts = []
    for name, values in suite.policy.groups.items():
        shown = sorted(values, key=lambda value: (-values[value].total, value))[:MOST_BARS]
        base = suite.base.groups.get(name, {}) if suite.base is not None else {}
        bars = [
            Bar(value, values[value].accuracy, base[value].accuracy if value in base else None, values[value].total)
            for value in sorted(shown, key=lambda value: -values[value].accuracy)
        ]
        if len(bars) > 1:
            charts.append(BarChart(f"{suite.name} by {name}", bars))
    return charts

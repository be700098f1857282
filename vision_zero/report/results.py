"""Tables and plots for a document, made from the file of results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from vision_zero.errors import ReportError
from vision_zero.evaluation.estimates import NOTHING
from vision_zero.experiments.results import ArmMeasures, Measure, Results

BEGIN, END = "<!-- results -->", "<!-- end of results -->"
"""The lines before and after the tables in a document."""
COLORS = ("#1f5fae", "#b3261e", "#1b7f4b", "#c58a1c", "#7b4fa3", "#7a8594", "#0f8b8d", "#d16ba5")
OF_ARMS = (
    "forced choice over rule",
    "verdicts",
    "false denied",
    "reasoned votes",
    "wins",
    "scene questions",
    "chart questions",
    "over the base made to reason",
)
"""Measures by which the arms are shown beside each other; the file has all."""
_BETWEEN = re.compile(re.escape(BEGIN) + r"\n(.*?)" + re.escape(END), re.DOTALL)


def tables(results: Results) -> str:
    """The tables in Markdown: the main arm beside the base, the rule and the base made to reason; and the main differences of
    all arms."""
    seeds = ", ".join(map(str, results.seeds))
    note = (
        f"{results.iterations} iterations, {results.pairs} held-out pairs, seeds {seeds}. Differences in points; their "
        f"{100 * results.confidence:g} % intervals are over seeds and pairs and hold for all measures of an arm together "
        "(Bonferroni)."
    )
    parts = [note, _main(results.measures, f"{results.arm}, seeds {seeds}")]
    if results.arms:
        own = ArmMeasures(seeds=results.seeds, measures=results.measures)
        parts.append(_arms({results.arm: own, **results.arms}, results.seeds))
    return "\n\n".join(parts) + "\n"


def tables_in(document: str) -> str | None:
    """The tables in a document; None if it has no place for them."""
    match = _BETWEEN.search(document)
    return None if match is None else match.group(1)


def write_into(document: Path, results: Results) -> None:
    """Write the tables into their place in a document.

    Raises:
        ReportError: it has no such place, or cannot be written.
    """
    try:
        text = document.read_text(encoding="utf-8")
        if tables_in(text) is None:
            raise ReportError(f"{document} has no place for results: put the lines {BEGIN} and {END} where they belong")
        document.write_text(_BETWEEN.sub(lambda _: f"{BEGIN}\n{tables(results)}{END}", text), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{document} cannot be read or written: {error}") from error


def draw_courses(results: Results, path: Path) -> None:
    """Plot the training curves of all arms as an SVG, one panel per score; the same results give the same file.

    Raises:
        ReportError: there is nothing to draw, or the file cannot be written.
    """
    arms = {results.arm: results.courses, **{arm: measured.courses for arm, measured in results.arms.items()}}
    names = list(results.courses)
    if not names:
        raise ReportError("the results have no training curves: collect them from runs that were evaluated during training")
    figure = Figure(figsize=(4.2 * len(names), 3.1), facecolor="white", layout="constrained")
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("iterations", fontsize=8)
        axes.tick_params(labelsize=8)
        for (arm, courses), color in zip(arms.items(), cycle(COLORS), strict=False):
            if name in courses:
                steps, means, lows, highs = zip(*courses[name], strict=True)
                axes.plot(steps, means, color=color, label=arm)
                axes.fill_between(steps, lows, highs, color=color, alpha=0.15, linewidth=0)
        axes.legend(fontsize=7)
    try:
        with rc_context({"svg.hashsalt": "results"}):
            figure.savefig(path, format="svg", metadata={"Date": None})
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error}") from error


def _main(measures: Mapping[str, Measure], policy: str) -> str:
    head = ["", "base", "rule on its checks", "base made to reason", policy, "difference"]
    rows = [
        [name, _share(one.base), _share(one.rule), _share(one.reasoned), " / ".join(map(_share, one.policy)), _points(one)]
        for name, one in measures.items()
    ]
    return _table(head, rows)


def _arms(arms: Mapping[str, ArmMeasures], seeds: tuple[int, ...]) -> str:
    """The main differences of all arms, an arm a row; an arm with other ``seeds`` lists them."""
    names = [name for name in OF_ARMS if any(name in measured.measures for measured in arms.values())]
    rows = []
    for arm, measured in arms.items():
        is_alike = not measured.seeds or measured.seeds == seeds
        head = arm if is_alike else f"{arm} (seeds {', '.join(map(str, measured.seeds))})"
        rows.append([head, *(_points(measured.measures[name]) if name in measured.measures else NOTHING for name in names)])
    return _table(["difference", *names], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} %"


def _points(measure: Measure) -> str:
    """The difference with its interval; bold if the interval excludes 0."""
    mean, low, high = (f"{value:+.1f}" for value in measure.difference)
    is_clear = measure.difference[1] > 0 or measure.difference[2] < 0
    return f"**{mean}** [{low}, {high}]" if is_clear else f"{mean} [{low}, {high}]"

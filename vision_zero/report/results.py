"""Tables and plots for a document, made from the file of results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib import rc_context
from matplotlib.figure import Figure

from vision_zero.atomic_dir import write_atomically
from vision_zero.errors import ReportError
from vision_zero.evaluation.estimates import NOTHING
from vision_zero.experiments.results import COMPARED, ArmMeasures, Difference, Measure, Results

END = "<!-- end of results -->"
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
OF_SUMMARY = (*OF_ARMS, "difference captions", "odd one out", "easy-vqa")
"""Measures of the main arm in a summary."""


def tables(results: Results) -> str:
    """All tables in Markdown: each measure of the main arm, seed by seed, beside the base, the rule and the base made to reason;
    and the main differences of all arms."""
    rows = {name: (one, " / ".join(map(_share, one.policy))) for name, one in results.measures.items()}
    return _tables(results, rows, f"{results.arm}, seeds {_listed(results.seeds)}", results.arms)


def summary(results: Results) -> str:
    """The same with fewer measures, the means over the seeds, and the arms that have all of the main arm's seeds."""
    shown = {name: results.measures[name] for name in OF_SUMMARY if name in results.measures}
    rows = {name: (one, _share(fmean(one.policy))) for name, one in shown.items()}
    return _tables(results, rows, f"{results.arm}, mean of {len(results.seeds)} seeds", _complete(results))


PLACES: Mapping[str, Callable[[Results], str]] = {"<!-- results -->": summary, "<!-- all results -->": tables}
"""The lines after which a document has tables, up to the line ``END``, and which tables."""
PLACE = re.compile(rf"^({'|'.join(map(re.escape, PLACES))})\n(.*?)^{re.escape(END)}", re.DOTALL | re.MULTILINE)


def write_into(document: Path, results: Results) -> None:
    """Write the tables into their places in a document.

    Raises:
        ReportError: it has no such place, or cannot be read or written.
    """
    try:
        text = document.read_text(encoding="utf-8")
        made, places = PLACE.subn(lambda place: f"{place[1]}\n{PLACES[place[1]](results)}{END}", text)
        if not places:
            lines = " or ".join(PLACES)
            raise ReportError(f"{document} has no place for results: put the lines {lines} and {END} where they belong")
        write_atomically(document, made)
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{document} cannot be read or written: {error}") from error


def draw_curves(results: Results, path: Path) -> None:
    """Plot the training curves of the arms that have all of the main arm's seeds as an SVG, one panel per score, up to the main
    arm's last iteration; the same results give the same file.

    Raises:
        ReportError: there is nothing to draw, or the file cannot be written.
    """
    arms = {results.arm: results.curves, **{arm: measured.curves for arm, measured in _complete(results).items()}}
    names = list(results.curves)
    if not names:
        raise ReportError("the results have no training curves: collect them from runs that were evaluated during training")
    figure = Figure(figsize=(4.2 * len(names), 3.4), facecolor="white", layout="constrained")
    lines = {}
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(1, len(names), place)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("iterations", fontsize=8)
        axes.tick_params(labelsize=8)
        for number, (arm, curves) in enumerate(arms.items()):
            color, style = COLORS[number % len(COLORS)], "-" if number < len(COLORS) else "--"
            shown = [point for point in curves.get(name, ()) if point[0] <= results.iterations]
            if shown:
                steps, means, lows, highs = zip(*shown, strict=True)
                (lines[arm],) = axes.plot(steps, means, style, color=color, marker="o", markersize=3)
                axes.fill_between(steps, lows, highs, color=color, alpha=0.1, linewidth=0)
        axes.set_ylim(bottom=0)
    handles = {arm: lines[arm] for arm in arms if arm in lines}
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=len(COLORS), fontsize=8, frameon=False)
    try:
        with rc_context({"svg.hashsalt": "results"}):
            figure.savefig(path, format="svg", metadata={"Date": None})
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error}") from error


def _complete(results: Results) -> dict[str, ArmMeasures]:
    """The other arms that were trained with all of the main arm's seeds."""
    return {arm: measured for arm, measured in results.arms.items() if measured.seeds in ((), results.seeds)}


def _tables(results: Results, rows: Mapping[str, tuple[Measure, str]], policy: str, arms: Mapping[str, ArmMeasures]) -> str:
    """A note, the ``rows`` of the main arm by measure (with the text of the policy's column), and other ``arms``."""
    note = (
        f"{results.iterations} iterations, {results.pairs} held-out pairs, seeds {_listed(results.seeds)}. Differences in "
        f"points; their {100 * results.confidence:g} % intervals are over seeds and pairs and hold for all measures of an arm "
        "together (Bonferroni)."
    )
    head = ["", "base", "rule on its checks", "base made to reason", policy, "difference"]
    of_main = [
        [name, _share(one.base), _share(one.rule), _share(one.reasoned), own, _points(one.difference)]
        for name, (one, own) in rows.items()
    ]
    parts = [note, _table(head, of_main)]
    if arms:
        main = ArmMeasures(seeds=results.seeds, measures=results.measures)
        parts.append(_arms({results.arm: main, **arms}, results.seeds))
        parts.append(
            f"The last column is {results.arm} minus the arm, seed by seed, in {COMPARED} alone; its intervals are not "
            "corrected for several measures."
        )
    return "\n\n".join(parts) + "\n"


def _arms(arms: Mapping[str, ArmMeasures], seeds: tuple[int, ...]) -> str:
    """The main differences of all arms, an arm a row, and how the first compares with each; other ``seeds`` are listed."""
    main = next(iter(arms))
    names = [name for name in OF_ARMS if any(name in measured.measures for measured in arms.values())]
    rows = []
    for arm, measured in arms.items():
        is_alike = not measured.seeds or measured.seeds == seeds
        head = arm if is_alike else f"{arm} (seeds {_listed(measured.seeds)})"
        shown = [measured.measures[name].difference if name in measured.measures else None for name in names]
        rows.append([head, *map(_points, (*shown, measured.main_minus_arm))])
    return _table(["difference", *names, f"{COMPARED}: {main} minus the arm"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} %"


def _points(difference: Difference | None) -> str:
    """The difference with its interval; bold if the interval excludes 0."""
    if difference is None:
        return NOTHING
    mean, low, high = (f"{value:+.1f}" for value in difference)
    is_clear = difference[1] > 0 or difference[2] < 0
    return f"**{mean}** [{low}, {high}]" if is_clear else f"{mean} [{low}, {high}]"

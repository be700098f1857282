"""The page of an ablation: training curves with intervals over seeds and pairs, and tables of the final scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.ablation import slug
from vision_zero.evaluation.metric_names import is_share
from vision_zero.experiments.ablation import MEASURES, AblationResult, ArmResult
from vision_zero.report.line_chart import Chart, Line, Spread
from vision_zero.report.pages import render_page

COLORS = ("#1f5fae", "#b3261e", "#1b7f4b", "#c58a1c")
"""Colours of the reference arm and of the arms beside it."""
PLOTTED = (
    "decision/forced",
    "decision/accuracy",
    "verdicts/all",
    "wins/both",
    "questions/all",
    "replies/reasoned",
    "replies/words",
)
PRINTED = "decision/forced"
REPORT, NUMBERS = "report.html", "result.json"


def ablation_page(result: AblationResult) -> str:
    """The page as one HTML document."""
    reference = _reference(result)
    charts = [_chart(name, shown) for name in PLOTTED if name in reference.measures for shown in _shown_together(result)]
    measures = {name: words for name, words in MEASURES.items() if name in reference.measures}
    return render_page("ablation.html.j2", result=result, charts=charts, measures=measures, reference=reference)


def write_result(result: AblationResult, runs_folder: str) -> tuple[str, Path]:
    """Write the report and its data, replacing an earlier report.

    Returns:
        The report's HTML, and its file.
    """
    folder = Path(runs_folder) / slug(result.name)
    page = ablation_page(result)
    for name, text in ((REPORT, page), (NUMBERS, result.model_dump_json(indent=1))):
        write_atomically(folder / name, text)
    return page, folder / REPORT


def print_table(result: AblationResult, report: Path) -> None:
    """Print a summary of the arms' votes."""
    printed = next(name for name in (PRINTED, *MEASURES) if name in _reference(result).measures)
    click.echo("")
    click.echo(f"  {result.name}: {result.length}, {_seeds(result.arms[0])}")
    click.echo(f"  {MEASURES[printed]:<28}{'at the end':>20}{'over the base':>20}{'over ' + result.reference:>28}")
    for arm in result.arms:
        measured = arm.measures[printed]
        difference = "" if measured.difference is None else measured.difference.points()
        click.echo(f"  {arm.arm:<28}{measured.final.text():>20}{measured.gain.points():>20}{difference:>28}")
    click.echo(f"  report  {report}")
    click.echo("")


def _chart(name: str, arms: Sequence[ArmResult]) -> Chart:
    lines = []
    for arm, color in zip(arms, COLORS, strict=False):
        curve = arm.measures[name].curve
        spread = [Spread(point.iteration, point.value.low, point.value.high) for point in curve]
        lines.append(Line(arm.arm, [(point.iteration, point.value.mean) for point in curve], color, spread=spread))
    return Chart(MEASURES[name], lines, is_share=is_share(name))


def _shown_together(result: AblationResult) -> Iterator[list[ArmResult]]:
    """Groups of arms for one chart: the reference with up to three others."""
    reference = _reference(result)
    others = [arm for arm in result.arms if arm.arm != result.reference]
    beside = len(COLORS) - 1
    for start in range(0, max(len(others), 1), beside):
        yield [reference, *others[start : start + beside]]


def _reference(result: AblationResult) -> ArmResult:
    return next(arm for arm in result.arms if arm.arm == result.reference)


def _seeds(arm: ArmResult) -> str:
    return f"seed {arm.seeds[0]}" if len(arm.seeds) == 1 else f"seeds {', '.join(map(str, arm.seeds))}"

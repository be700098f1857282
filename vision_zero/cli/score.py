"""``vision-zero score``: scores predictions in a file, without a paid judge.

Heavy imports are inside the functions, so that ``--help`` is fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vision_zero.cli.options import refuse_beside

if TYPE_CHECKING:
    from vision_zero.evaluation.benchmarks.score_files import Scored

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="score")
@click.option("--benchmark", type=click.Choice(["chartqa", "mathvista"]), required=True, help="Benchmark whose rules are used.")
@click.option(
    "--predictions",
    type=_FILE,
    required=True,
    help="File of predictions: official, VLMEvalKit's, lmms-eval's or InternVL's format.",
)
@click.option("--annotations", type=_FILE, help="MathVista: testmini.json, for fields that are missing in the predictions.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the results.")
@click.option("--response-label", default="response", show_default=True, help="MathVista: the field with the reply.")
@click.option("--keep-extractions", is_flag=True, help="MathVista: score the extracted answers in the file.")
def score(
    benchmark: str, predictions: Path, annotations: Path | None, out: Path, response_label: str, keep_extractions: bool
) -> None:
    """Extract the answers of predictions, score them by the official rules, and write answers, scores and a table."""
    if benchmark == "chartqa":
        refuse_beside("--benchmark chartqa", "benchmark", "predictions", "out")
    from vision_zero.evaluation.benchmarks.score_files import score_chartqa, score_mathvista, write_scored

    if benchmark == "mathvista":
        scored = score_mathvista(predictions, annotations, response_label=response_label, keep_extractions=keep_extractions)
    else:
        scored = score_chartqa(predictions)
    files = write_scored(scored, predictions, out)
    for line in summary(scored):
        click.echo(line)
    click.echo(f"written: {', '.join(str(file) for file in files)}")


def summary(scored: Scored) -> list[str]:
    """The scores as lines: overall, other rules, the shorter breakdowns, and remarks."""
    scores = scored.scores
    if scores.overall is None:
        return [f"{scores.benchmark}: {len(scored.records)} predictions, no answers to compare with (the test split keeps them)"]
    lines = [f"{scores.benchmark}: {scores.overall.accuracy:.1%} ({scores.overall.correct} of {scores.overall.total})"]
    lines += [f"  {rule}: {part.accuracy:.1%} ({part.correct} of {part.total})" for rule, part in scores.also.items()]
    for name, values in scores.groups.items():
        if len(values) <= 12:
            lines.append(
                f"  {name}: " + ", ".join(f"{value} {part.accuracy:.1%} of {part.total}" for value, part in values.items())
            )
    if scores.unanswered:
        lines.append(f"  without an answer: {scores.unanswered} ({scores.unanswered_right} of them right by the nearest choice)")
    if scored.missing:
        lines.append(f"  annotated problems without a prediction, not counted: {scored.missing}")
    if scored.agreement is not None:
        agreed, verdicts = scored.agreement
        lines.append(f"  agreement with the verdicts in the file: {agreed / verdicts:.1%} of {verdicts}")
    return lines

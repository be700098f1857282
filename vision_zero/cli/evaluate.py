"""``vision-zero evaluate``: evaluates any policy on any suites, beside another policy.

Heavy imports are inside the functions, so that ``--help`` is fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vision_zero.config.suite_registry import SUITES


@click.command(name="evaluate")
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="Recipe to start from: configs/evaluate/*.yaml."
)
@click.option("--policy", help="nano, a trained or merged folder, a hub id, or the model's name at --endpoint.")
@click.option("--base", help="Policy to compare with; default: the base of the trained folder.")
@click.option("--endpoint", help="URL of an OpenAI-compatible endpoint: http://localhost:8000/v1.")
@click.option("--key-variable", help="Environment variable that holds the endpoint's key.")
@click.option("--suite", "suites", type=click.Choice(tuple(SUITES)), multiple=True, help="Suite; may be repeated.")
@click.option("--look", type=click.Choice(["full", "compact"]), help="Images of the procedural suites.")
@click.option("--items", type=click.IntRange(1), help="Items of each procedural suite.")
@click.option("--source", help="ChartQA, MathVista: hub id, file, folder or URL (s3://...).")
@click.option("--limit", type=click.IntRange(1), help="Only the first items of every suite.")
@click.option("--max-tokens", type=click.IntRange(1), help="Longest reply.")
@click.option("--batch-size", type=click.IntRange(1), help="Items in one batch.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into; run again to continue."
)
def evaluate(out: Path, file: Path | None, **options: Any) -> None:
    """Evaluate a policy on suites and compare it with another: predictions, scores.json and page.html."""
    from vision_zero.cli.evaluate_options import read_options
    from vision_zero.report.evaluation_folder import evaluate_into

    scorecard = evaluate_into(out, read_options(file, options))
    for line in scorecard.summary():
        click.echo(line)
    click.echo(f"open {out / 'page.html'}")

"""``vision-zero results``: makes the file of results from runs, and tables and plots from that file.

Heavy imports are inside the functions, so that ``--help`` is fast.
"""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(name="results")
@click.argument("file", type=_PATH)
@click.option("--ablation", type=_PATH, help="Make FILE from the finished arms of this ablation, the reference arm first.")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="ARM:SEED=FOLDER",
    help="Make FILE from this run, or the last run in this folder; may be repeated, the main arm first.",
)
@click.option(
    "--records",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --ablation: keep the scores of its finished arms in this folder, and take those of the other arms from it.",
)
@click.option("--reasoned", type=_PATH, help="For making FILE: scores.json of the base made to reason on the suites.")
@click.option(
    "--document", "--readme", "documents", type=_PATH, multiple=True, help="Write the tables into this document; may be repeated."
)
@click.option("--plot", type=_PATH, help="Plot the training curves into this SVG file.")
def results(
    file: Path,
    ablation: Path | None,
    runs: tuple[str, ...],
    records: Path | None,
    reasoned: Path | None,
    documents: tuple[Path, ...],
    plot: Path | None,
) -> None:
    """Print the tables of results FILE, such as docs/results/learning.json. With --ablation or --run, make FILE first."""
    from vision_zero.experiments.ablation_runs import Runs, ablation_runs
    from vision_zero.experiments.results import FOLLOWED, Results, collect, partly_measured
    from vision_zero.experiments.run_record import RunRecord, last_run, of_base_made_to_reason
    from vision_zero.recipes.check import read_ablation
    from vision_zero.report.results import draw_curves, tables, write_into

    arms: Runs = {}
    left_out: list[str] = []
    confidence = None
    if ablation is not None:
        config = read_ablation(ablation)
        confidence = config.confidence
        arms, left_out = ablation_runs(config, records)
    elif records is not None:
        raise click.UsageError("--records belongs to --ablation, whose arms they are of")
    if reasoned is not None and ablation is None and not runs:
        raise click.UsageError("--reasoned belongs to --ablation or --run: it is for making FILE")
    for text in runs:
        arm, seed, folder = _named(text)
        if seed in arms.get(arm, {}):
            raise click.BadParameter(f"{arm}, seed {seed} is there already: give another seed", param_hint="--run")
        arms.setdefault(arm, {})[seed] = RunRecord.of(last_run(folder), curves=FOLLOWED)
    for line in (*left_out, *partly_measured(arms)):
        click.echo(f"left out {line}", err=True)
    if arms:
        collect(arms, of_base_made_to_reason(reasoned, records), confidence).write(file)
    found = Results.read(file)
    for document in documents:
        write_into(document, found)
    if plot is not None:
        draw_curves(found, plot)
    click.echo(tables(found), nl=False)


def _named(text: str) -> tuple[str, int, Path]:
    name, equals, folder = text.partition("=")
    arm, colon, seed = name.rpartition(":")
    if not (equals and colon and arm and seed.isdecimal() and folder):
        raise click.BadParameter(f"{text!r} is not ARM:SEED=FOLDER, such as alternating:0=runs/exam_0", param_hint="--run")
    return arm, int(seed), Path(folder)

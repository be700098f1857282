"""The command line: ``vision-zero``. Everything that needs no pipeline: check a recipe, render pairs, play, write a report.

Heavy imports happen inside the commands, so that ``--help`` answers at once. Errors are one line and exit with 2.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vision_zero.cli.evaluate import evaluate
from vision_zero.cli.options import Number, Registered, Size, domains, refuse_beside
from vision_zero.cli.results import results
from vision_zero.cli.schedule import DAYS
from vision_zero.cli.score import score
from vision_zero.errors import VisionZeroError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vision-zero")
def cli() -> None:
    """Vision-Zero: a vision-language model improves itself by playing "Who is the spy?"."""


@cli.command("check-config")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Check a pipeline configuration FILE: every key, type and value. If it extends another, show what both make together."""
    import yaml

    from vision_zero.recipes.check import check_recipe
    from vision_zero.recipes.recipe_file import read_recipe

    recipe = read_recipe(file)
    click.echo(f"{file}: {check_recipe(recipe)}")
    if recipe.extends_another:
        click.echo(yaml.safe_dump(recipe.settings, sort_keys=False, allow_unicode=True))


@cli.command()
@click.option(
    "--domain",
    type=Registered(domains),
    default=lambda: next(iter(domains())),
    show_default="the first",
    help="Domain of the pairs.",
)
@click.option("--count", type=click.IntRange(1), default=8, show_default=True, help="Number of pairs.")
@click.option("--size", type=Size(), help="Width and height in pixels; default: 320x240, or the size of imported pairs.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed gives the same pairs.")
@click.option("--from", "location", help="Folder or URL of photos or single images, of pairs to import, or of ChartQA.")
@click.option("--edit", "edits", multiple=True, help="Only this kind of edit, such as move; may be given several times.")
@click.option("--changes", type=click.IntRange(1, 4), help="Number of objects that an edit changes.")
@click.option("--column", help="The data set's column of photos or single images.")
@click.option("--original-column", help="The data set's column of original images.")
@click.option("--modified-column", help="The data set's column of modified images.")
@click.option("--pictures", help="Folder or URL of the image files that a data set names.")
@click.option("--split", help="The split to read if there are several; default: train.")
@click.option("--layout", type=click.Choice(("files", "table")), help="Whether --from has image files or a data set.")
@click.option("--sizes", type=click.Choice(("equal", "crop", "resize")), help="For pairs whose sizes differ by a few pixels.")
@click.option("--scene", type=click.Path(path_type=Path), help="Render the scenes of this CLEVR scene file instead.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Also write the gallery as one PNG file.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
def render(
    domain: str,
    count: int,
    size: tuple[int, int] | None,
    seed: int,
    location: str | None,
    edits: tuple[str, ...],
    changes: int | None,
    scene: Path | None,
    sheet: Path | None,
    out: Path,
    **reading: str | None,
) -> None:
    """Render or import image pairs: <id>_original.png, <id>_modified.png, pairs.parquet and a gallery.html."""
    if scene is not None:
        refuse_beside("--scene", "scene", "count", "size", "out")
        from vision_zero.domains.scenes.clevr_import import draw_given

        scenes, problems = draw_given(out, scene, count, size or (320, 240))
        for name, problem in problems.items():
            click.echo(f"left out {name}: {problem}", err=True)
        click.echo(f"{scenes} scenes in {out}")
        return
    from vision_zero.domains.order import Order
    from vision_zero.report.render_pairs import render_into

    given = {name: value for name, value in reading.items() if value is not None}
    drawn = render_into(out, Order(domain, count, size, seed, location, edits, changes, given), sheet)
    for line in [] if drawn.report is None or not drawn.report.is_worth_a_warning else drawn.report.lines():
        click.echo(line, err=True)
    if drawn.older:
        click.echo(
            f"{drawn.older} PNG files that were in {out} before belong to none of these pairs; they were left there", err=True
        )
    click.echo(f"{drawn.total} pairs in {out}: open {out / 'gallery.html'}")


@cli.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
def gallery(out: Path) -> None:
    """Write an example gallery of each domain as an image: gallery_<domain>.png."""
    from vision_zero.report.render_pairs import write_galleries

    for sheet in write_galleries(out):
        click.echo(sheet)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--at", "time", default="03:00", show_default=True, help="Time of day.")
@click.option("--day", "days", type=click.Choice(DAYS), multiple=True, help="Only on this day; may be repeated.")
@click.option("--form", type=click.Choice(("crontab", "systemd", "zenml")), default="crontab", show_default=True)
def schedule(file: Path, time: str, days: tuple[str, ...], form: str) -> None:
    """Print what runs FILE on a schedule, one run at a time: a crontab line, systemd units, or a block for ZenML."""
    from vision_zero.cli.schedule import Schedule, crontab, systemd, zenml_schedule
    from vision_zero.recipes.check import check_file

    check_file(file)
    planned = Schedule.at(file, time, days)
    if form == "systemd":
        for name, text in systemd(planned).items():
            click.echo(f"# ~/.config/systemd/user/{name}\n{text}")
        return
    click.echo(crontab(planned) if form == "crontab" else zenml_schedule(planned), nl=False)


@cli.group()
def bench() -> None:
    """Measure speed and memory; the results are JSON."""


@bench.command("render")
@click.option("--domain", "only", type=Registered(domains), multiple=True, help="Only this domain; may be repeated.")
@click.option("--size", "sizes", type=Size(), multiple=True, help="Only this size; default: 112x112 and 320x240.")
@click.option("--pairs", type=click.IntRange(4), default=64, show_default=True, help="Pairs that each process makes.")
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True, help="Parallel processes.")
def bench_render(only: tuple[str, ...], sizes: tuple[tuple[int, int], ...], pairs: int, processes: int) -> None:
    """Pairs per second, CPU seconds per image and peak memory, by domain and size."""
    from vision_zero.performance.pair_generation import measure_sources

    found = measure_sources(only or tuple(domains()), sizes or ((112, 112), (320, 240)), pairs, processes)
    click.echo(json.dumps(found, indent=1))


@bench.command("rollout")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--games", type=click.IntRange(1), default=32, show_default=True, help="Games in one batch.")
@click.option("--single-games", type=click.IntRange(1), default=2, show_default=True, help="Games with one reply at a time.")
def bench_rollout(file: Path, games: int, single_games: int) -> None:
    """How fast the policy of recipe FILE plays: in batches, one reply at a time, and against its bare forward passes."""
    from vision_zero.performance.rollouts import measure_rollouts
    from vision_zero.recipes.check import read_self_play

    click.echo(json.dumps(measure_rollouts(read_self_play(file), games, single_games), indent=1))


@bench.command("gpu")
@click.option("--base", "bases", multiple=True, help="Qwen2.5-VL-3B and 7B by default; may be given several times.")
@click.option("--small", is_flag=True, help="Two narrow layers and a few tokens, on whatever device there is: a trial run.")
@click.option("--minutes", type=Number(0), default=8.0, show_default=True, help="What is not begun by then is left out.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the results to this file.")
def bench_gpu(bases: tuple[str, ...], small: bool, minutes: float, out: Path | None) -> None:
    """What one GPU makes of released shapes with random weights: play, a token's step, the update, memory, rounding."""
    from vision_zero.performance.gpu import BASES, measure_gpu

    found = json.dumps(measure_gpu(bases or BASES, small=small, minutes=minutes), indent=1)
    if out is not None:
        out.write_text(found + "\n", encoding="utf-8")
    click.echo(found)


def _of_iterations(command: Callable[..., None]) -> Callable[..., None]:
    """A benchmark that trains recipe FILE."""
    measured = "Measured iterations of each stage."
    command = click.option("--iterations", type=click.IntRange(1), default=2, show_default=True, help=measured)(command)
    command = click.option("--games", type=click.IntRange(1), help="Games in an iteration; default: the recipe's.")(command)
    return click.argument("file", type=click.Path(path_type=Path))(command)


@bench.command("update")
@_of_iterations
@click.option("--votes", type=click.IntRange(2), help="Votes per prompt; default: the recipe's.")
def bench_update(file: Path, games: int | None, iterations: int, votes: int | None) -> None:
    """How fast the update of recipe FILE is: tokens, padding, operations a second, with and without shared prompts."""
    from vision_zero.performance.training import measure_updates

    _print_measured(measure_updates, file, iterations, games_per_iteration=games, votes_per_prompt=votes)


@bench.command("iteration")
@_of_iterations
def bench_iteration(file: Path, games: int | None, iterations: int) -> None:
    """How long an iteration of each stage takes with recipe FILE, by phase."""
    from vision_zero.performance.training import measure_iterations

    _print_measured(measure_iterations, file, iterations, games_per_iteration=games)


def _print_measured(measure: Callable[..., dict[str, Any]], file: Path, iterations: int, **learning: int | None) -> None:
    """The benchmark's settings: recipe FILE, with the given settings of ``learning`` in place of its own."""
    from vision_zero.recipes.check import read_self_play

    config = read_self_play(file)
    given = {name: value for name, value in learning.items() if value is not None}
    config = config.model_copy(update={"learning": config.learning.model_copy(update=given)})
    click.echo(json.dumps(measure(config, iterations), indent=1))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--gpus", type=click.IntRange(1), help="Processes that train together, one GPU each; default: the recipe's.")
@click.option("--memory", type=Number(1), default=80.0, show_default=True, help="Memory of one GPU, in gigabytes (10^9 bytes).")
@click.option(
    "--prompt-tokens", type=click.IntRange(1), help="Tokens of the longest prompt; default: counted by the base's processor."
)
@click.option("--image-tokens", type=click.IntRange(1), help="Of these, tokens of its image.")
@click.option("--measure", is_flag=True, help="Also run an update at one and two layers on this machine, and scale it.")
@click.option("--right", type=Number(0, 1), help="Share of right votes for the simulation of the stages.")
@click.option("--abstained", type=Number(0, 1), help="Share of N/A votes for the simulation.")
def plan(
    file: Path,
    gpus: int | None,
    memory: float,
    prompt_tokens: int | None,
    image_tokens: int | None,
    measure: bool,
    right: float | None,
    abstained: float | None,
) -> None:
    """Print which stages recipe FILE would train at given rates of votes, and estimate the GPU memory; no weights are loaded.
    With --measure an update of two layers is run, and time and memory stand beside the estimate. Exit status 1: it does not
    fit."""
    from vision_zero.recipes.check import read_self_play
    from vision_zero.training.controller import USUAL_RATES, simulation_lines
    from vision_zero.training.plan import make_plan, on_gpus, table

    config = read_self_play(file) if gpus is None else on_gpus(read_self_play(file), gpus)
    if (right or 0) + (abstained or 0) > 1:
        raise click.UsageError("--right and --abstained are shares of the same votes: together they cannot be more than 1")
    if image_tokens is not None and prompt_tokens is None:
        raise click.UsageError("--image-tokens belongs to --prompt-tokens, of which they are a part")
    given = ((right or 0.0, abstained or 0.0),) if right is not None or abstained is not None else USUAL_RATES
    for line in simulation_lines(config.learning.switch, config.learning.iterations, given):
        click.echo(line)
    made = make_plan(config, prompt=prompt_tokens, image=image_tokens)
    for line in table(made, memory):
        click.echo(line)
    if measure:
        from vision_zero.performance.depth import measure_update

        for line in measure_update(made).lines():
            click.echo(line)
    if not made.fits(memory):
        sys.exit(1)


@cli.command()
@click.option("--pairs", "pairs_folder", type=click.Path(path_type=Path), required=True, help="Folder written by render.")
@click.option("--policy", default="nano", show_default=True, help="nano, a trained policy's folder, or any base.")
@click.option("--games", type=click.IntRange(1), default=4, show_default=True, help="Number of games.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed gives the same games.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="HTML file for the replay.")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), help="Also draw one game into this PNG or SVG file.")
def play(pairs_folder: Path, policy: str, games: int, seed: int, out: Path, image: Path | None) -> None:
    """Play games on rendered pairs and write their replay."""
    from vision_zero.cli.play import play_games

    caught = play_games(out, pairs_folder, policy, games, seed, image)
    click.echo(f"{games} games, the spy was caught in {caught}: open {out}")


@cli.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
def report(run_dir: Path) -> None:
    """Write a run's report and replay again from the files in RUN_DIR."""
    from vision_zero.report.run_folder import rewrite

    click.echo(f"open {rewrite(run_dir)}")


@cli.command("join-pairs")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; default: FOLDER/joined. An older one is replaced.")
def join_pairs(folder: Path, out: Path | None) -> None:
    """Join the parts in FOLDER, the ``folder`` of a build_pairs recipe with ``parts``."""
    from vision_zero.pair_sets.join import MANIFEST, join_parts

    target = out or folder / "joined"
    manifest = join_parts(folder, target)
    splits = ", ".join(f"{count} {split}" for split, count in manifest.splits.items())
    click.echo(f"{manifest.passed} of {manifest.checked} pairs of {manifest.parts} parts passed ({splits}): {target / 'pairs'}")
    for reason, count in manifest.reasons.items():
        click.echo(f"quarantined {count}: {reason}")
    click.echo(f"{len(manifest.files)} files in {target / MANIFEST}")


@cli.command("train-node")
@click.option(
    "--folder", type=click.Path(path_type=Path), required=True, help="Shared folder: the recipe's learning.machines.folder."
)
@click.option("--node", type=click.IntRange(1), default=1, show_default=True, help="Number of this machine, from 1 on.")
@click.option("--jobs", type=click.IntRange(1), help="End after so many stages; default: go on until stopped.")
def train_node(folder: Path, node: int, jobs: int | None) -> None:
    """Take part in training on several machines, as one that is not the step's own.

    Joins every stage that a run announces in the shared folder; the exit status is 1 if one of them failed.
    """
    from vision_zero.training.launcher import serve_node

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(1 if serve_node(folder, node, jobs) else 0)


cli.add_command(score)
cli.add_command(evaluate)
cli.add_command(results)


def main() -> None:
    """Entry point: an error of ours is one line on standard error and exit status 2."""
    try:
        cli(standalone_mode=True)
    except VisionZeroError as error:
        click.echo(f"vision-zero: {error}", err=True)
        sys.exit(2)

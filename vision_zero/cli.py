"""The command line: ``vision-zero``. Everything that needs no pipeline: check a config, draw pairs, play, show a run.

Heavy imports happen inside the commands, so that ``--help`` answers at once. Errors are one line and exit with 2.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vision_zero.errors import VisionZeroError
from vision_zero.evaluation.benchmarks.command import score
from vision_zero.evaluation.command import evaluate


class _Size(click.ParamType[tuple[int, int]]):
    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdigit() and height.isdigit()):
            self.fail(f"{value!r} is not a size like 320x240", param, ctx)
        return int(width), int(height)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vision-zero")
def cli() -> None:
    """Vision-Zero: a vision-language model improves itself by playing "Who is the spy?"."""


@cli.command("check-config")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Check a pipeline configuration FILE: every key, type and value."""
    from vision_zero.config.files import check_file

    click.echo(f"{file}: {check_file(file)}")


@cli.command()
@click.option("--domain", type=click.Choice(["scenes", "charts"]), default="scenes", show_default=True, help="What to draw.")
@click.option("--count", type=click.IntRange(1), default=8, show_default=True, help="How many pairs.")
@click.option("--size", type=_Size(), default="320x240", show_default=True, help="Width and height in pixels.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed draws the same pairs.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
def render(domain: str, count: int, size: tuple[int, int], seed: int, out: Path) -> None:
    """Draw image pairs: <id>_original.png, <id>_modified.png, pairs.parquet and a gallery.html."""
    from vision_zero.pairs.drawing import draw_into

    draw_into(out, domain, count, size, seed)
    click.echo(f"{count} pairs in {out}: open {out / 'gallery.html'}")


@cli.command()
@click.option("--pairs", "pairs_folder", type=click.Path(path_type=Path), required=True, help="Folder that render has written.")
@click.option("--policy", default="nano", show_default=True, help="nano, a trained policy's folder, or any base.")
@click.option("--games", type=click.IntRange(1), default=4, show_default=True, help="How many games.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed plays the same games.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The replay, an HTML file.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Also draw one game into this PNG or SVG.")
def play(pairs_folder: Path, policy: str, games: int, seed: int, out: Path, picture: Path | None) -> None:
    """Play games on drawn pairs and write their replay."""
    from vision_zero.playing import play_into

    caught = play_into(out, pairs_folder, policy, games, seed, picture)
    click.echo(f"{games} games, the spy was caught in {caught}: open {out}")


@cli.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
def report(run_dir: Path) -> None:
    """Write a run's report and replay again from the numbers in RUN_DIR."""
    from vision_zero.report.run_folder import rewrite

    click.echo(f"open {rewrite(run_dir)}")


cli.add_command(score)
cli.add_command(evaluate)


def main() -> None:
    """Entry point: an error of ours is one line on standard error and exit status 2."""
    try:
        cli(standalone_mode=True)
    except VisionZeroError as error:
        click.echo(f"vision-zero: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

"""``vision-zero train-node``: let this machine take part in training that another one's step starts."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click


@click.command("train-node")
@click.option(
    "--folder", type=click.Path(path_type=Path), required=True, help="Shared folder: the recipe's learning.machines.folder."
)
@click.option("--node", type=click.IntRange(1), default=1, show_default=True, help="Number of this machine, from 1 on.")
@click.option("--jobs", type=click.IntRange(1), help="End after so many stages; default: go on until stopped.")
def train_node(folder: Path, node: int, jobs: int | None) -> None:
    """Take part in training on several machines, as one that is not the step's own.

    Joins every stage that a run announces in the shared folder; the exit status is 1 if one of them failed.
    """
    from vision_zero.training.node import serve_node

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(1 if serve_node(folder, node, jobs) else 0)

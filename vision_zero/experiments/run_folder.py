"""The folder of a run: ``run.json``, which identifies it, and the last of several."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from vision_zero.config.base import Config
from vision_zero.config.rewards import RewardsConfig
from vision_zero.errors import EvaluationError

IDENTITY = "run.json"
"""Name of the file with a run's identity."""


class RunIdentity(Config):
    """Facts about a run that reports and comparisons need beside its scores."""

    run: str
    """Name of the run."""
    rewards: RewardsConfig
    """Rewards that it was trained with."""
    model: str = ""
    """Name of its model in ZenML; empty in folders that earlier versions of this project wrote."""


def last_run(folder: Path) -> Path:
    """The folder itself if it is a run's; else the run in it with most iterations, and among several the newest.

    Raises:
        EvaluationError: it is neither.
    """
    if (folder / "state.json").is_file():
        return folder
    found = max(((iteration_of(path), path.name, path) for path in run_folders(folder)), default=None)
    if found is None:
        raise EvaluationError(f"{folder} is not the folder of a run, and holds none")
    return found[-1]


def run_folders(folder: Path) -> Iterator[Path]:
    """The folders of runs directly in a folder."""
    return (path.parent for path in folder.glob(f"*/{IDENTITY}"))


def iteration_of(folder: Path) -> int:
    """The iteration that a run, of any version of this project, reached.

    Raises:
        EvaluationError: its state cannot be read.
    """
    path = folder / "state.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8")).get("iteration", 0))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error

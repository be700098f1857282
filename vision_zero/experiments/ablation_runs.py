"""Finds the last run of each arm among the folders of an ablation, as the source of a document's results.

RUNS/NAME/ARM_SEED.yaml             the arm as a recipe, written before each of its runs
RUNS/NAME/ARM_SEED/<run name>/      the folder of each of its runs
RUNS/NAME/ARM_SEED_final.yaml and RUNS/NAME/ARM_SEED_final/    the same for its final evaluation, if there is one

Folders may also contain runs with other settings, from before a change of the recipe; these belong to another model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_zero.config.ablation import MEASURED, MEASUREMENT, AblationConfig, order, run_folder
from vision_zero.config.run_identity import IDENTITY, RunIdentity
from vision_zero.errors import EvaluationError
from vision_zero.experiments.results import Run, read_numbers
from vision_zero.recipes.check import read_yaml

Runs = dict[str, dict[int, Run]]
"""Runs by arm and seed."""


def ablation_runs(config: AblationConfig) -> tuple[Runs, list[str]]:
    """The last runs of the arms, the reference arm first, and a line for each arm and seed that is not finished.

    Raises:
        EvaluationError: the reference arm has no finished run, runs were evaluated with different settings, or a folder cannot
            be read.
    """
    runs: Runs = {config.reference: {}}
    missing, measurements = [], set()
    for arm, seed in order(config):
        ended = _ended(run_folder(config, arm.name, seed), is_final=config.final is not None)
        if isinstance(ended, str):
            missing.append(f"{arm.name}, seed {seed}: {ended}")
            continue
        runs.setdefault(arm.name, {})[seed] = Run.of(ended.folder)
        measurements.add(ended.measurement)
    if not runs[config.reference]:
        raise EvaluationError(f"ablation {config.name!r} has no finished run of {config.reference!r}: {missing[0]}")
    if len(measurements) > 1:
        raise EvaluationError(f"the arms of {config.name!r} were measured under different settings: run the ablation again")
    return runs, missing


def last_run(folder: Path) -> Path:
    """The folder itself if it is a run's; else the run in it with most iterations, and among several the newest.

    Raises:
        EvaluationError: it is neither.
    """
    if (folder / "state.json").is_file():
        return folder
    found = max(((_iteration(path), path.name, path) for path in _run_folders(folder)), default=None)
    if found is None:
        raise EvaluationError(f"{folder} is not the folder of a run, and holds none")
    return found[-1]


@dataclass(frozen=True)
class _Ended:
    """The last run of an arm, and the settings of its evaluation."""

    folder: Path
    measurement: str


def _ended(folder: Path, *, is_final: bool) -> _Ended | str:
    """The last run of an arm with one seed, or the reason why there is none."""
    trained = _last_of(folder)
    if isinstance(trained, str) or not is_final:
        return trained
    last = folder.with_name(f"{folder.name}_final")
    recipe, measured = last.with_suffix(".yaml"), last / MEASURED
    if not measured.is_file() or measured.read_bytes() != recipe.read_bytes():
        return "trained, but without its final evaluation"
    return _last_of(last)


def _last_of(folder: Path) -> _Ended | str:
    recipe = folder.with_suffix(".yaml")
    if not recipe.is_file():
        return "not begun"
    written = read_yaml(recipe)
    model, config = written["model"]["name"], written["parameters"]["config"]
    goal = int(config["learning"]["iterations"])
    own = [
        (_iteration(path), path.name, path)
        for path in _run_folders(folder)
        if read_numbers(RunIdentity, path / IDENTITY).model == model
    ]
    reached, _, path = max(own, default=(0, "", folder))
    if reached < goal:
        return f"iteration {reached} of {goal}"
    return _Ended(path, json.dumps([config[name] for name in MEASUREMENT], sort_keys=True))


def _run_folders(folder: Path) -> Iterator[Path]:
    return (path.parent for path in folder.glob(f"*/{IDENTITY}"))


def _iteration(folder: Path) -> int:
    return int(_json(folder / "state.json").get("iteration", 0))


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error
    return found

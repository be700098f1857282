"""Finds the last run of each arm among the folders of an ablation, as the source of a document's results.

RUNS/NAME/ARM_SEED.yaml             the arm as a recipe, written before each of its runs
RUNS/NAME/ARM_SEED/<run name>/      the folder of each of its runs
RUNS/NAME/ARM_SEED_final.yaml and RUNS/NAME/ARM_SEED_final/    the same for its final evaluation, if there is one

Folders may also contain runs with other settings, from before a change of the recipe; these belong to another model. Arms that
ran elsewhere count by their records, ARM_SEED.json in a folder of records.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vision_zero.config.ablation import MEASURED, MEASUREMENT, AblationConfig, order, run_folder
from vision_zero.config.renamed import with_present_names
from vision_zero.config_base import read_json
from vision_zero.errors import EvaluationError
from vision_zero.experiments.results import FOLLOWED, RECORDED
from vision_zero.experiments.run_record import IDENTITY, RunIdentity, RunRecord, iteration_of, run_folders
from vision_zero.recipes.recipe_file import read_yaml

Runs = dict[str, dict[int, RunRecord]]
"""Records of runs by arm and seed."""


def ablation_runs(config: AblationConfig, records: Path | None = None) -> tuple[Runs, list[str]]:
    """The last runs of the arms, the reference arm first, and a line for each arm and seed that is not finished.

    Args:
        records: folder of records. Those of the arms that are finished here are written into it, and arms that are not finished
            here are read from it.

    Raises:
        EvaluationError: the reference arm has no finished run, runs were evaluated with different settings, or a folder cannot
            be read.
    """
    runs: Runs = {config.reference: {}}
    missing = []
    for arm, seed in order(config):
        folder = run_folder(config, arm.name, seed)
        ended = _ended(folder, is_final=config.final is not None)
        kept = None if records is None else records / f"{folder.name}.json"
        if isinstance(ended, RunRecord):
            if kept is not None:
                ended.write(kept, RECORDED)
        elif kept is not None and kept.is_file():
            ended = RunRecord.read(kept)
        else:
            missing.append(f"{arm.name}, seed {seed}: {ended}")
            continue
        runs.setdefault(arm.name, {})[seed] = ended
    if not runs[config.reference]:
        reason = next(line for line in missing if line.startswith(f"{config.reference}, seed "))
        raise EvaluationError(f"ablation {config.name!r} has no finished run of {config.reference!r}: {reason}")
    measurements = [_measurement(run) for by_seed in runs.values() for run in by_seed.values()]
    if not all(_agree(measurements[0], other) for other in measurements):
        raise EvaluationError(f"the arms of {config.name!r} were measured under different settings: run the ablation again")
    return runs, missing


def _measurement(run: RunRecord) -> Any:
    """The settings of a run's evaluation, also where an earlier version recorded them under other names; none where the record
    has none."""
    return with_present_names(json.loads(run.measurement or "{}"), warns=False)


def _agree(one: Any, other: Any) -> bool:
    """Are two settings equal, apart from those that one of the two versions of the library did not have?"""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_agree(one[name], other[name]) for name in one.keys() & other.keys())
    return bool(one == other)


def _ended(folder: Path, *, is_final: bool) -> RunRecord | str:
    """The last run of an arm with one seed, or the reason why there is none."""
    trained = _last_of(folder)
    if isinstance(trained, str) or not is_final:
        return trained
    last = folder.with_name(f"{folder.name}_final")
    return _last_of(last) if is_measured(last) else "trained, but without its final evaluation"


def is_measured(folder: Path) -> bool:
    """Was the final evaluation of an arm, in this folder, done with the settings of the recipe beside it? An earlier version may
    have written them under other names."""
    recipe, measured = folder.with_suffix(".yaml"), folder / MEASURED
    return measured.is_file() and _settings_in(measured) == _settings_in(recipe)


def _settings_in(recipe: Path) -> tuple[Any, Any]:
    """The model and the settings of a recipe."""
    written = read_yaml(recipe)
    return written["model"]["name"], with_present_names(written["parameters"]["config"], warns=False)


def _last_of(folder: Path) -> RunRecord | str:
    recipe = folder.with_suffix(".yaml")
    if not recipe.is_file():
        return "not begun"
    model, config = _settings_in(recipe)
    goal = int(config["learning"]["iterations"])
    own = [
        (iteration_of(path), path.name, path)
        for path in run_folders(folder)
        if read_json(RunIdentity, path / IDENTITY, EvaluationError).model == model
    ]
    reached, _, path = max(own, default=(0, "", folder))
    if reached < goal:
        return f"iteration {reached} of {goal}"
    measurement = json.dumps({name: config[name] for name in MEASUREMENT}, sort_keys=True)
    return RunRecord.of(path, curves=FOLLOWED, model=model, measurement=measurement)

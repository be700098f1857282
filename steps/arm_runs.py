"""Runs an arm of an ablation: self-play runs, one after another, until its schedule is done.

Each run is a tracked ZenML run of the static ``self_play`` pipeline in its own process, started by the usual command: ZenML 0.98
does not execute a pipeline that is called inside a step. Each run continues the version in production of the arm's model, so an
interrupted arm continues from its last finished run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import click
import yaml
from zenml.enums import ModelStages

from steps.model_registry import find_version, load_artifact
from steps.promotion import STATE
from vision_zero.atomic_dir import write_atomically
from vision_zero.config.ablation import MEASURED
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import TrainingError
from vision_zero.experiments.ablation_runs import is_measured
from vision_zero.recipes.ablation_plan import ArmRun
from vision_zero.training.state import StageState

PIPELINE = "pipelines.self_play.self_play"


def finish_all(arms: Sequence[ArmRun], side_by_side: int) -> StageState:
    """Run arms to the end of their schedules, several in parallel.

    Returns:
        The final state of the first one.

    Raises:
        TrainingError: as in :func:`finish`; then no further arm is started, and running ones are finished first.
    """
    together = min(side_by_side, len(arms))
    threads = max(1, (os.cpu_count() or 1) // together) if together > 1 else None
    failed = Event()

    def unless_one_failed(arm: ArmRun) -> StageState | None:
        if failed.is_set():
            return None
        try:
            return finish(arm, threads)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(together) as pool:
        first, *_ = pool.map(unless_one_failed, arms)
    assert first is not None
    return first


def finish(arm: ArmRun, threads: int | None = None) -> StageState:
    """Run the arm to the end of its schedule, if it is not there already.

    Args:
        threads: threads of each process if arms run in parallel; None: all cores.

    Raises:
        TrainingError: a run failed, or made no progress.
    """
    goal = arm.config.learning.iterations
    state = reached(arm)
    while state is None or state.iteration < goal:
        before = 0 if state is None else state.iteration
        click.echo(f"{arm.title}: iteration {before} of {goal}")
        status = launch(write_recipe(arm, arm.config), threads)
        state = reached(arm)
        if status or state is None or state.iteration <= before:
            raise TrainingError(
                f"{arm.title}: its run from iteration {before} failed (exit {status}), see above; "
                "run the same command again to continue from there"
            )
    click.echo(f"{arm.title}: done, {_held_out(state)}")
    if arm.final is not None:
        measure_finally(arm, arm.final, threads)
    return state


def measure_finally(arm: ArmRun, final: SelfPlayConfig, threads: int | None = None) -> None:
    """The final evaluation of a finished arm: one more run, which trains nothing, with the settings of ``final``.

    It is skipped if it was done with the same settings.

    Raises:
        TrainingError: it failed.
    """
    folder = Path(final.runs_folder)
    recipe = write_recipe(arm, final)
    if is_measured(folder):
        return
    click.echo(f"{arm.title}: final evaluation")
    status = launch(recipe, threads)
    if status:
        raise TrainingError(
            f"{arm.title}: its final evaluation failed (exit {status}), see above; run the same command again to repeat it"
        )
    write_atomically(folder / MEASURED, recipe.read_text(encoding="utf-8"))


def reached(arm: ArmRun) -> StageState | None:
    """The arm's training state: that in production of its model, None before the first finished run."""
    version = find_version(arm.model, ModelStages.PRODUCTION)
    linked = None if version is None else version.get_artifact(STATE)
    return None if linked is None else load_artifact(linked.id)


def write_recipe(arm: ArmRun, config: SelfPlayConfig) -> Path:
    """Write one of the arm's configurations as a recipe of the self-play pipeline."""
    path = Path(config.runs_folder).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "execution_mode": "fail_fast",
        "model": {"name": arm.model},
        "tags": ["ablation", arm.arm],
        "parameters": {"rounds": 1, "config": config.model_dump(mode="json")},
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def launch(recipe: Path, threads: int | None = None) -> int:
    """One self-play run in its own process. Returns the exit status.

    Its output goes to this process's output; with ``threads``, for parallel arms, into a file beside the recipe.
    """
    command = [str(Path(sys.executable).with_name("zenml")), "pipeline", "run", PIPELINE, "-c", str(recipe)]
    if threads is None:
        return subprocess.run(command, check=False).returncode
    log = recipe.with_suffix(".log")
    click.echo(f"its output goes to {log}")
    with log.open("ab") as file:
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        return subprocess.run(command, check=False, stdout=file, stderr=file, env=environment).returncode


def _held_out(state: StageState) -> str:
    score = state.evaluations[-1].named("decision/forced")
    return f"held-out forced choice {score.policy.text()}, base {score.base.text()}"

"""How long an iteration of each stage takes, and where its time goes: the stages that a run trains, on scenes drawn for it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from vision_zero.config.learning import Stage
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.learning.clue_stage import run_clue_stage
from vision_zero.learning.decision_stage import run_decision_stage
from vision_zero.learning.job import StageJob, StageResult
from vision_zero.learning.measures import phases
from vision_zero.learning.state import StageState
from vision_zero.pairs.scenes.source import SceneSource
from vision_zero.pairs.supply import stride
from vision_zero.pairs.table import PairTable
from vision_zero.policy.bench import torch_machine
from vision_zero.policy.folder import PolicyFolder
from vision_zero.randomness import Seed

WARM_UP = 1
"""Iterations before those that count: what is made once, is made in them."""


def measure_iterations(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    """Train each stage from its bare base for a few iterations.

    Returns:
        JSON data: the machine, and for each stage the ``seconds`` of an iteration and of its parts, as means. ``play`` of a
        decision iteration is its share of the games that were played for all iterations together.

    Raises:
        TrainingError: a stage cannot be trained.
    """
    done = WARM_UP + iterations
    games = config.learning.games_per_iteration
    source, seed = SceneSource(config.pairs.scenes), Seed(config.seed).child("bench")
    drawn = ((number, source.sample(seed.child(number))) for number in range(done * stride(games, config.pairs.spare)))
    pairs = PairTable.from_pairs(drawn, "train")
    with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
        clue = run_clue_stage(_job(config, "clue", pairs, Path(folder) / "clue", done))
        decision_job = _job(config, "decision", pairs, Path(folder) / "decision", done)
        began = perf_counter()
        played = run_clue_stage(decision_job)
        share = (perf_counter() - began) / done
        decision = run_decision_stage(decision_job, played.transcripts)
    return {
        "machine": torch_machine(),
        "policy": config.policy.base,
        "games": games,
        "iterations": iterations,
        "clue": _parts(clue, {}),
        "decision": _parts(decision, {"play": share}),
    }


def _job(config: SelfPlayConfig, stage: Stage, pairs: PairTable, folder: Path, iterations: int) -> StageJob:
    """A job that stays in its stage."""
    switch = config.learning.switch.model_copy(update={"rule": "never", "start": stage})
    learning = config.learning.model_copy(update={"switch": switch, "iterations": max(iterations, config.learning.iterations)})
    config = config.model_copy(update={"learning": learning})
    start = StageState.at_start(switch)
    return StageJob.of(config, start, PolicyFolder(None), pairs, folder, run="bench", iterations=iterations)


def _parts(result: StageResult, more: dict[str, float]) -> dict[str, float]:
    means = {**dict(phases(result.state.history[WARM_UP:])), **more}
    return {"seconds": round(sum(means.values()), 2), **{part: round(seconds, 2) for part, seconds in means.items()}}

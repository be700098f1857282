"""How long an iteration of each stage takes, and where its time goes: the stages that a run trains, on scenes drawn for it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import fmean
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
from vision_zero.policy.bench import own_gpu, torch_machine
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base
from vision_zero.randomness import Seed

WARM_UP = 1
"""Iterations before those that count: what is made once, is made in them."""


def measure_iterations(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    """Train each stage from its bare base for a few iterations.

    Returns:
        JSON data: the machine, and for each stage the ``seconds`` of an iteration and of its parts, as means.

    Raises:
        TrainingError: a stage cannot be trained.
    """
    clue, decision = _trained(config, iterations)
    return {**_what(config, iterations), "clue": _parts(clue), "decision": _parts(decision)}


def measure_updates(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    """Train each stage as :func:`measure_iterations` does, and look at the update alone.

    Returns:
        JSON data: the machine, and for each stage, as means of an iteration, the ``seconds`` of its update, the ``tokens`` of
        prompts and replies in it, the share of ``padding`` beside them, ``tokens_per_s``, and ``tflop_per_s``: for each token and
        each parameter of the decoder's layers 2 operations forward and 4 backward, or 2 where an adapter is trained, since the
        base gets no gradients; recomputing for checkpoints is not counted, nor are pictures and the output layer. ``of_peak`` is
        that as a share of what the GPU can do in half precision, where that is known.

    Raises:
        TrainingError: a stage cannot be trained.
    """
    clue, decision = _trained(config, iterations)
    flop = (6 if config.policy.adapter is None else 4) * _layer_parameters(config)
    return {**_what(config, iterations), "clue": _update(clue, flop), "decision": _update(decision, flop)}


def _trained(config: SelfPlayConfig, iterations: int) -> tuple[StageResult, StageResult]:
    """Both stages, each from the bare base."""
    done = WARM_UP + iterations
    games = config.learning.games_per_iteration
    source, seed = SceneSource(config.pairs.scenes), Seed(config.seed).child("bench")
    drawn = ((number, source.sample(seed.child(number))) for number in range(done * stride(games, config.pairs.spare)))
    pairs = PairTable.from_pairs(drawn, "train")
    with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
        clue = run_clue_stage(_job(config, "clue", pairs, Path(folder) / "clue", done))
        return clue, run_decision_stage(_job(config, "decision", pairs, Path(folder) / "decision", done))


def _what(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    games = config.learning.games_per_iteration
    return {"machine": torch_machine(), "policy": config.policy.base, "games": games, "iterations": iterations}


def _layer_parameters(config: SelfPlayConfig) -> int:
    decoder = load_base(config.policy)[0].get_decoder()
    return sum(parameter.numel() for parameter in decoder.layers.parameters())


def _update(result: StageResult, flop: int) -> dict[str, float | None]:
    records = [record.metrics for record in result.state.history[WARM_UP:]]
    seconds, tokens, padding = (
        fmean(metrics[name] for metrics in records) for name in ("seconds/update", "update/tokens", "update/padding")
    )
    done = flop * tokens / seconds
    gpu = own_gpu()
    return {
        "seconds": round(seconds, 4),
        "tokens": round(tokens),
        "padding": round(padding, 3),
        "tokens_per_s": round(tokens / seconds, 1),
        "tflop_per_s": round(done / 1e12, 4),
        "of_peak": None if gpu is None else round(done / gpu.operations, 3),
    }


def _job(config: SelfPlayConfig, stage: Stage, pairs: PairTable, folder: Path, iterations: int) -> StageJob:
    """A job that stays in its stage."""
    switch = config.learning.switch.model_copy(update={"rule": "never", "start": stage})
    learning = config.learning.model_copy(update={"switch": switch, "iterations": max(iterations, config.learning.iterations)})
    config = config.model_copy(update={"learning": learning})
    start = StageState.at_start(switch)
    return StageJob.of(config, start, PolicyFolder(None), pairs, folder, run="bench", iterations=iterations)


def _parts(result: StageResult) -> dict[str, float]:
    means = dict(phases(result.state.history[WARM_UP:]))
    return {"seconds": round(sum(means.values()), 2), **{part: round(seconds, 2) for part, seconds in means.items()}}

"""Duration of an iteration of each stage, by phase, on scenes made for the benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from vision_zero.config.learning import STAGES, Stage
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable, stride
from vision_zero.pair_sets.build import main_source
from vision_zero.performance.rollouts import own_gpu, torch_hardware
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base
from vision_zero.randomness import Seed
from vision_zero.training.job import StageJob
from vision_zero.training.metrics import phases
from vision_zero.training.self_play import run_stage
from vision_zero.training.state import IterationRecord, StageState

WARM_UP = 1
"""Warm-up iterations, which are not counted."""


def measure_iterations(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    """Train each stage from the base for a few iterations.

    Returns:
        JSON data: the machine, and for each stage the mean ``seconds`` of an iteration and of its phases.

    Raises:
        TrainingError: a stage cannot be trained.
    """
    done = WARM_UP + iterations
    pairs = stage_pairs(config, done)
    found = _what(config, iterations)
    with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
        for stage in STAGES:
            result = run_stage(stage, stage_job(config, stage, pairs, Path(folder) / stage, done))
            means = dict(phases(result.state.history[WARM_UP:]))
            found[stage] = {"seconds": round(sum(means.values()), 2)} | {part: round(mean, 2) for part, mean in means.items()}
    return found


def measure_updates(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    """Train each stage as :func:`measure_iterations` does, and measure the update and the reference pass only.

    Votes are trained with shared prompts and with a prompt per vote, alternately on the same games and first votes, so that other
    load on the machine affects both.

    Returns:
        JSON data: the machine, and for each stage, as medians of an iteration, the ``seconds`` of its update and of the
        ``reference``, the ``tokens`` of prompts and replies that the update reads, the share of ``padding``, the share ``shared``
        of tokens saved by shared prompts, ``tokens_per_s``, and ``tflop_per_s``: for each token and each parameter of the
        decoder's layers 2 operations forward and 4 backward, or 2 where an adapter is trained, since the base gets no gradients;
        recomputation for gradient checkpointing, images and the output layer are not counted. ``of_peak`` is this as a share of
        the GPU's peak in half precision, if known. ``decision_in_rows`` is the decision stage with a prompt per vote, and
        ``times_as_fast`` the median speed-up by shared prompts of ``update``, ``reference`` and ``both`` together; both are left
        out under ``learning.shared_prefix: false``.

    Raises:
        TrainingError: a stage cannot be trained.
    """
    layers = load_base(config.policy)[0].get_decoder().layers
    flop = (6 if config.policy.adapter is None else 4) * sum(parameter.numel() for parameter in layers.parameters())
    with tempfile.TemporaryDirectory(prefix="vision-zero-bench-") as folder:
        pairs = stage_pairs(config, WARM_UP + iterations)
        clue = run_stage("clue", stage_job(config, "clue", pairs, Path(folder) / "clue", WARM_UP + iterations))
        ways = (True, False) if config.learning.shared_prefix else (False,)
        trained = _trained_in_turn(config, pairs, Path(folder), iterations, ways)
    found = {**_what(config, iterations), "clue": update_figures(clue.state.history[WARM_UP:], flop)}
    found["decision"] = update_figures(trained[ways[0]], flop)
    if len(ways) == 2:
        found |= {"decision_in_rows": update_figures(trained[False], flop), "times_as_fast": _gain(trained[True], trained[False])}
    return found


def _trained_in_turn(
    config: SelfPlayConfig, pairs: PairTable, folder: Path, times: int, ways: Sequence[bool]
) -> dict[bool, list[IterationRecord]]:
    """The decision stage on the same games, repeated in each way: the iteration after the warm-up."""
    done = WARM_UP + 1
    records: dict[bool, list[IterationRecord]] = {way: [] for way in ways}
    for time in range(times):
        for way in ways:
            learning = config.learning.model_copy(update={"shared_prefix": way})
            job = stage_job(config.model_copy(update={"learning": learning}), "decision", pairs, folder / f"{way}-{time}", done)
            records[way].append(run_stage("decision", job).state.history[-1])
    return records


def stage_pairs(config: SelfPlayConfig, iterations: int) -> PairTable:
    """Pairs for that many iterations."""
    source, seed = main_source(config.pairs), Seed(config.seed).child("bench")
    number = iterations * stride(config.learning.most_games, config.pairs.spare)
    return PairTable.from_pairs(((place, source.sample(seed.child(place))) for place in range(number)), "train")


def _what(config: SelfPlayConfig, iterations: int) -> dict[str, Any]:
    games = config.learning.most_games
    return {"machine": torch_hardware(), "policy": config.policy.base, "games": games, "iterations": iterations}


def update_figures(records: Sequence[IterationRecord], flop: int) -> dict[str, float | None]:
    """Figures of one stage, see :func:`measure_updates`; ``flop`` is the number of operations per token."""

    def middle(name: str) -> float:
        return median(record.metrics.get(name, 0.0) for record in records)

    seconds, tokens = middle("seconds/update"), middle("update/tokens")
    done = flop * tokens / seconds
    gpu = own_gpu()
    return {
        "seconds": round(seconds, 4),
        "reference": round(middle("seconds/reference"), 4),
        "tokens": round(tokens),
        "padding": round(middle("update/padding"), 3),
        "shared": round(middle("update/shared"), 3),
        "tokens_per_s": round(tokens / seconds, 1),
        "tflop_per_s": round(done / 1e12, 4),
        "of_peak": None if gpu is None else round(done / gpu.operations, 3),
    }


def _gain(shared: Sequence[IterationRecord], in_rows: Sequence[IterationRecord]) -> dict[str, float]:
    """Speed-up by shared prompts, by phase: median over pairs of consecutive measurements."""
    parts = {"update": ("update",), "reference": ("reference",), "both": ("update", "reference")}

    def seconds(record: IterationRecord, part: str) -> float:
        return sum(record.metrics.get(f"seconds/{name}", 0.0) for name in parts[part])

    pairs = list(zip(shared, in_rows, strict=True))
    # Without a KL there is no reference pass.
    timed = [part for part in parts if all(seconds(record, part) for pair in pairs for record in pair)]
    return {part: round(median(seconds(rows, part) / seconds(once, part) for once, rows in pairs), 2) for part in timed}


def stage_job(config: SelfPlayConfig, stage: Stage, pairs: PairTable, folder: Path, iterations: int) -> StageJob:
    """A job that stays in one stage."""
    switch = config.learning.switch.model_copy(update={"rule": "never", "start": stage})
    learning = config.learning.model_copy(update={"switch": switch, "iterations": max(iterations, config.learning.iterations)})
    config = config.model_copy(update={"learning": learning})
    start = StageState.at_start(switch)
    return StageJob.of(config, start, PolicyFolder(None), pairs, folder, run="bench", iterations=iterations)

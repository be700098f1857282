"""Estimated duration of an iteration on a GPU, from operations, bytes and the overhead of transformers.

    reading, scoring, training   operations: for each parameter and token 2 to read a prompt, 2 for the base's log-probabilities,
                                 2 forward, 2 more for recomputation with checkpointing, and 2 backward for an adapter, whose
                                 gradients pass through frozen weights, or 4 in full fine-tuning; at USED of the GPU's peak
    sampling                     for each decoding step the larger of reading the weights at the memory bandwidth, and LAYER
                                 seconds a layer of Python overhead in transformers; compiled, or by a server, COMPILED times
                                 the former
    lengths                      prompts and replies are TYPICAL times the longest that are allowed

Evaluation, image processing and gradient exchange are left out. None of this has been measured on a GPU yet; ``vision-zero bench
iteration`` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from vision_zero.config.learning import STAGES, Stage
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.policy.memory_estimate import Shape, Work

USED = 0.4
"""Share of the peak that large matrix products reach."""
LAYER = 1.2e-3
"""Seconds."""
COMPILED = 2.0
"""Assumed, not measured."""
TYPICAL = 0.6


@dataclass(frozen=True)
class Gpu:
    """Dense bfloat16 operations a second, and memory bandwidth in bytes a second (data sheet)."""

    name: str
    operations: float
    bandwidth: float


H100 = Gpu("H100", 989e12, 3.35e12)
GPUS = {"H100 80GB HBM3": H100, "H200": Gpu("H200", 989e12, 4.8e12), "A100-SXM4-80GB": Gpu("A100", 312e12, 2.0e12)}
"""By the driver's name. Other cards of the same chip, and shares of these (MIG), are slower."""
Seconds = dict[str, float]


def gpu_named(name: str) -> Gpu | None:
    """The GPU that the driver calls so, if its data sheet is known."""
    return GPUS.get(name.removeprefix("NVIDIA "))


def iteration(shape: Shape, work: Work, config: SelfPlayConfig, stage: Stage, gpu: Gpu = H100) -> Seconds:
    """Seconds of one iteration by phase, named as in ``vision-zero bench iteration``."""
    game, learning = config.game, config.learning.of(stage)
    games = learning.games_per_iteration / learning.num_processes
    prompt, reply = TYPICAL * work.prompt, TYPICAL * work.reply
    turns, votes = (game.civilians + 1) * game.rounds, games * game.votes

    def computing(operations: float, tokens: float) -> float:
        return operations * shape.parameters * tokens / (USED * gpu.operations)

    def decoding(replies: float) -> float:
        reading = shape.parameters * work.weight_bytes / gpu.bandwidth
        prepared = work.is_compiled or config.policy.server is not None
        step = COMPILED * reading if prepared else max(reading, LAYER * shape.language.layers)
        return ceil(replies / config.policy.sampling.batch_size) * reply * step

    clues, replies = computing(2, games * turns * prompt) + turns * decoding(games), games * turns
    seconds = {"play": clues + computing(2, votes * prompt) + decoding(votes)}
    if stage == "decision":
        replies = games * learning.votes_per_prompt
        # One voter of a game votes several times, and its prompt is read once.
        seconds = {"play": clues, "vote": computing(2, votes * prompt) + decoding(votes - games + replies)}
    # Votes of a group share their prompt.
    shared = games if stage == "decision" and learning.shared_prefix else replies
    trained = shared * prompt + replies * reply
    if work.has_reference:
        seconds["reference"] = computing(2, trained)
    passes = 4 + 2 * work.is_checkpointed + 2 * shape.is_full
    return {**seconds, "update": computing(passes, trained)}


def games_per_hour(shape: Shape, work: Work, config: SelfPlayConfig, gpu: Gpu = H100) -> float:
    """Games per hour of all processes, with equal numbers of iterations in both stages."""
    seconds = sum(sum(iteration(shape, work, config, stage, gpu).values()) for stage in STAGES)
    return 3600 * sum(config.learning.of(stage).games_per_iteration for stage in STAGES) / seconds

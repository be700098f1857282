"""Stages of seconds, on the tiny policy."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.make import scene_pairs
from vision_zero.config.game import GameConfig
from vision_zero.config.learning import LearningConfig, Stage, SwitchConfig
from vision_zero.config.policy import AdapterConfig, PolicyConfig, SamplingConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.table import PairSampler, PairTable, stride
from vision_zero.game import spy
from vision_zero.game.parsing import Vote
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base
from vision_zero.randomness import Seed
from vision_zero.training import job as job_module
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.state import StageState

GAMES, ITERATIONS = 2, 4
_folders = count()


def votes_from_any_reply(patch: pytest.MonkeyPatch) -> None:
    """Read every reply as a vote, by its length: replies of random weights hold none."""
    patch.setattr(spy, "read_vote", lambda reply, seats: ("", Vote(len(reply) % seats + 1)))


run_clue_stage = partial(job_module.run_stage, "clue")
run_decision_stage = partial(job_module.run_stage, "decision")


def run_stage(job: StageJob) -> StageResult:
    """The stage that the state is in."""
    return job_module.run_stage(job.state.stage, job)


def tiny_job(
    base: Path,
    beside: Path,
    state: StageState,
    parent: PolicyFolder | None = None,
    *,
    iterations: int = ITERATIONS,
    games: int = GAMES,
    **learning: Any,
) -> StageJob:
    """A job on a base, with a fresh folder beside others; ``learning`` are settings that differ."""
    step = stride(games, 0.0)
    table = PairTable.from_pairs(enumerate(scene_pairs(ITERATIONS * step)), "train")
    defaults = {"learning_rate": 1e-2, "votes_per_prompt": 3, "tokens_per_step": 300, "switch": SwitchConfig(rule="never")}
    return StageJob(
        policy=PolicyConfig(
            base=str(base),
            adapter=AdapterConfig(rank=4, alpha=8),
            sampling=SamplingConfig(max_clue_tokens=6, max_vote_tokens=6),
        ),
        game=GameConfig(prompt="compact", remember_reasoning=False, civilians=2, rounds=1),
        rewards=RewardsConfig(),
        learning=LearningConfig(iterations=ITERATIONS, games_per_iteration=games, **{**defaults, **learning}),
        state=state,
        parent=parent or PolicyFolder(None),
        folder=beside / f"job-{next(_folders)}",
        iterations=iterations,
        pairs=PairSampler(table, games, step),
        run="test",
        seed=Seed(5),
    )


def start(stage: Stage) -> StageState:
    return StageState.at_start(SwitchConfig(rule="never", start=stage))


class Watched(ClueLoop):
    """Keeps its updates: the turns of each, and the batch that it is made from."""

    def __init__(self, *args: Any) -> None:
        self.turns, self.updates = [], []
        super().__init__(*args)
        update = self.trainer.update
        self.trainer.update = lambda batch, *how: self.updates.append((self.turns, batch)) or update(batch, *how)

    def score(self, games, turns):
        self.turns = turns
        return super().score(games, turns)


def watched(job: StageJob) -> tuple[Watched, PolicyFolder]:
    """A clue stage after its end, and the policy."""
    loop = Watched(*load_base(job.policy), job)
    return loop, loop.run().policy


def adapter(policy: PolicyFolder) -> dict[str, Any]:
    return load_file(policy.path / "adapter_model.safetensors")


def optimizer(policy: PolicyFolder) -> dict[str, Any]:
    return load_file(policy.path / "optimizer.safetensors")

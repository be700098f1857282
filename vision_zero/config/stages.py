"""What one stage does otherwise than ``learning`` and ``policy.sampling`` say for both. The paper has one value of each for both.

Clues and votes differ in what is sampled and in the size of their gradients, so each stage may have a rate, a KL weight, a batch
and temperatures of its own. Null: as for both.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.policy import SamplingConfig

Stage = Literal["clue", "decision"]
STAGES: tuple[Stage, Stage] = ("clue", "decision")


class StageConfig(Config):
    """Settings of the stage while it plays and is trained."""

    learning_rate: float | None = Field(None, gt=0.0)
    """Peak learning rate of the stage's updates, on the one schedule of both stages."""
    kl: float | None = Field(None, ge=0.0)
    """τ of the stage's loss."""
    games_per_iteration: int | None = Field(None, ge=1)
    """Games of one of its iterations. Pairs are made for the stage that plays more; the other leaves the rest unplayed, and the
    report counts them."""
    max_grad_norm: float | None = Field(None, gt=0.0)
    """Its gradients are scaled down to this norm."""
    clue_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """Softmax temperature of clues said while it plays."""
    vote_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """Softmax temperature of votes cast while it plays."""

    def sampling(self, both: SamplingConfig) -> SamplingConfig:
        """How this stage draws replies, where ``both`` says how they are drawn otherwise."""
        return both.model_copy(
            update={
                "temperature": self.clue_temperature or both.of("clue").temperature,
                "vote_temperature": self.vote_temperature or both.of("vote").temperature,
            }
        )


class DecisionStageConfig(StageConfig):
    """Settings of the decision stage."""

    votes_per_prompt: int | None = Field(None, ge=2)
    """The same as ``learning.votes_per_prompt``, beside the stage's other settings."""

"""Overrides of ``learning`` and ``policy.sampling`` for one stage. The paper has the same values for both stages.

Clues and votes differ in what is sampled and in the size of their gradients, so each stage may have its own learning rate, KL
coefficient, batch and temperatures. Null: no override.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.policy import SamplingConfig

Stage = Literal["clue", "decision"]
STAGES: tuple[Stage, Stage] = ("clue", "decision")


class StageConfig(Config):
    """Overrides for one stage."""

    learning_rate: float | None = Field(None, gt=0.0)
    """Peak learning rate of the stage's updates; both stages share one schedule."""
    kl: float | None = Field(None, ge=0.0)
    """τ of the stage's loss."""
    games_per_iteration: int | None = Field(None, ge=1)
    """Games in an iteration of the stage. Pairs are made for the stage that plays more; the report counts those that the other
    one leaves unused."""
    max_grad_norm: float | None = Field(None, gt=0.0)
    """Gradient clipping: largest norm."""
    clue_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """Temperature of clues in the stage's games."""
    vote_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """Temperature of votes in the stage's games."""

    def sampling(self, both: SamplingConfig) -> SamplingConfig:
        """The sampling settings ``both`` with this stage's temperatures applied."""
        return both.model_copy(
            update={
                "temperature": self.clue_temperature or both.of("clue").temperature,
                "vote_temperature": self.vote_temperature or both.of("vote").temperature,
            }
        )


class DecisionStageConfig(StageConfig):
    """Settings of the decision stage."""

    votes_per_prompt: int | None = Field(None, ge=2)
    """Override of ``learning.votes_per_prompt``."""

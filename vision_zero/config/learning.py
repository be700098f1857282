"""Settings of learning: the optimiser, the two stages, and when to switch between them. Defaults are the paper's."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config
from vision_zero.config.methods import Method
from vision_zero.config.stages import STAGES, DecisionStageConfig, Stage, StageConfig

__all__ = ["LearningConfig", "Stage", "SwitchConfig"]


class SwitchConfig(Config):
    """The stage controller (arXiv 2509.25541, algorithm of Iterative-SPO)."""

    rule: Literal["threshold", "fixed", "never"] = "threshold"
    """``threshold``: by accuracy and N/A rate; ``fixed``: every ``period`` iterations; ``never``: stay in ``start``."""
    start: Stage = "decision"
    """Stage of the first iteration."""
    decay: float = Field(0.95, ge=0.0, lt=1.0)
    """ρ: decay of the running accuracy and N/A rate."""
    ema_init: Literal["zero", "bias_corrected"] = "bias_corrected"
    """Running averages start at 0 (paper: even with perfect votes 0.9 then takes 45 iterations) or are corrected for it."""
    accuracy_to_clue: float = Field(0.9, ge=0.0, le=1.0)
    """decision → clue when the running accuracy is at least this …"""
    abstention_to_clue: float = Field(0.1, ge=0.0, le=1.0)
    """… and the running N/A rate at most this."""
    error_to_decision: float = Field(0.4, ge=0.0, le=1.0)
    """clue → decision when 1 - running accuracy is at least this …"""
    abstention_to_decision: float = Field(0.5, ge=0.0, le=1.0)
    """… or the running N/A rate at least this."""
    min_iterations: int = Field(5, ge=1)
    """K_min: iterations that a stage lasts at least."""
    patience: int = Field(20, ge=1)
    """P: after so many iterations without a threshold hit the stage switches anyway."""
    period: int = Field(1, ge=1)
    """Iterations per stage under ``rule: fixed``; 1 is the released code's alternation."""


class LearningConfig(Config):
    """How the policy is trained."""

    method: Method = "self_play"
    """``self_play``, or the control ``supervised``: the embedded policy is taught lessons with their answers on the pictures that
    it would play with, as many in an iteration as votes are trained; the upper bound of an ablation."""
    iterations: int = Field(100, ge=1)
    """Iterations of the whole schedule, over all runs; the learning rate's cosine ends there."""
    games_per_iteration: int = Field(128, ge=1)
    """Fresh games in each iteration; one optimiser step is made from them."""
    learning_rate: float = Field(1e-5, gt=0.0)
    """Peak learning rate."""
    warmup: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of ``iterations`` over which the learning rate rises to its peak. It rises from 0, as transformers' schedules do:
    with any warm-up the first iteration's update changes nothing."""
    kl: float = Field(0.04, ge=0.0)
    """τ: weight of the KL to the base with its adapter off. It is estimated from the sampled tokens as k3 = ρ - log ρ - 1 with
    ρ = π_ref/π (http://joschu.net/blog/kl-approx.html): its mean is KL(π‖π_ref), its gradient's mean is that of KL(π_ref‖π)."""
    votes_per_prompt: int = Field(8, ge=2)
    """Votes sampled for one prompt: the group of GRPO."""
    skip_equal_groups: bool = False
    """Leave prompts whose votes all earned the same out of the update (paper: they are in it). Their advantage is 0: what is
    lost is their KL, and the time that they take."""
    clip: float = Field(0.2, gt=0.0)
    """ε: PPO's clipping range; it acts only where one batch gives several updates."""
    max_grad_norm: float = Field(1.0, gt=0.0)
    """Gradients are scaled down to this norm."""
    optimizer: Literal["shared", "per_stage"] = "shared"
    """One AdamW for both stages, or one for each that rests while the other stage is trained. Gradients of clues and of votes are
    of different size: shared moments slow the smaller ones down, and push on in the last stage's direction after a switch."""
    weight_decay: float = Field(0.0, ge=0.0)
    """AdamW's weight decay."""
    tokens_per_step: int = Field(8192, ge=1)
    """Tokens in one forward and backward pass of a process: of prompts with their pictures, each once, of replies, and padding. A
    reply that is longer with its prompt goes alone. Memory grows with it, the result does not change but for rounding."""
    shared_prefix: bool = True
    """Read a prompt that several replies answer once and not once for each reply, in the update (forward and backward) and for
    the KL. The result does not change but for rounding. Families of models that are not held to
    that by a test, and models with sliding windows, are refused and need ``false``."""
    num_processes: int = Field(1, ge=1)
    """Processes of one machine that train together, a GPU each where there are GPUs; each plays an equal share of the games. An
    iteration is one optimiser step over all of them, whatever their number."""
    sharded: bool = False
    """Every process keeps a share of the weights, of the frozen copy for the KL, of gradients and moments instead of all of them,
    and gathers a layer at a time: to train all weights (``policy.adapter: null``) of a model that is too large for one GPU."""
    merged_play: bool = False
    """Play, and be measured, with a copy of the policy whose adapter is merged into its weights: faster, for the memory of
    another model. Only in float32: half precision would round an adapter's small updates away."""
    gradient_checkpointing: bool = False
    """Trade compute for memory; needed for large models."""
    bf16: bool = False
    """Mixed precision; for GPUs."""
    switch: SwitchConfig = SwitchConfig()
    """When the stages alternate."""
    clue: StageConfig = StageConfig()
    """What the clue stage does otherwise than these settings and ``policy.sampling`` say."""
    decision: DecisionStageConfig = DecisionStageConfig()
    """What the decision stage does otherwise."""

    def of(self, stage: Stage) -> LearningConfig:
        """The settings of one stage: its own in place of those for both."""
        own = self.clue if stage == "clue" else self.decision
        given = {name: value for name, value in own if value is not None and name in LearningConfig.model_fields}
        return self.model_copy(update=given)

    @property
    def most_games(self) -> int:
        """Games of an iteration of the stage that plays more: as many have pairs made for them."""
        return max(self.of(stage).games_per_iteration for stage in STAGES)

    @model_validator(mode="after")
    def _shares_need_processes(self) -> Self:
        if self.sharded and self.num_processes == 1:
            raise ValueError("sharded has nobody to share with: set num_processes to the number of GPUs, or leave sharded out")
        return self

    @model_validator(mode="after")
    def _games_can_be_shared(self) -> Self:
        for games in (self.games_per_iteration, *(self.of(stage).games_per_iteration for stage in STAGES)):
            if games % self.num_processes:
                raise ValueError(
                    f"games_per_iteration {games} cannot be shared equally by num_processes {self.num_processes}: "
                    "make games_per_iteration a multiple of num_processes"
                )
        return self

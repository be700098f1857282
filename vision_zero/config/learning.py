"""Training settings: the optimiser, the two stages, when to switch between them, and machines. Defaults are the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from vision_zero.config.policy import SamplingConfig
from vision_zero.config_base import Config, named_in

METHODS: Mapping[str, str] = {"self_play": "self_play", "supervised": "supervised"}
"""Registry of training methods: the module of the training package, with a function ``run_stage``, by ``learning.method``."""
Stage = Literal["clue", "decision"]
STAGES: tuple[Stage, Stage] = ("clue", "decision")


class SwitchConfig(Config):
    """The stage controller (arXiv 2509.25541, algorithm of Iterative-SPO)."""

    rule: Literal["threshold", "fixed", "never"] = "threshold"
    """``threshold``: by accuracy and N/A rate; ``fixed``: every ``period`` iterations; ``never``: stay in ``start``."""
    start: Stage = "decision"
    """Stage of the first iteration."""
    decay: float = Field(0.95, ge=0.0, lt=1.0)
    """ρ: decay of the running accuracy and N/A rate."""
    ema_init: Literal["zero", "bias_corrected"] = "bias_corrected"
    """Running averages start at 0 (paper; then even perfect votes take 45 iterations to reach 0.9) or are bias-corrected."""
    accuracy_to_clue: float = Field(0.9, ge=0.0, le=1.0)
    """Switch from decision to clue if the running accuracy is at least this …"""
    abstention_to_clue: float = Field(0.1, ge=0.0, le=1.0)
    """… and the running N/A rate is at most this."""
    error_to_decision: float = Field(0.4, ge=0.0, le=1.0)
    """Switch from clue to decision if 1 - running accuracy is at least this …"""
    abstention_to_decision: float = Field(0.5, ge=0.0, le=1.0)
    """… or the running N/A rate is at least this."""
    min_iterations: int = Field(5, ge=1)
    """K_min: shortest length of a stage, in iterations."""
    patience: int = Field(20, ge=1)
    """P: switch after this many iterations without a threshold hit."""
    period: int = Field(1, ge=1)
    """Iterations per stage under ``rule: fixed``; 1 is the alternation of the released code."""


class StageConfig(Config):
    """Overrides of ``learning`` and ``policy.sampling`` for one stage; null: no override. The paper has the same values for both.

    Clues and votes differ in what is sampled and in the size of their gradients, so each stage may have its own learning rate, KL
    coefficient, batch and temperatures.
    """

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


class MachinesConfig(Config):
    """Several machines that train together; ``vision-zero train-node`` runs on each but the one whose step trains.

    All have this version of the project, the same base, and a shared folder under the same path.
    """

    endpoint: str
    """``host:port`` on the machine whose step trains, where torchrun's rendezvous listens; the others must reach it."""
    nodes: int = Field(2, ge=2)
    """Machines, with equal shares of ``num_processes``."""
    folder: str
    """The shared folder, in which jobs are handed over."""

    @field_validator("endpoint")
    @classmethod
    def _has_a_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{value!r} is not host:port")
        return value


class LearningConfig(Config):
    """How the policy is trained."""

    method: Annotated[str, named_in(METHODS, "training method")] = "self_play"
    """``self_play``, or the control ``supervised``: SFT of the embedded policy on right answers about the images that it would
    play with, as many in an iteration as votes are trained; the upper bound in an ablation."""
    iterations: int = Field(100, ge=1)
    """Length of the schedule in iterations, over all runs; the cosine of the learning rate ends there."""
    games_per_iteration: int = Field(128, ge=1)
    """Fresh games in each iteration, which ends with one optimiser step on them."""
    learning_rate: float = Field(1e-5, gt=0.0)
    """Peak learning rate."""
    warmup: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of ``iterations`` over which the learning rate rises from 0 to its peak. As in transformers' schedules, the first
    update then has rate 0 and changes nothing."""
    kl: float = Field(0.04, ge=0.0)
    """τ: coefficient of the KL to the reference (the base). It is estimated from the sampled tokens as k3 = ρ - log ρ - 1 with
    ρ = π_ref/π (http://joschu.net/blog/kl-approx.html): its mean is KL(π‖π_ref), its gradient's mean is that of KL(π_ref‖π)."""
    votes_per_prompt: int = Field(8, ge=2)
    """Votes sampled for one prompt: the group size of GRPO."""
    skip_equal_groups: bool = False
    """Leave prompts whose votes all have the same reward out of the update (paper: they are in it), which is faster. Their
    advantage is 0, so the policy gradient is the same; the KL is the mean over the other prompts, whatever their number."""
    clip: float = Field(0.2, gt=0.0)
    """ε: PPO's clipping range. It has no effect here, since each batch gives one update."""
    max_grad_norm: float = Field(1.0, gt=0.0)
    """Gradient clipping: largest norm."""
    optimizer: Literal["shared", "per_stage"] = "shared"
    """One AdamW for both stages, or one per stage whose state is frozen while the other stage is trained. Gradients of clues are
    smaller than those of votes: shared moments make their steps too small, and continue the previous stage's direction after a
    switch."""
    weight_decay: float = Field(0.0, ge=0.0)
    """AdamW's weight decay."""
    tokens_per_step: int = Field(8192, ge=1)
    """Tokens of one micro-batch of a process, as computed: prompts with their images (each once), replies and padding. A reply
    that is longer together with its prompt is a micro-batch of its own. It bounds memory; results do not depend on it except for
    rounding."""
    shared_prefix: bool = True
    """Read a prompt with several replies once instead of once per reply, in the update (forward and backward) and in the
    reference pass. Results are the same except for rounding. Model families for which this is not tested, and models with
    sliding-window attention, are refused and need ``false``."""
    num_processes: int = Field(1, ge=1)
    """Processes that train together, with one GPU each if there are GPUs; each plays an equal share of the games. An iteration is
    one optimiser step over all of them."""
    machines: MachinesConfig | None = None
    """The machines that the processes run on; null: this one."""
    sharded: bool = False
    """Shard weights, the frozen reference, gradients and moments among the processes (FSDP2): for full fine-tuning
    (``policy.adapter: null``) of a model that is too large for one GPU."""
    merged_play: bool = False
    """Play and evaluate with a copy of the policy whose adapter is merged into the weights: faster, but it needs the memory of a
    second model. Only in float32: half precision would round an adapter's small updates away."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass to save memory; needed for large models."""
    bf16: bool = False
    """Mixed precision, for GPUs."""
    switch: SwitchConfig = SwitchConfig()
    """When to switch between the stages."""
    clue: StageConfig = StageConfig()
    """Overrides of these settings and of ``policy.sampling`` for the clue stage."""
    decision: DecisionStageConfig = DecisionStageConfig()
    """Overrides for the decision stage."""

    def of(self, stage: Stage) -> LearningConfig:
        """The settings with the overrides of one stage applied."""
        own = self.clue if stage == "clue" else self.decision
        given = {name: value for name, value in own if value is not None and name in LearningConfig.model_fields}
        return self.model_copy(update=given)

    @property
    def most_games(self) -> int:
        """Games in an iteration of the stage that plays more: pairs are made for that many."""
        return max(self.of(stage).games_per_iteration for stage in STAGES)

    @model_validator(mode="after")
    def _work_can_be_shared(self) -> Self:
        if self.sharded and self.num_processes == 1:
            raise ValueError("sharded needs several processes: set num_processes to the number of GPUs, or leave sharded out")
        if self.machines is not None and self.num_processes % self.machines.nodes:
            raise ValueError(
                f"num_processes {self.num_processes} cannot be shared equally by {self.machines.nodes} machines: make it a "
                "multiple of machines.nodes"
            )
        for games in (self.games_per_iteration, *(self.of(stage).games_per_iteration for stage in STAGES)):
            if games % self.num_processes:
                raise ValueError(
                    f"games_per_iteration {games} cannot be shared equally by num_processes {self.num_processes}: "
                    "make games_per_iteration a multiple of num_processes"
                )
        return self

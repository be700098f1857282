"""The configuration of a self-play run."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.evaluation import AlarmsConfig, EvaluationConfig
from vision_zero.config.game import GameConfig
from vision_zero.config.learning import LearningConfig
from vision_zero.config.nano_defaults import NANO_DOMAIN
from vision_zero.config.policy import NANO, PolicyConfig
from vision_zero.config.presets import PRESETS
from vision_zero.config.renamed import with_present_names
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.sources import DomainName, SourcesConfig
from vision_zero.config.suites import SuitesConfig
from vision_zero.config.tracking import TrackedRun, Trackers
from vision_zero.config_base import Config, RootConfig, Share, Weight, merged
from vision_zero.domains.domain import Domain
from vision_zero.domains.registry import DOMAINS, FIRST
from vision_zero.randomness import HELD_OUT_SEEDS


class PairsConfig(SourcesConfig):
    """Sources of a run's pairs."""

    mix: dict[DomainName, Weight] = Field({FIRST: 1.0})
    """Relative frequency of each domain; a domain with 0 or without an entry is not used."""
    spare: Share = 0.1
    """Share of extra pairs, which replace quarantined ones."""
    spoiled: Share = 0.0
    """For an ablation: share of training pairs whose edit is undone after validation, so that the spy sees the original too, as
    with bad pairs that validation missed."""

    @model_validator(mode="after")
    def _some_domain_has_weight(self) -> Self:
        if not any(self.mix.values()):
            raise ValueError("mix must give at least one domain a weight above 0")
        for domain in self.active:
            if getattr(self, domain.name) is None:
                raise ValueError(f"mix asks for {domain.things}: say under pairs.{domain.name} where they are")
        return self

    @property
    def active(self) -> list[Domain[Any]]:
        """The domains that the mix gives a weight, in the registry's order."""
        return [domain for name, domain in DOMAINS.items() if self.mix.get(name, 0) > 0]


class PromotionConfig(Config):
    """How a run's policy is compared with the version in production (:mod:`vision_zero.evaluation.promotion`), with the
    confidence of ``evaluation``."""

    pairs: int = Field(64, ge=0)
    """Held-out pairs of the comparison, different in every run, so that a run is not judged on pairs on which an earlier one was
    refused. Each costs four games, and votes on one of them. 0: no comparison."""
    questions: int = Field(20, ge=0)
    """Questions of each family about the scenes of these pairs; 0: none."""
    unreadable: Share = 0.2
    """A larger share of unreadable clues or votes blocks promotion, unless that of the version in production is as large."""


class BaseMeasureConfig(Config):
    """The settings that the scores of the frozen base depend on. Runs with equal values share one cached evaluation."""

    policy: PolicyConfig
    """The base, and its sampling."""
    game: GameConfig
    """The rules of the held-out games."""
    evaluation: EvaluationConfig
    """The evaluation."""
    rewards: RewardsConfig
    """Rewards that prompts of votes name, and that the replay of its games shows."""
    replay_games: int
    """Games in the replay."""


class SelfPlayConfig(RootConfig):
    """Settings of a self-play run. Results depend on nothing else; defaults are the paper's, where it gives a value."""

    preset: Literal["paper", "paper_v2", "lora", "full"] | None = None
    """Values to start from: ``paper`` and ``paper_v2`` have the paper's constants, ``lora`` and ``full`` those for LoRA or full
    fine-tuning of a large model (:mod:`vision_zero.config.presets`). Explicit settings take precedence."""
    seed: int = Field(0, ge=0, lt=HELD_OUT_SEEDS.start)
    """The run's seed. All random numbers of games, pairs and training come from named children of it."""
    iterations_per_round: int = Field(10, ge=1)
    """Largest number of iterations in a round (clue stage, then decision stage)."""
    pairs: PairsConfig = PairsConfig()
    """Sources of image pairs."""
    game: GameConfig = GameConfig()
    """Rules of the game."""
    policy: PolicyConfig = PolicyConfig()
    """The model that plays and is trained."""
    rewards: RewardsConfig = RewardsConfig()
    """Rewards and advantages."""
    learning: LearningConfig = LearningConfig()
    """Optimiser and stages."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation after each round."""
    suite_evaluation: SuitesConfig = SuitesConfig()
    """Evaluation on suites before promotion, with the settings of ``pipelines.evaluate``: ``suites`` lists them, and beside it
    are sampling, batch size and the gate. Without suites only alarms block promotion."""
    promotion: PromotionConfig = PromotionConfig()
    """Comparison with the version in production before promotion."""
    alarms: AlarmsConfig = AlarmsConfig()
    """When to raise an alarm."""
    replay_games: int = Field(8, ge=1, le=200)
    """Games in a replay."""
    runs_folder: str = "runs"
    """Folder for the report and the other plain files of a run, relative to the checkout."""
    tracking: Trackers = ()
    """Experiment trackers that get the metrics, scores, alarms and a replay of all runs of the model: ``tensorboard``, ``wandb``,
    ``mlflow``, ``trackio``. None: nothing is sent, and none is imported."""

    @property
    def of_base(self) -> BaseMeasureConfig:
        """The settings that the evaluation of the frozen base depends on."""
        return BaseMeasureConfig(
            policy=self.policy,
            game=self.evaluation.game or self.game,
            evaluation=self.evaluation.model_copy(update={"game": None}),
            rewards=self.rewards,
            replay_games=self.replay_games,
        )

    def tracked(self, model: str) -> TrackedRun:
        """A run of the model as the trackers know it."""
        if not self.tracking:
            return TrackedRun()
        return TrackedRun(trackers=self.tracking, model=model, folder=self.runs_folder, settings=self.model_dump(mode="json"))

    @model_validator(mode="after")
    def _pairs_and_preset_fit(self) -> Self:
        single = [f"{domain.things} ({domain.name})" for domain in self.pairs.active if not domain.is_edited]
        if single and "modified" in (self.game.spy_image, (self.evaluation.game or self.game).spy_image):
            raise ValueError(
                f"pairs.mix has {single[0]}, but with game.spy_image modified the rules tell players about changed "
                "details: set game.spy_image blank, or start from preset paper_v2"
            )
        if self.preset == "lora" and self.policy.adapter is None:
            raise ValueError("preset lora has the learning rate of an adapter: for policy.adapter null set preset full")
        if self.preset == "full" and self.policy.adapter is not None:
            raise ValueError("preset full has the learning rate of all weights: for an adapter set preset lora")
        return self

    @model_validator(mode="after")
    def _the_policy_can_be_trained(self) -> Self:
        policy, learning = self.policy, self.learning
        if learning.sharded and policy.adapter is not None:
            raise ValueError(
                "learning.sharded is for training all weights: set policy.adapter null, or leave sharded out; with an adapter "
                "every process keeps a complete base"
            )
        if policy.server is not None and policy.server.sleeps and learning.num_processes > 1:
            raise ValueError(
                "policy.server.sleeps would stop the server while other processes of learning.num_processes still need it: "
                "set num_processes 1, or leave sleeps out and give the server a GPU of its own"
            )
        if self.rewards.vote == "brier" and (policy.server is not None or learning.sharded):
            raise ValueError(
                "rewards.vote: brier needs the probabilities of votes, which neither policy.server nor sharded weights "
                "(learning.sharded) provide: leave one out"
            )
        if policy.compiled and learning.merged_play:
            raise ValueError(
                "learning.merged_play makes a new copy in each iteration, which policy.compiled would compile anew: leave one out"
            )
        if policy.sampling.top_p < 1:
            raise ValueError(
                f"policy.sampling.top_p {policy.sampling.top_p:g} would sample replies from a part of the distribution and "
                "score them under all of it, so the gradient would be wrong: leave top_p out"
            )
        if policy.dtype == "bfloat16" and learning.merged_play:
            raise ValueError(
                "learning.merged_play would round an adapter's small updates away in the weights of policy.dtype bfloat16: leave "
                "merged_play out, or set policy.dtype float32"
            )
        return self

    @model_validator(mode="after")
    def _supervised_training_is_possible(self) -> Self:
        if self.learning.method != "supervised":
            return self
        drawn = [domain.name for domain in self.pairs.active]
        is_seen = self.game.spy_image == "modified"  # examples are about both images of a pair
        if self.policy.base != NANO or self.policy.adapter is None or drawn != [NANO_DOMAIN] or not is_seen:
            raise ValueError(
                f"learning.method: supervised has training examples only for an adapter of policy.base nano on {NANO_DOMAIN}: "
                f"leave method out, or set policy.base {NANO} with policy.adapter, pairs.mix to {NANO_DOMAIN}, and "
                "game.spy_image modified"
            )
        switch = self.learning.switch
        if (switch.rule, switch.start) != ("never", "decision") or self.learning.num_processes > 1:
            raise ValueError(
                "learning.method: supervised has one stage and one process: set learning.switch to {rule: never, "
                "start: decision} and num_processes 1"
            )
        if self.learning.bf16 or self.learning.gradient_checkpointing:
            raise ValueError(
                "learning.method: supervised trains in float32 and keeps activations: leave learning.bf16 and "
                "learning.gradient_checkpointing out"
            )
        return self

    @model_validator(mode="after")
    def _what_is_compiled_stays(self) -> Self:
        if self.policy.compiled and self.learning.merged_play:
            raise ValueError(
                "learning.merged_play makes a new copy in each iteration, which policy.compiled would compile anew: leave one out"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _starts_from_its_preset(cls, data: Any) -> Any:
        preset = data.get("preset") if isinstance(data, dict) else None
        if not isinstance(preset, str) or preset not in PRESETS:
            return data
        given = {key: value.model_dump(exclude_unset=True) if isinstance(value, Config) else value for key, value in data.items()}
        return merged(PRESETS[preset], given)

    @model_validator(mode="before")
    @classmethod
    def _old_names_are_read(cls, data: Any) -> Any:
        return with_present_names(data)

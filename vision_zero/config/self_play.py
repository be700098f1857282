"""The whole configuration of a self-play run: one frozen tree."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.alarms import AlarmsConfig
from vision_zero.config.base import Config, RootConfig, merged
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config.game import GameConfig
from vision_zero.config.learning import LearningConfig
from vision_zero.config.pairs import Domain, Share
from vision_zero.config.policy import NANO, PolicyConfig
from vision_zero.config.presets import PRESETS
from vision_zero.config.promotion import PromotionConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.config.suites import SuitesConfig
from vision_zero.randomness import HELD_OUT_SEEDS

Weight = Annotated[float, Field(ge=0.0)]


class PairsConfig(SourcesConfig):
    """Where the pairs of a run come from."""

    mix: dict[Domain, Weight] = Field({"scenes": 1.0})
    """Relative frequency of each domain; 0 or absent leaves it out."""
    spare: Share = 0.1
    """Pairs made beyond those that the games need, as a share: they stand in for quarantined ones."""
    spoiled: Share = 0.0
    """Share of training pairs whose edit is undone after validation, so that the spy sees the original too: bad pairs that
    slipped through, for an ablation."""

    @model_validator(mode="after")
    def _some_domain_has_weight(self) -> Self:
        if not any(self.mix.values()):
            raise ValueError("mix must give at least one domain a weight above 0")
        if self.mix.get("imported") and self.imported is None:
            raise ValueError("mix asks for imported pairs: say under pairs.imported where they are")
        return self


class BaseMeasureConfig(Config):
    """The part of a self-play run's settings that decides how its frozen base fares on the held-out pairs. Runs that are alike
    in these share one measurement."""

    policy: PolicyConfig
    """The base, and how it plays."""
    game: GameConfig
    """The rules of the held-out games."""
    evaluation: EvaluationConfig
    """What is measured."""
    rewards: RewardsConfig
    """What the replay of its games shows beside the moves."""
    replay_games: int
    """Games shown in it."""


class SelfPlayConfig(RootConfig):
    """A self-play run. Everything that a result depends on is here; defaults are the paper's where the paper has one."""

    preset: Literal["paper", "paper_v2", "lora", "full"] | None = None
    """Values to start from: ``paper`` and ``paper_v2`` hold the paper's constants, ``lora`` and ``full`` those for training an
    adapter or all weights of a large model (:mod:`vision_zero.config.presets`). What is given beside it stands."""
    seed: int = Field(0, ge=0, lt=HELD_OUT_SEEDS.start)
    """The run's seed: every random draw of games, pairs and training is a named child of it."""
    iterations_per_round: int = Field(10, ge=1)
    """Iterations that one round (clue stage, then decision stage) takes at most."""
    pairs: PairsConfig = PairsConfig()
    """Where image pairs come from."""
    game: GameConfig = GameConfig()
    """The rules."""
    policy: PolicyConfig = PolicyConfig()
    """The model that plays and learns."""
    rewards: RewardsConfig = RewardsConfig()
    """What moves are worth."""
    learning: LearningConfig = LearningConfig()
    """Optimiser and stages."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """What is measured after each round."""
    benchmarks: SuitesConfig = SuitesConfig()
    """Suites that the run's policy is asked before it is promoted, and what it must show there; none: only the alarms decide."""
    promotion: PromotionConfig = PromotionConfig()
    """What it must show beside the version in production."""
    alarms: AlarmsConfig = AlarmsConfig()
    """When to say that learning goes wrong, and when not to promote."""
    replay_games: int = Field(8, ge=1, le=200)
    """Games shown in a replay."""
    runs_folder: str = "runs"
    """Folder, beside the pipelines, that gets the report and the other plain files of a run."""

    @property
    def of_base(self) -> BaseMeasureConfig:
        """What the measurement of the frozen base depends on."""
        return BaseMeasureConfig(
            policy=self.policy,
            game=self.evaluation.game or self.game,
            evaluation=self.evaluation.model_copy(update={"game": None}),
            rewards=self.rewards,
            replay_games=self.replay_games,
        )

    @model_validator(mode="after")
    def _an_adapter_is_not_shared_out(self) -> Self:
        if self.learning.sharded and self.policy.adapter is not None:
            raise ValueError(
                "learning.sharded is for training all weights: set policy.adapter null, or leave sharded out; beside an adapter "
                "every process keeps a whole base"
            )
        return self

    @model_validator(mode="after")
    def _who_sees_nothing_is_told_so(self) -> Self:
        if self.pairs.mix.get("pictures") and "modified" in (self.game.spy_image, (self.evaluation.game or self.game).spy_image):
            raise ValueError(
                "pairs.mix has single pictures, beside which the spy's is empty, and the rules say that a few details of it were "
                "changed: set game.spy_image blank, or start from preset paper_v2"
            )
        return self

    @model_validator(mode="after")
    def _the_preset_is_for_what_is_trained(self) -> Self:
        if self.preset == "lora" and self.policy.adapter is None:
            raise ValueError("preset lora has the learning rate of an adapter: for policy.adapter null set preset full")
        if self.preset == "full" and self.policy.adapter is not None:
            raise ValueError("preset full has the learning rate of all weights: for an adapter set preset lora")
        return self

    @model_validator(mode="after")
    def _nobody_is_put_to_sleep_while_others_play(self) -> Self:
        if self.policy.server is not None and self.policy.server.sleeps and self.learning.num_processes > 1:
            raise ValueError(
                "policy.server.sleeps lets the server sleep when one process has played, and learning.num_processes has others "
                "that still ask it: set num_processes 1, or leave sleeps out and give the server a GPU of its own"
            )
        return self

    @model_validator(mode="after")
    def _chances_of_votes_are_here(self) -> Self:
        if self.rewards.vote == "brier" and (self.policy.server is not None or self.learning.sharded):
            raise ValueError(
                "rewards.vote: brier asks the model itself how likely each vote was, which neither policy.server nor a share of "
                "its weights (learning.sharded) can tell: leave one out"
            )
        return self

    @model_validator(mode="after")
    def _lessons_are_the_embedded_policys(self) -> Self:
        if self.learning.method != "supervised":
            return self
        drawn = [domain for domain, weight in self.pairs.mix.items() if weight]
        if self.policy.base != NANO or self.policy.adapter is None or drawn != ["scenes"]:
            raise ValueError(
                "learning.method: supervised teaches an adapter of policy.base nano on scenes alone, the only lessons that there "
                f"are: leave method out, or set policy.base {NANO} with policy.adapter, and pairs.mix to scenes"
            )
        switch = self.learning.switch
        if (switch.rule, switch.start) != ("never", "decision") or self.learning.num_processes > 1:
            raise ValueError(
                "learning.method: supervised has one stage and one process: set learning.switch to {rule: never, "
                "start: decision} and num_processes 1"
            )
        return self

    @model_validator(mode="after")
    def _what_is_compiled_stays(self) -> Self:
        if self.policy.compiled and self.learning.merged_play:
            raise ValueError(
                "learning.merged_play makes a new copy in each iteration, which policy.compiled would compile anew: leave one out"
            )
        return self

    @model_validator(mode="after")
    def _what_is_drawn_is_scored(self) -> Self:
        if self.policy.sampling.top_p < 1:
            raise ValueError(
                f"policy.sampling.top_p {self.policy.sampling.top_p:g} would draw replies from a part of the distribution and "
                "score them under all of it, so that the gradient would be another policy's: leave top_p out"
            )
        return self

    @model_validator(mode="after")
    def _updates_are_not_merged_away(self) -> Self:
        if self.policy.dtype == "bfloat16" and self.learning.merged_play:
            raise ValueError(
                "learning.merged_play would round an adapter's small updates away in the weights of policy.dtype bfloat16: leave "
                "merged_play out, or set policy.dtype float32"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _starts_from_its_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("preset") not in PRESETS:
            return data
        given = {key: value.model_dump(exclude_unset=True) if isinstance(value, Config) else value for key, value in data.items()}
        return merged(PRESETS[data["preset"]], given)

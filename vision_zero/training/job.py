"""A training stage: its input, its output, and the way from the one to the other by the recipe's ``learning.method``."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import InstanceOf

from vision_zero.config.game import GameConfig
from vision_zero.config.learning import METHODS, LearningConfig, Stage
from vision_zero.config.nano_defaults import reasoning_prefix
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.tracking import TrackedRun
from vision_zero.data.table import PairSampler, PairTable, stride
from vision_zero.game.transcript import Transcript
from vision_zero.jinja import text_template
from vision_zero.policy.folder import CARD, PolicyFolder
from vision_zero.randomness import Seed
from vision_zero.training.state import StageState


@dataclass(frozen=True)
class StageJob:
    """One stage of one round.

    Attributes:
        state: the stage state.
        parent: the trained policy to continue from; an empty one is the base without an adapter.
        folder: for the trained policy.
        iterations: of this stage, at most.
        pairs: the validated training pairs, by iteration.
        run: the run's name, for the history.
        seed: the run's seed.
        opener: the prefix of the policy's reasoned replies; None if unknown.
        tracked: the run as its trackers know it, if it has any.
    """

    policy: PolicyConfig
    game: GameConfig
    rewards: RewardsConfig
    learning: LearningConfig
    state: StageState
    parent: PolicyFolder
    folder: Path
    iterations: int
    pairs: InstanceOf[PairSampler]
    run: str
    seed: Seed
    opener: str | None = None
    tracked: TrackedRun = field(default_factory=TrackedRun)

    @classmethod
    def of(
        cls,
        config: SelfPlayConfig,
        state: StageState,
        parent: PolicyFolder,
        pairs: PairTable,
        folder: Path,
        *,
        run: str,
        iterations: int | None = None,
        tracked: TrackedRun | None = None,
    ) -> StageJob:
        """The job of a run's configuration for the current stage; ``iterations`` defaults to those of a round."""
        learning = config.learning.of(state.stage)
        own = config.learning.clue if state.stage == "clue" else config.learning.decision
        step = stride(config.learning.most_games, config.pairs.spare)
        return cls(
            policy=config.policy.model_copy(update={"sampling": own.sampling(config.policy.sampling)}),
            game=config.game,
            rewards=config.rewards,
            learning=learning,
            state=state,
            parent=parent.checked(),
            folder=folder,
            iterations=config.iterations_per_round if iterations is None else iterations,
            pairs=PairSampler(pairs.of_split("train"), learning.games_per_iteration, step),
            run=run,
            seed=Seed(config.seed).child("after refusals", state.refusals) if state.refusals else Seed(config.seed),
            opener=reasoning_prefix(config.evaluation.reasoning_prefix, config.policy.base),
            tracked=tracked or TrackedRun(),
        )

    def write_card(self, folder: Path, stage: Stage, iteration: int) -> None:
        """Write the model card of the policy, trained for so many iterations, into its folder."""
        text = text_template("vision_zero.policy", "card.md.j2").render(
            config=self.policy, iteration=iteration, iterations=self.learning.iterations, stage=stage, run=self.run
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CARD).write_text(text, encoding="utf-8")

    @property
    def planned(self) -> range:
        """Numbers of the iterations to train now, up to the end of the schedule."""
        start = self.state.iteration
        return range(start, max(start, min(start + self.iterations, self.learning.iterations)))


@dataclass(frozen=True)
class StageResult:
    """The result of a stage: the state after it, the games that it played or used, and the policy."""

    state: StageState
    transcripts: tuple[Transcript, ...]
    policy: PolicyFolder

    def summary(self, before: StageState) -> dict[str, Any]:
        """A few numbers about the stage, for ZenML's metadata."""
        records = self.state.history[len(before.history) :]
        if not records:
            return {"trained iterations": 0, "games": len(self.transcripts)}
        last = records[-1]
        rates = {
            "right votes": round(last.accuracy, 3),
            "N/A": round(last.abstention, 3),
            "running accuracy": round(last.running_accuracy, 3),
            "running N/A": round(last.running_abstention, 3),
        }
        return {
            "trained iterations": len(records),
            "games": len(self.transcripts),
            **(rates if last.has_votes else {}),
            "measures": {name: round(value, 5) for name, value in last.metrics.items()},
        }


def run_stage(stage: Stage, job: StageJob) -> StageResult:
    """Train as the method has it if the state is in that stage and iterations are left; else the policy is handed on."""
    if job.state.stage != stage or not job.planned:
        return StageResult(job.state, (), job.parent)
    module = import_module(f"{__package__}.{METHODS[job.learning.method]}")
    result: StageResult = module.run_stage(stage, job)
    return result

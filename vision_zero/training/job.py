"""What a stage is given and what it hands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vision_zero.config.game import GameConfig
from vision_zero.config.learning import LearningConfig
from vision_zero.config.nano_defaults import reasoning_prefix
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.sampler import PairSampler, stride
from vision_zero.data.table import PairTable
from vision_zero.game.transcript import Transcript
from vision_zero.policy.folder import PolicyFolder
from vision_zero.randomness import Seed
from vision_zero.training.state import StageState


@dataclass(frozen=True)
class StageJob:
    """One stage of one round.

    Attributes:
        state: where learning stands.
        parent: the trained policy to continue from; an empty one stands for the bare base.
        folder: a folder for the trained policy.
        iterations: iterations that this stage may take at most.
        pairs: the validated pairs, by iteration and by id.
        run: the run's name, for the history.
        seed: the run's seed.
        opener: how reasoned replies of the policy begin; None where nobody knows.
    """

    policy: PolicyConfig
    game: GameConfig
    rewards: RewardsConfig
    learning: LearningConfig
    state: StageState
    parent: PolicyFolder
    folder: Path
    iterations: int
    pairs: PairSampler
    run: str
    seed: Seed
    opener: str | None = None

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
    ) -> StageJob:
        """The job that a run's configuration describes for the state's stage; ``iterations`` defaults to a whole round's."""
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
        )

    @property
    def planned(self) -> range:
        """Numbers of the iterations that may be done now; the schedule's end cuts them off."""
        start = self.state.iteration
        return range(start, max(start, min(start + self.iterations, self.learning.iterations)))


@dataclass(frozen=True)
class StageResult:
    """What came of a stage: the state after it, the games that it played or used, and the policy to go on with."""

    state: StageState
    transcripts: tuple[Transcript, ...]
    policy: PolicyFolder

    def summary(self, before: StageState) -> dict[str, object]:
        """The stage in a few numbers, for metadata cards."""
        records = self.state.history[len(before.history) :]
        if not records:
            return {"trained iterations": 0, "games": len(self.transcripts)}
        last = records[-1]
        return {
            "trained iterations": len(records),
            "games": len(self.transcripts),
            "right votes": round(last.accuracy, 3),
            "N/A": round(last.abstention, 3),
            "running accuracy": round(last.running_accuracy, 3),
            "running N/A": round(last.running_abstention, 3),
            "measures": {name: round(value, 5) for name, value in last.metrics.items()},
        }

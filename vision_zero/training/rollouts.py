"""What both stages' trainers do before an update: fresh games, in lockstep, by the policy as it is now.

One row of the data set stands for a game of an iteration, its group for the replies of that game that are trained: all clues
in the clue stage, the votes of one voter in the decision stage. Which pairs an iteration plays with, how they are dealt and what
is drawn follow from the run's seed and the iteration's number alone, so a resumed run plays the games of an unbroken one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from accelerate.utils import gather_object
from datasets import Dataset

from vision_zero.game.engine import deal_all, play_recorded
from vision_zero.game.interface import Players, Reply, Request
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Transcript
from vision_zero.randomness import Seed
from vision_zero.training.job import StageJob
from vision_zero.training.trainer import StageTrainer, grpo_config

Turn = tuple[Request, Reply]
"""What a seat was asked, and what it replied."""


class RolloutTrainer(StageTrainer):
    """A trainer that plays games instead of answering rows.

    Args:
        kind: the moves that are trained.
        group: how many of them each game has.

    Attributes:
        transcripts: the games of all iterations so far, of all processes, in order.
    """

    def __init__(self, model: Any, processor: Any, job: StageJob, *, kind: Literal["clue", "vote"], group: int) -> None:
        self.game = WhoIsTheSpy(job.game)
        self.transcripts: list[Transcript] = []
        games = job.learning.games_per_iteration
        rows = [{"prompt": [{"role": "user", "content": ""}], "game": number} for number in range(games * len(job.planned))]
        arguments = grpo_config(job, replies=games * group, group=group, drawing=job.policy.sampling.of(kind))
        super().__init__(model, processor, job, arguments, Dataset.from_list(rows))

    @property
    def iteration_seed(self) -> Seed:
        """Of this iteration's draws, the same in all processes."""
        return self.job.seed.child("iteration", self.state.global_step)

    def play(self, rows: Sequence[Mapping[str, Any]], players: Players) -> tuple[list[Transcript], list[Turn]]:
        """Play this process's share of the iteration's games to their ends.

        Args:
            rows: of the data set, a group for each game.

        Returns:
            The games of all processes, in one order in all of them, and what was said in this one's, in the order of asking.
        """
        games = self.job.learning.games_per_iteration
        tables = deal_all(self.game, self.job.pairs.of_iteration(self.state.global_step), self.iteration_seed)
        own = [tables[int(row["game"]) % games] for row in rows[:: self.num_generations]]
        seed = self.iteration_seed.child("process", self.accelerator.process_index)
        finished, record = play_recorded(self.game, own, players, seed)
        transcripts: list[Transcript] = gather_object([table.transcript for table in finished])
        self.transcripts.extend(transcripts)
        return transcripts, record

    def asked(self, said: Sequence[Turn]) -> list[dict[str, Any]]:
        """What was asked as rows for TRL."""
        return [{"prompt": [{"role": "user", "content": request.prompt}], "image": request.image} for request, _ in said]

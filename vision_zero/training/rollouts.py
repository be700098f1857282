"""Rollouts of both stages: new games in lockstep, sampled from the current policy, before each update.

One row of the dataset stands for a game of an iteration, and its group for the completions of that game that are trained: all
clues in the clue stage, the votes of one voter in the decision stage. The pairs, the spies and the sampling of an iteration are
functions of the run's seed and the iteration's number, so a resumed run plays the same games as an uninterrupted one.
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
"""A request and the reply to it."""


class RolloutTrainer(StageTrainer):
    """A trainer whose completions come from games instead of from the dataset's prompts.

    Args:
        kind: of the moves that are trained.
        group: how many such moves a game has.

    Attributes:
        transcripts: of all games so far, of all ranks, in order.
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
        """The seed of this iteration, the same on all ranks."""
        return self.job.seed.child("iteration", self.state.global_step)

    def play(self, rows: Sequence[Mapping[str, Any]], players: Players) -> tuple[list[Transcript], list[Turn]]:
        """Play this rank's share of the iteration's games.

        Args:
            rows: of the dataset, a group per game.

        Returns:
            The transcripts of all ranks, in the same order on each, and this rank's turns in the order of the calls.
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
        """The prompts of these turns as rows for TRL."""
        return [{"prompt": [{"role": "user", "content": request.prompt}], "image": request.image} for request, _ in said]

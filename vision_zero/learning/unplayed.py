"""Games that a run made pairs for and did not play, because a stage ended within its round."""

from __future__ import annotations

from typing import Self

from vision_zero.config.base import Config
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.learning.state import StageState


class Unplayed(Config):
    """What was left of a run's plan. Pairs belong to an iteration: the next run makes the same ones again and plays them.

    Attributes:
        planned: iterations that pairs were made for.
        reached: how many of them were trained.
        games: games of the others.
    """

    planned: int
    reached: int
    games: int

    @classmethod
    def of(cls, config: SelfPlayConfig, rounds: int, before: StageState, after: StageState) -> Self:
        """Of a run of so many rounds between these states."""
        left = max(0, config.learning.iterations - before.iteration)
        planned = min(rounds * config.iterations_per_round, left)
        reached = after.iteration - before.iteration
        return cls(planned=planned, reached=reached, games=(planned - reached) * config.learning.games_per_iteration)

    @property
    def sentence(self) -> str:
        """What was left, for reports; empty where nothing was."""
        if not self.games:
            return ""
        return (
            f"{self.planned - self.reached} of {self.planned} iterations were not reached, for a stage ended within its round: "
            f"the next run plays their {self.games} games"
        )

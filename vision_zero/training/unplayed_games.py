"""Games that a run made pairs for and did not play: a stage ended early, or plays fewer games per iteration than the other."""

from __future__ import annotations

from typing import Self

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import Config
from vision_zero.training.state import StageState


class UnplayedGames(Config):
    """The unplayed part of a run's plan. Pairs belong to an iteration, so the next run generates the same ones and plays them.

    Attributes:
        planned: iterations that pairs were made for.
        reached: how many of them were trained.
        games: games of the iterations that were not.
        fewer: games that the trained iterations left out, because their stage plays fewer than the other.
    """

    planned: int
    reached: int
    games: int
    fewer: int = 0

    @classmethod
    def of(cls, config: SelfPlayConfig, rounds: int, before: StageState, after: StageState) -> Self:
        """Of a run of so many rounds between these states."""
        left = max(0, config.learning.iterations - before.iteration)
        planned = min(rounds * config.iterations_per_round, left)
        reached, most = after.iteration - before.iteration, config.learning.most_games
        records = after.history[len(before.history) :]
        fewer = sum(most - config.learning.of(record.stage).games_per_iteration for record in records)
        return cls(planned=planned, reached=reached, games=(planned - reached) * most, fewer=fewer)

    @property
    def sentence(self) -> str:
        """A sentence for reports; empty if all games were played."""
        said = []
        if self.games:
            said.append(
                f"{self.planned - self.reached} of {self.planned} iterations were not reached, for a stage ended within its "
                f"round: the next run plays their {self.games} games"
            )
        if self.fewer:
            said.append(f"{self.fewer} pairs were not played, for one stage plays fewer games than the other")
        return "; ".join(said)

"""Which pairs an iteration plays with: the next valid ones of its own range of the table.

Every pair has a position; iteration t owns the positions [t * stride, (t + 1) * stride), a few more than it has games. Pairs that
validation took out leave holes that the spare ones fill, and no iteration ever plays another's pairs: a run that was resumed
sees the same pictures as one that was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.table import PairTable
from vision_zero.errors import PairsError


def stride(games: int, spare: float) -> int:
    """Positions of one iteration: its games and the spare share of them, rounded up."""
    return games + -int(-games * spare // 1)


@dataclass(frozen=True)
class PairSampler:
    """The training pairs of a validated table."""

    table: PairTable
    games: int
    stride: int

    def of_iteration(self, iteration: int) -> list[ImagePair]:
        """The pairs of an iteration's games, in order.

        Raises:
            PairsError: fewer valid pairs are left than there are games.
        """
        places = self._by_iteration.get(iteration, [])
        if len(places) < self.games:
            raise PairsError(
                f"iteration {iteration} has {len(places)} valid pairs for {self.games} games: "
                "raise pairs.spare or mend the source"
            )
        return [next(self.table.pairs(place, place + 1)) for place in places[: self.games]]

    @cached_property
    def _by_iteration(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        positions = self.table.rows["position"].to_pylist()
        for place in sorted(range(len(positions)), key=positions.__getitem__):
            found.setdefault(positions[place] // self.stride, []).append(place)
        return found

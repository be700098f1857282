"""The interface of all pair sources: a seed in, a pair out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.source_report import SourceReport
from vision_zero.data.splits import SplitFilter
from vision_zero.randomness import Seed


class PairSource(ABC):
    """Makes image pairs. Subclasses are final; ``tests/domains/test_sources.py`` holds every one of them to this contract."""

    domain: str

    @abstractmethod
    def sample(self, seed: Seed) -> ImagePair:
        """Make the pair that belongs to ``seed``: the same seed gives the same pair, pixel for pixel.

        Raises:
            PairsError: no pair can be made with these settings.
        """

    def each(self, seed: Seed) -> Iterator[ImagePair]:
        """One pair after another: those of the seed's children 0, 1, 2, ... without end, or every pair once where there are only
        so many."""
        for number in count():
            yield self.at(number, seed.child(number), seed)

    def at(self, turn: int, seed: Seed, order: Seed) -> ImagePair:
        """The pair that belongs to ``seed`` in a series of pairs, whose ``turn`` it is; ``order`` is the series' own seed. Where
        pairs are made of a few things, each comes once before any comes again. Raises as ``sample`` does."""
        return self.sample(seed)

    def of(self, only: SplitFilter) -> PairSource:
        """The source restricted to what belongs to a split; what was read already is not read again. A source that makes things
        up is returned as it is: its seeds keep the splits apart."""
        return self

    def report(self) -> SourceReport | None:
        """What the source has seen of its location so far; None where it has none."""
        return None

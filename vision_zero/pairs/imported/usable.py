"""Drawing from many things of which some are broken: those are passed over, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from vision_zero.errors import PairsError
from vision_zero.pairs.imported.storage import ConnectionLostError

T = TypeVar("T")

TRIES = 1000
"""Draws after which a collection counts as broken."""


class Usable(Generic[T]):
    """The things that ``load`` can make of the places 0 to ``count``.

    What a generator draws depends on the things alone, never on what was drawn before: a broken one is passed over whether or not
    that it is broken was known already.

    Args:
        count: number of things.
        name: the id of a place.
        load: the thing of a place; raises PairsError where it is broken.
        what: what the things are, for messages.
    """

    def __init__(self, count: int, name: Callable[[int], str], load: Callable[[int], T], what: str) -> None:
        self.count = count
        self.problems: dict[str, str] = {}
        self._name, self._load, self._what = name, load, what
        self._broken: set[int] = set()

    def draw(self, rng: np.random.Generator) -> tuple[int, T]:
        """A place, and its thing, drawn evenly among those that can be used.

        Raises:
            PairsError: nothing can be used.
            ConnectionLostError: something cannot be reached; that does not make it unusable.
        """
        for _ in range(TRIES):
            if len(self._broken) == self.count:
                break
            place = int(rng.integers(self.count))
            if place not in self._broken:
                thing = self._attempt(place)
                if thing is not None:
                    return place, thing
        first = next(iter(self.problems.items()), None)
        reason = "there are none" if first is None else f"the first of {len(self.problems)} problems: {first[0]}: {first[1]}"
        raise PairsError(f"found no usable {self._what}: {reason}")

    def check(self) -> dict[str, str]:
        """Loads everything once; the reason for each that cannot be used."""
        for place in range(self.count):
            if place not in self._broken:
                self._attempt(place)
        return dict(self.problems)

    def _attempt(self, place: int) -> T | None:
        try:
            return self._load(place)
        except ConnectionLostError:
            raise
        except PairsError as error:
            self._broken.add(place)
            self.problems[self._name(place)] = str(error)
            return None

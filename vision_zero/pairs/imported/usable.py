"""Drawing from many things of which some are broken: those are passed over, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np

from vision_zero.errors import PairsError
from vision_zero.pairs.imported.storage import ConnectionLostError
from vision_zero.pairs.parts import EVERYTHING, SMALL, Part

T = TypeVar("T")
R = TypeVar("R")

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
        key: the content that decides which split a thing belongs to; raises PairsError where it cannot be read.
        part: the things that may be drawn.
    """

    def __init__(
        self,
        count: int,
        name: Callable[[int], str],
        load: Callable[[int], T],
        what: str,
        key: Callable[[int], bytes],
        part: Part = EVERYTHING,
    ) -> None:
        self.count = count
        self.problems: dict[str, str] = {}
        self._name, self._load, self._what = name, load, what
        self._broken: set[int] = set()
        self._key, self._part = key, part
        self._mine: dict[int, bool] = {}

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
            if place not in self._broken and self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    return place, thing
        first = next(iter(self.problems.items()), None)
        reason = "there are none" if first is None else f"the first of {len(self.problems)} problems: {first[0]}: {first[1]}"
        raise PairsError(f"found no usable {self._what}{self._whose()}: {reason}")

    def each(self) -> Iterator[tuple[int, T]]:
        """Every thing that can be used, once, in order."""
        for place in range(self.count):
            if place not in self._broken and self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    yield place, thing

    def check(self) -> dict[str, str]:
        """Loads everything once; the reason for each that cannot be used."""
        for place in range(self.count):
            if place not in self._broken:
                self._attempt(place)
        return dict(self.problems)

    def _attempt(self, place: int) -> T | None:
        return self._unless_broken(place, self._load)

    def _is_mine(self, place: int) -> bool:
        """Whether the thing belongs to the part that is drawn from; what cannot be read belongs to none."""
        if self._part.split is None:
            return True
        if not self._mine and self.count <= SMALL:
            keys = {each: self._unless_broken(each, self._key) for each in range(self.count)}
            known = {each: key for each, key in keys.items() if key is not None}
            self._mine = {**dict.fromkeys(keys, False), **dict(zip(known, self._part.choose([*known.values()]), strict=True))}
        if place not in self._mine:
            key = self._unless_broken(place, self._key)
            self._mine[place] = key is not None and self._part.holds(key)
        return self._mine[place]

    def _unless_broken(self, place: int, read: Callable[[int], R]) -> R | None:
        try:
            return read(place)
        except ConnectionLostError:
            raise
        except PairsError as error:
            self._broken.add(place)
            self.problems[self._name(place)] = str(error)
            return None

    def _whose(self) -> str:
        return "" if self._part.split is None else f" that belongs to the {self._part.split.replace('_', '-')} pairs"

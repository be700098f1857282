"""Drawing from many things of which some are broken: those are skipped, each with its reason."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from vision_zero.data.image_identity import groups, place_key, reduced, same
from vision_zero.data.remote_storage import ConnectionLostError
from vision_zero.data.splits import EVERYTHING, SplitFilter
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

T = TypeVar("T")

TRIES = 1000
"""Draws after which a collection counts as broken."""
COMPARED = 1000
"""Up to so many things are all read and compared with each other before they are divided among the splits. Among more, a thing's
split follows from its group, or from its own coarse key alone: reading all would take hours."""


class Collection(ABC):
    """Things by place, from 0, known without reading them.

    Attributes:
        files: how many files there are.
        left_out: files and rows that are not read, by reason.
        problems: the reason for each thing of which the listing alone tells that it cannot be used, by id.
    """

    files: int = 0
    left_out: Mapping[str, int] = MappingProxyType({})
    problems: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, place: int) -> str:
        """The id of a thing."""

    def group(self, place: int) -> str | None:
        """What a thing shares with others, so that they belong to one split; None where nothing says so."""
        return None


@dataclass
class _Known:
    """What was found out about the things so far; shared by the views of all splits."""

    problems: dict[str, str] = field(default_factory=dict)
    looked_at: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    keys: dict[int, bytes] = field(default_factory=dict)
    is_compared: bool = False


class UsablePairs(Generic[T]):
    """The things that ``load`` can make of a collection's places.

    What a generator draws depends on the things alone, never on what was drawn before: a broken one is skipped whether or not
    that it is broken was known already.

    Args:
        things: what there is.
        load: the thing of a place; raises PairsError where it is broken.
        what: what the things are, for messages.
        pictures: what a thing shows; things that share a picture belong to one split.
        only: the things that may be drawn.
    """

    def __init__(
        self,
        things: Collection,
        load: Callable[[int], T],
        what: str,
        pictures: Callable[[T], Sequence[Image.Image]],
        only: SplitFilter = EVERYTHING,
    ) -> None:
        self.count = len(things)
        self._things, self._load, self._what, self._pictures, self._only = things, load, what, pictures, only
        self._known = _Known()
        self._mine: dict[int, bool] = {}
        self._turns: dict[str, tuple[list[int], Iterator[int]]] = {}

    def of(self, only: SplitFilter) -> UsablePairs[T]:
        """The things of other splits; what is known of them is shared."""
        view = UsablePairs(self._things, self._load, self._what, self._pictures, only)
        view._known = self._known
        return view

    @property
    def problems(self) -> dict[str, str]:
        """The reason for every thing that was found unusable so far, by its id."""
        return self._known.problems

    @property
    def looks(self) -> int:
        """Things that were read."""
        return len(self._known.looked_at)

    @property
    def failures(self) -> int:
        """Of these, cannot be used."""
        return len(self._known.broken)

    def pick(self, rng: np.random.Generator) -> tuple[int, T]:
        """A place, and its thing, drawn evenly among those that can be used.

        Raises:
            PairsError: nothing can be used.
            ConnectionLostError: something cannot be reached; that does not make it unusable.
        """
        for _ in range(TRIES):
            if len(self._known.broken) == self.count:
                break
            place = int(rng.integers(self.count))
            if self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    return place, thing
        first = next(iter(self.problems.items()), None)
        reason = "there are none" if first is None else f"the first of {len(self.problems)} problems: {first[0]}: {first[1]}"
        raise PairsError(f"found no usable {self._what}{self._whose()}: {reason}")

    def turn(self, number: int, order: Seed) -> tuple[int, T] | None:
        """The thing whose turn it is where things are taken in rounds: each once, shuffled anew, before any comes again.

        None where nothing can be used, or where there are too many things for rounds to matter.
        """
        if self.count > COMPARED:
            return None
        taken, rounds = self._turns.setdefault(order.digest(), ([], self._rounds(order)))
        for place in rounds if number >= len(taken) else ():
            taken.append(place)
            if len(taken) > number:
                break
        thing = self._attempt(taken[number]) if number < len(taken) else None
        return None if thing is None else (taken[number], thing)

    def _rounds(self, order: Seed) -> Iterator[int]:
        """Places round by round, each time in another order; broken things have no turn."""
        places = [place for place in range(self.count) if self._is_mine(place)]
        for done in itertools.count():
            found = False
            for index in order.child("round", done).generator().permutation(len(places)):
                place = places[int(index)]
                # A part holds none that is broken.
                if self._only.split is not None or self._attempt(place) is not None:
                    found = True
                    yield place
            if not found:
                return

    def each(self) -> Iterator[tuple[int, T]]:
        """Every thing that can be used, once, in order."""
        for place in range(self.count):
            if self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    yield place, thing

    def check(self) -> dict[str, str]:
        """Loads everything once; the reason for each that cannot be used."""
        for place in range(self.count):
            self._attempt(place)
        return dict(self.problems)

    def _attempt(self, place: int) -> T | None:
        if place in self._known.broken:
            return None
        try:
            thing = self._load(place)
        except ConnectionLostError:
            raise
        except PairsError as error:
            self._known.looked_at.add(place)
            self._known.broken.add(place)
            self.problems[self._things.name(place)] = str(error)
            return None
        self._known.looked_at.add(place)
        return thing

    def _is_mine(self, place: int) -> bool:
        """Whether the thing belongs to the splits that are used; what cannot be read belongs to none."""
        if self._only.split is None:
            return True
        if self.count <= COMPARED:
            if not self._mine:
                keys = self._compared()
                self._mine = dict.fromkeys(range(self.count), False)
                self._mine |= dict(zip(keys, self._only.choose([*keys.values()]), strict=True))
        elif place not in self._mine:
            key = self._key(place)
            self._mine[place] = key is not None and self._only.holds(key)
        return self._mine[place]

    def _key(self, place: int) -> bytes | None:
        """What decides which split a thing belongs to where it is not compared with the others."""
        if place not in self._known.keys:
            group = self._things.group(place)
            if group is not None:
                self._known.keys[place] = group.encode("utf-8", "replace")
            else:
                thing = self._attempt(place)
                if thing is None:
                    return None
                self._known.keys[place] = place_key(self._pictures(thing)[0])
        return self._known.keys[place]

    def _compared(self) -> dict[int, bytes]:
        """One key for all things that share a picture or a group, by place; of those that can be used."""
        if not self._known.is_compared:
            self._known.keys = self._compare()
            self._known.is_compared = True
        return self._known.keys

    def _compare(self) -> dict[int, bytes]:
        owners: list[int] = []
        shown = []
        keys: dict[int, bytes] = {}
        named: dict[str, int] = {}
        links: list[tuple[int, int]] = []
        for place in range(self.count):
            thing = self._attempt(place)
            if thing is None:
                continue
            pictures = self._pictures(thing)
            keys[place] = place_key(pictures[0])
            owners += [place] * len(pictures)
            shown += [reduced(picture) for picture in pictures]
            group = self._things.group(place)
            if group is not None:
                links.append((named.setdefault(group, place), place))
        links += [(owners[one], owners[other]) for one, other in same(shown)]
        # The key of the whole group is one of its members', whatever their order.
        return {place: min(keys[each] for each in group) for group in groups(keys, links) for place in group}

    def _whose(self) -> str:
        return "" if self._only.split is None else f" that belongs to the {self._only.split.replace('_', '-')} pairs"

"""All random numbers come from named children of one run seed.

A child is identified by its path of names, so its numbers depend neither on the use of other children nor on the order of
steps: ``Seed(7).child("pairs", "train", 12)`` is the same stream on every machine and in every step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")
HELD_OUT_SEEDS = range(2_000_000_000, 2_000_001_000)
"""Root seeds reserved for suites, one for each version; the seed of a run or warm start must be smaller."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A named source of random numbers: the run's seed and a path of names."""

    root: int
    path: tuple[str, ...] = ()

    def child(self, *names: str | int) -> Seed:
        """The child source of that name."""
        return Seed(self.root, self.path + tuple(str(name) for name in names))

    def digest(self) -> str:
        """Identifier of this source: 32 hexadecimal digits."""
        return self._hash().hex()

    def integer(self) -> int:
        """An integer in [0, 2**63) for libraries with their own seed."""
        return int.from_bytes(self._hash()[:8], "big") >> 1

    def generator(self) -> np.random.Generator:
        """A new numpy generator; every call starts the same stream."""
        return np.random.default_rng(int.from_bytes(self._hash(), "big"))

    def _hash(self) -> bytes:
        # Lengths are hashed too: ("ab", "c") and ("a", "bc") are different sources.
        text = "".join(f"{len(name)}:{name}" for name in (str(self.root), *self.path))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


def weighted(weights: Mapping[T, float], rng: np.random.Generator) -> T:
    """One key, drawn in proportion to its weight."""
    keys = [key for key, weight in weights.items() if weight > 0]
    shares = np.array([weights[key] for key in keys])
    return keys[int(rng.choice(len(keys), p=shares / shares.sum()))]


def one_of(options: Sequence[T], rng: np.random.Generator) -> T:
    """One of the options, all alike."""
    return options[int(rng.integers(len(options)))]


def most_of(counts: Mapping[T, int], rng: np.random.Generator) -> T:
    """The key with the highest number; among those that tie, a guess."""
    most = max(counts.values())
    return one_of([key for key, number in counts.items() if number == most], rng)


def some_of(options: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """``count`` different options in random order."""
    return [options[int(index)] for index in rng.choice(len(options), size=count, replace=False)]

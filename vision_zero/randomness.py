"""Every random draw comes from a named child of one run seed.

A child is named by the path that leads to it, so a draw depends neither on how many draws came before it elsewhere nor on
the order in which steps run: ``Seed(7).child("pairs", "train", 12)`` is the same stream on every machine and in every step.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

HELD_OUT_SEEDS = range(2_000_000_000, 2_000_001_000)
"""Roots that only suites draw from, one for each version; the seed of a run or of a warm start must be smaller."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A named source of randomness: the run's seed and a path of names below it."""

    root: int
    path: tuple[str, ...] = ()

    def child(self, *names: str | int) -> Seed:
        """The source of that name below this one."""
        return Seed(self.root, self.path + tuple(str(name) for name in names))

    def digest(self) -> str:
        """32 hexadecimal digits that name this source; used in identifiers."""
        return self._hash().hex()

    def integer(self) -> int:
        """A whole number in [0, 2**63) for libraries that take a seed of their own."""
        return int.from_bytes(self._hash()[:8], "big") >> 1

    def generator(self) -> np.random.Generator:
        """A fresh numpy generator; every call starts the same stream again."""
        return np.random.default_rng(int.from_bytes(self._hash(), "big"))

    def _hash(self) -> bytes:
        # Lengths are hashed too: ("ab", "c") and ("a", "bc") are different sources.
        text = "".join(f"{len(name)}:{name}" for name in (str(self.root), *self.path))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

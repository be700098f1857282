"""Pairs that show what another one shows already: found by perceptual hashes, and by what pairs are made of.

The rules are those that a user would expect:

- a pair repeats an earlier one of its split when *both* its images do: two edits of one image are two pairs;
- an imported pair or a single image that is drawn again is no fault, for there are only so many; it is counted;
- a training pair must share neither an image nor the photo or table that it is made of with a held-out pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from vision_zero.domains.registry import domain_of

BITS = 256
"""Bits of a perceptual hash."""


@dataclass
class HashIndex:
    """Finds hashes that differ in at most ``distance`` bits, exactly and without comparing all with all.

    A hash is cut into distance + 1 bands; two hashes that differ in at most ``distance`` bits agree in one band at least.
    """

    distance: int
    _bands: dict[tuple[int, int], list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, value: int, name: str) -> None:
        for band in self._split(value):
            self._bands.setdefault(band, []).append((value, name))

    def near(self, value: int) -> Iterator[str]:
        """The names of what is near, in the order in which they were added, each perhaps several times."""
        for band in self._split(value):
            for other, name in self._bands.get(band, ()):
                if (value ^ other).bit_count() <= self.distance:
                    yield name

    def _split(self, value: int) -> Iterator[tuple[int, int]]:
        count = min(self.distance + 1, BITS)
        for band in range(count):
            low, high = band * BITS // count, (band + 1) * BITS // count
            yield band, (value >> low) & ((1 << (high - low)) - 1)


@dataclass(frozen=True)
class Duplicates:
    """For every row of a frame of measurements: the earlier pair that it repeats, the held-out pair that it gives away (both None
    where there is none), and whether it is an imported pair or a single image that comes up again."""

    duplicate_of: list[str | None]
    leaks_from: list[str | None]
    again: list[bool]


def find_duplicates(frame: pd.DataFrame, distance: int) -> Duplicates:
    """Look for repeats among measurements: columns ``pair_id``, ``domain``, ``split``, ``base`` (what the pair is made of, or
    empty), ``original_hash`` and ``modified_hash`` (hexadecimal, or empty where an image cannot be read)."""
    rows = [_Row(*values) for values in frame[list(_Row.__slots__)].itertuples(index=False)]
    held_out = [row for row in rows if row.split == "held_out"]
    images = HashIndex(distance)
    bases = {row.base: row.pair_id for row in reversed(held_out) if row.base}
    for row in held_out:
        for value in row.hashes():
            images.add(value, row.pair_id)
    seen: dict[str, _Seen] = {}
    found = Duplicates([], [], [])
    for row in rows:
        split = seen.setdefault(row.split, _Seen(HashIndex(distance), HashIndex(distance)))
        known = domain_of(row.domain).is_finite and row.base in split.bases
        found.again.append(known)
        found.duplicate_of.append(None if known else split.repeated(row))
        leak = next((name for value in row.hashes() for name in images.near(value)), bases.get(row.base))
        found.leaks_from.append(leak if row.split == "train" else None)
        split.add(row)
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    pair_id: str
    domain: str
    split: str
    base: str
    original_hash: str
    modified_hash: str

    def hashes(self) -> list[int]:
        return [int(text, 16) for text in (self.original_hash, self.modified_hash) if text]


@dataclass
class _Seen:
    originals: HashIndex
    modified: HashIndex
    bases: set[str] = field(default_factory=set)

    def repeated(self, row: _Row) -> str | None:
        if not (row.original_hash and row.modified_hash):
            return None
        original, modified = row.hashes()
        same = set(self.modified.near(modified))
        return next((name for name in self.originals.near(original) if name in same), None)

    def add(self, row: _Row) -> None:
        self.bases.add(row.base)
        if row.original_hash and row.modified_hash:
            original, modified = row.hashes()
            self.originals.add(original, row.pair_id)
            self.modified.add(modified, row.pair_id)

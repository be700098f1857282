"""Pairs that were made elsewhere. The paper's realistic pairs (ImgEdit) and its released data come in this way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np
from PIL import Image

from vision_zero.config.imported import ImportedConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.image_pair import Change, Domain, Facts, ImagePair
from vision_zero.pairs.imported.index import Made, open_index
from vision_zero.pairs.imported.usable import Usable
from vision_zero.pairs.parts import EVERYTHING, Part
from vision_zero.pairs.photos.words import place_of
from vision_zero.pairs.pictures import decode
from vision_zero.pairs.source import PairSource
from vision_zero.randomness import Seed

MIN_SIDE = 16
"""Smaller pictures show nothing to talk about."""
VISIBLE = 24
"""A pixel differs visibly when one of its channels differs by more than this (of 255)."""


@final
class ImportedSource(PairSource):
    """Draws from the pairs of a location; facts say where a pair comes from.

    Nothing is repaired: what cannot be used is passed over, and ``problems`` says why. Two seeds may give the same pictures, for
    there are only so many.

    Raises:
        PairsError: the location cannot be read or holds no pairs.
    """

    domain: Domain = "imported"

    def __init__(self, config: ImportedConfig, part: Part = EVERYTHING) -> None:
        self.config = config
        self._index = open_index(config)
        self._usable = Usable(len(self._index), self._index.name, self._load, f"pair in {config.location}", self._key, part)
        self._usable.problems.update(self._index.problems)

    @property
    def problems(self) -> dict[str, str]:
        """The reason for every pair that was found unusable so far, by its id; ``check`` finds them all."""
        return dict(self._usable.problems)

    def check(self) -> dict[str, str]:
        """Reads every pair once; returns all problems."""
        return self._usable.check()

    def __len__(self) -> int:
        """Pairs found, usable or not."""
        return len(self._index)

    def sample(self, seed: Seed) -> ImagePair:
        return self._pair(*self._usable.draw(seed.generator()), f"imported-{seed.digest()[:16]}")

    def each(self, seed: Seed) -> Iterator[ImagePair]:
        for place, found in self._usable.each():
            yield self._pair(place, found, f"imported-{seed.child(place).digest()[:16]}")

    def _pair(self, place: int, found: tuple[Image.Image, Image.Image, Made], pair_id: str) -> ImagePair:
        original, modified, made = found
        facts: Facts = {"id": self._index.name(place), "location": self.config.location}
        box = _box(original, modified)
        after = f"something else, as told: {made.change}" if made.change else "something else"
        return ImagePair(
            pair_id=pair_id,
            domain=self.domain,
            original=original,
            modified=modified,
            changes=(Change("imported", f"what is {place_of(box, original.size)}", after, box),),
            original_facts=facts,
            modified_facts={**facts, "change": made.change},
        )

    def _key(self, place: int) -> bytes:
        # Several edits of one original belong to one split.
        return self._index.load(place).original

    def _load(self, place: int) -> tuple[Image.Image, Image.Image, Made]:
        made = self._index.load(place)
        original, modified = decode(made.original, "the original"), decode(made.modified, "the modified picture")
        if original.size != modified.size:
            raise PairsError(f"its pictures have different sizes: {_size(original)} and {_size(modified)}")
        if min(original.size) < MIN_SIDE:
            raise PairsError(f"its pictures are too small: {_size(original)}, at least {MIN_SIDE} pixels a side are needed")
        if any(np.ptp(np.asarray(image), axis=(0, 1)).max() == 0 for image in (original, modified)):
            raise PairsError("one of its pictures shows a single colour")
        if self.config.width is not None and self.config.height is not None:
            size = (self.config.width, self.config.height)
            original, modified = (image.resize(size, Image.Resampling.LANCZOS) for image in (original, modified))
        if original.tobytes() == modified.tobytes():
            raise PairsError("its pictures are the same")
        return original, modified, made


def _box(original: Image.Image, modified: Image.Image) -> tuple[int, int, int, int]:
    """Around what differs visibly, or differs at all where nothing does visibly (a picture that was stored twice with loss)."""
    steps = np.abs(np.asarray(original, dtype=np.int16) - np.asarray(modified, dtype=np.int16)).max(axis=2)
    shown = steps > VISIBLE if (steps > VISIBLE).any() else steps > 0
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"

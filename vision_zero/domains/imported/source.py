"""Pairs that were made elsewhere. The paper's realistic pairs (ImgEdit) and its released data come in this way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
from PIL import Image

from vision_zero.data.collection import CollectionSource
from vision_zero.data.image_pair import Change, Facts, ImagePair
from vision_zero.data.images import Box, box_of, changed_mask, decode_pair, mask_of
from vision_zero.data.source_report import SourceReport
from vision_zero.data.splits import EVERYTHING, SplitFilter
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.index import open_index
from vision_zero.domains.photos.phrases import place_of
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed
from vision_zero.text import well_formed

MIN_SIDE = 16
"""Smaller images show nothing to talk about."""
VISIBLE = 24
"""A pixel differs visibly when one of its channels differs by more than this (of 255)."""

_Loaded = tuple[Image.Image, Image.Image, str]
"""Original, modified image, and what is said about the change."""


@final
class ImportedSource(CollectionSource[_Loaded]):
    """Draws from the pairs of a location; facts say where a pair comes from.

    What cannot be used is skipped, and the report says why. Two seeds may give the same images, for there are only so many.

    Raises:
        PairsError: the location cannot be read or holds no pairs.
    """

    domain, things = "imported", "pairs"

    def __init__(self, config: ImportedConfig, only: SplitFilter = EVERYTHING) -> None:
        self.config = config
        self._index = open_index(config)
        self._adjusted: dict[str, str] = {}
        super().__init__(self._index, config.location, only)

    def report(self) -> SourceReport:
        return super().report().model_copy(update={"adjusted": dict(self._adjusted)})

    def __len__(self) -> int:
        """Pairs found, usable or not."""
        return len(self._index)

    def sample(self, seed: Seed) -> ImagePair:
        return self._pair(*self._pick(seed.generator()), f"imported-{seed.digest()[:16]}")

    def each(self, seed: Seed) -> Iterator[ImagePair]:
        for place, found in self._usable():
            yield self._pair(place, found, f"imported-{seed.child(place).digest()[:16]}")

    def _pair(self, place: int, found: _Loaded, pair_id: str) -> ImagePair:
        original, modified, change = found
        facts: Facts = {"id": self._index.name(place), "location": well_formed(self.config.location)}
        box = _box(original, modified)
        after = f"something else, as told: {change}" if change else "something else"
        return ImagePair(
            pair_id=pair_id,
            domain=self.domain,
            original=original,
            modified=modified,
            changes=(Change("imported", f"what is {place_of(box, original.size)}", after, box),),
            original_facts=facts,
            modified_facts={**facts, "change": change},
        )

    def _load(self, place: int) -> _Loaded:
        made = self._index.load(place)
        original, modified = decode_pair(made.original, made.modified)
        adjusted = ""
        if original.size != modified.size:
            original, modified, adjusted = self._fitted(original, modified)
        if min(original.size) < MIN_SIDE:
            raise PairsError(f"its images are too small: {_size(original)}, at least {MIN_SIDE} pixels a side are needed")
        if any(np.ptp(np.asarray(image), axis=(0, 1)).max() == 0 for image in (original, modified)):
            raise PairsError("one of its images shows a single colour")
        mask = mask_of(original, modified)
        if mask is not None:
            raise PairsError(
                f"its {mask} has two values only: a mask is no edit, the column or file of another name may be meant"
            )
        if self.config.width is not None and self.config.height is not None:
            size = (self.config.width, self.config.height)
            original, modified = (image.resize(size, Image.Resampling.LANCZOS) for image in (original, modified))
        if original.tobytes() == modified.tobytes():
            raise PairsError("its images are the same")
        if adjusted:
            self._adjusted[self._index.name(place)] = adjusted
        return original, modified, made.change

    def _shown(self, thing: _Loaded) -> Sequence[Image.Image]:
        return thing[:2]

    def _fitted(self, original: Image.Image, modified: Image.Image) -> tuple[Image.Image, Image.Image, str]:
        """Two images of different sizes, made one size as the settings say; and what was done, for the report."""
        sizes = f"{_size(original)} and {_size(modified)}"
        apart = max(abs(one - other) for one, other in zip(original.size, modified.size, strict=True))
        if apart > self.config.size_tolerance:
            raise PairsError(f"its images have different sizes: {sizes}")
        if self.config.sizes == "equal":
            raise PairsError(f"its images have nearly the same size: {sizes}; sizes may be crop or resize")
        size = (min(original.width, modified.width), min(original.height, modified.height))
        made = "cropped" if self.config.sizes == "crop" else "resized"
        told = f"{made} to one size: from {sizes} to {size[0]}x{size[1]}"
        if self.config.sizes == "resize":
            return original.resize(size, Image.Resampling.LANCZOS), modified.resize(size, Image.Resampling.LANCZOS), told
        return _middle(original, size), _middle(modified, size), told


def _middle(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def _box(original: Image.Image, modified: Image.Image) -> Box:
    """Around what differs visibly, or differs at all where nothing does visibly (an image that was stored twice with loss)."""
    shown = changed_mask(original, modified, VISIBLE)
    return box_of(shown if shown.any() else changed_mask(original, modified, 0))


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"

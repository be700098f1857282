"""Single images as pairs: the modified one is empty (arXiv 2509.25541v2), so any images will do and none is edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from PIL import Image

from vision_zero.data.collection import CollectionSource
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import changed_mask, empty_image
from vision_zero.data.splits import EVERYTHING, SplitFilter
from vision_zero.domains.photos.collection import open_collection
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

_Image = tuple[Image.Image, tuple[int, int]]
"""An image as it is shown, and the size (width, height) that it had."""


@final
class PictureSource(CollectionSource[_Image]):
    """Takes an image as it is, scaled down where it is too large; facts are its origin and the size that it had.

    There are only so many: each comes once before any comes again. What shows the same belongs to one split, whatever its file's
    name, format or size. Images that cannot be used are skipped, and the report says why.

    Raises:
        PairsError: the location cannot be read or holds no images.
    """

    domain = things = "pictures"

    def __init__(self, config: PicturesConfig, only: SplitFilter = EVERYTHING) -> None:
        self.config = config
        self._images = open_collection(config)
        super().__init__(self._images, config.location or "the photos of the packages", only)

    def sample(self, seed: Seed) -> ImagePair:
        return self._pair(self._pick(seed.child("picture").generator()), seed)

    def at(self, turn: int, seed: Seed, order: Seed) -> ImagePair:
        found = self._turn(turn, order)
        return self.sample(seed) if found is None else self._pair(found, seed)

    def _pair(self, found: tuple[int, _Image], seed: Seed) -> ImagePair:
        place, (image, size) = found
        origin = {("picture" if name == "photo" else name): value for name, value in self._images.origin(place).items()}
        return ImagePair(
            pair_id=f"picture-{seed.digest()[:16]}",
            domain=self.domain,
            original=image,
            modified=empty_image(image.size),
            changes=(),
            original_facts={**origin, "size": list(size)},
            modified_facts={},
        )

    def _load(self, place: int) -> _Image:
        image = self._images.load(place)
        size = image.size
        image.thumbnail((self.config.width, self.config.height), Image.Resampling.LANCZOS)
        if min(image.size) < self.config.least_side:
            raise PairsError(
                f"its shorter side has {min(image.size)} pixels once it is scaled from {size[0]}x{size[1]}, at least "
                f"{self.config.least_side} are needed"
            )
        return image, size

    def _shown(self, thing: _Image) -> Sequence[Image.Image]:
        return thing[:1]


def measure(pair: ImagePair, threshold: int) -> dict[str, Any]:
    """The share of the image that is not empty, and how far its pixels lie apart in the channel in which they do so most: 0 for
    a plain one. Nothing was edited, so each image is held against the empty one alone, which all have in common."""
    shown = changed_mask(pair.original, empty_image(pair.original.size), threshold)
    return {"changed_area": float(shown.mean()), "colour_range": int(np.ptp(np.asarray(pair.original), axis=(0, 1)).max())}

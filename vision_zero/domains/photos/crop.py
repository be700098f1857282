"""Crops: one photo is many pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vision_zero.data.image_pair import Facts
from vision_zero.errors import PairsError

MOST_ENLARGED = 2.0
"""A photo is enlarged at most so much."""
SHARP = 1.25
"""Crops are chosen large enough to be enlarged at most so much, where the photo allows it."""


@dataclass(frozen=True)
class Crop:
    """A part of a photo, (left, top, right, bottom) in its pixels, and whether it is mirrored."""

    box: tuple[float, float, float, float]
    mirrored: bool

    def of(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The part at that size (width, height)."""
        # `reducing_gap` lets Pillow shrink large photos in two steps; the picture stays the same to the eye.
        part = photo.resize(size, Image.Resampling.LANCZOS, box=self.box, reducing_gap=3.0)
        return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.mirrored else part

    def facts(self, scale: float) -> Facts:
        """As JSON data, in the pixels of a photo that is so many times larger."""
        return {"crop": [round(edge * scale, 2) for edge in self.box], "mirrored": self.mirrored}


def check_size(photo: Image.Image, size: tuple[int, int]) -> None:
    """Refuse a photo that is too small for crops of that size (width, height).

    Raises:
        PairsError: the largest crop would be enlarged more than ``MOST_ENLARGED`` times.
    """
    needed = (int(size[0] / MOST_ENLARGED), int(size[1] / MOST_ENLARGED))
    if photo.width < needed[0] or photo.height < needed[1]:
        raise PairsError(
            f"the photo is too small: {photo.width}x{photo.height}, at least {needed[0]}x{needed[1]} pixels are needed"
        )


def draw_crop(photo: tuple[int, int], size: tuple[int, int], min_crop: float, may_mirror: bool, rng: np.random.Generator) -> Crop:
    """A random crop of the shape that is wanted.

    Args:
        photo: (width, height) of the photo.
        size: (width, height) that the crop will be shown at.
        min_crop: its least width as a share of the largest one's.
        may_mirror: half the crops are mirrored.
    """
    largest = min(photo[0] / size[0], photo[1] / size[1])
    smallest = min(largest, max(min_crop * largest, 1 / SHARP))
    scale = float(rng.uniform(smallest, largest))
    width, height = size[0] * scale, size[1] * scale
    left, top = float(rng.uniform(0, photo[0] - width)), float(rng.uniform(0, photo[1] - height))
    box = (left, top, min(left + width, photo[0]), min(top + height, photo[1]))
    return Crop(box, may_mirror and bool(rng.random() < 0.5))

"""A photo as the edits see it: its pixels, a small copy to search in, its regions, and where it was edited already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

from vision_zero.domains.photos.paints import Paint, paints_of
from vision_zero.domains.photos.patches import Spectra
from vision_zero.domains.photos.pixels import Mask, Pixels, Weights, detail_of, lightness, resized, scaled
from vision_zero.domains.photos.regions import Region, find_regions

SMALL_AREA = 160 * 120
"""Pixels of the small copy."""
CALM = 1.5
"""Texture finer than this (standard deviation in the small copy's pixels) need not agree where something is pasted."""
GREY = 4.0
"""Mean chroma (CIE Lab) up to which a photo is a grey one."""


@dataclass(frozen=True)
class Canvas:
    """An image with its regions.

    Attributes:
        image: the pixels.
        regions: what may be edited, best first.
        taken: (height, width), True where an earlier edit changed something.
    """

    image: Pixels
    regions: tuple[Region, ...]
    taken: Mask

    @classmethod
    def of(cls, image: Pixels, min_area: float, max_area: float) -> Self:
        """The image with its regions of between those shares of it."""
        height, width = image.shape[:2]
        blank = cls(image, (), np.zeros((height, width), dtype=bool))
        found = find_regions(blank.small, blank.medium, (width, height), min_area, max_area)
        return cls(image, tuple(found), blank.taken)

    def edited(self, image: Pixels, changed: Mask) -> Canvas:
        """The canvas after an edit: what was changed is taken, and so are the regions that it touched."""
        taken = self.taken | changed
        return Canvas(image, tuple(region for region in self.regions if not (region.mask & taken).any()), taken)

    @cached_property
    def scale(self) -> float:
        """Size of the small copy over the image's, at most 1."""
        height, width = self.image.shape[:2]
        return min(1.0, float(np.sqrt(SMALL_AREA / (height * width))))

    @cached_property
    def small(self) -> Pixels:
        """The small copy."""
        return self._copy(self.scale)

    @cached_property
    def medium(self) -> Pixels:
        """A copy of at most four times the small one's pixels."""
        return self._copy(min(1.0, 2 * self.scale))

    def _copy(self, scale: float) -> Pixels:
        height, width = self.image.shape[:2]
        return resized(self.image, (max(8, round(width * scale)), max(8, round(height * scale))))

    @cached_property
    def lab(self) -> Pixels:
        """The image in CIE Lab."""
        lab: Pixels = rgb2lab(self.image).astype(np.float32)
        return lab

    @cached_property
    def paints(self) -> tuple[Paint, ...]:
        """What may be recoloured: nothing in a grey photo."""
        return () if self.is_grey else paints_of(self.lab)

    @cached_property
    def calm(self) -> Pixels:
        """The small copy without its texture."""
        calm: Pixels = ndimage.gaussian_filter(self.small, (CALM, CALM, 0), mode="nearest")
        return calm

    @cached_property
    def spectra(self) -> Spectra:
        """What a search for places in the calm copy needs."""
        return Spectra.of(self.calm)

    @cached_property
    def detail(self) -> Weights:
        """Gradients of the small copy's lightness."""
        return detail_of(lightness(self.small))

    @cached_property
    def is_grey(self) -> bool:
        """A photo without colours."""
        return bool(np.hypot(*rgb2lab(self.calm)[..., 1:].transpose(2, 0, 1)).mean() <= GREY)

    def small_mask(self, mask: Mask) -> Mask:
        """The mask at the small copy's size."""
        size = (self.small.shape[1], self.small.shape[0])
        return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)) > 100

    def at_full_size(self, offset: tuple[int, int]) -> tuple[int, int]:
        """An offset in the small copy as one in the image."""
        return (round(offset[0] / self.scale), round(offset[1] / self.scale))

    def pixels(self, at_320: float) -> float:
        """A length that is given for an image of 320x240, for this one."""
        return scaled(at_320, self.image)

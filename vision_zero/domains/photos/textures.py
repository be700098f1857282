"""The textures that scikit-image ships (CC0, from cc0textures.com): grey pictures of which only the relief is used."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from PIL import Image

from vision_zero.data.images import decode
from vision_zero.domains.photos.pixels import Weights

TEXTURES = ("brick", "grass", "gravel")
SCALES = (0.35, 0.6)
"""A texture is shown so much smaller than it was photographed, at 320x240."""


def texture(name: str, size: tuple[int, int], scale: float, rng: np.random.Generator) -> Weights:
    """(height, width) of that size (width, height): a random part of a texture, turned, and repeated where it is too small.

    Args:
        scale: size of the picture that gets the texture, as a multiple of 320x240's.
    """
    shrink = float(rng.uniform(*SCALES)) * scale
    photo = _photo(name)
    tile = photo.resize((max(8, round(photo.width * shrink)), max(8, round(photo.height * shrink))), Image.Resampling.LANCZOS)
    values = np.rot90(np.asarray(tile, dtype=np.float32) / np.float32(255), int(rng.integers(4)))
    if values.shape[0] < size[1] or values.shape[1] < size[0]:
        # Mirrored copies meet without a seam.
        doubled = np.block([[values, values[:, ::-1]], [values[::-1], values[::-1, ::-1]]])
        values = np.tile(doubled, (-(-size[1] // doubled.shape[0]), -(-size[0] // doubled.shape[1])))
    top, left = (int(rng.integers(space + 1)) for space in (values.shape[0] - size[1], values.shape[1] - size[0]))
    part: Weights = values[top : top + size[1], left : left + size[0]]
    return part


@cache
def _photo(name: str) -> Image.Image:
    data = files("skimage").joinpath("data", f"{name}.png").read_bytes()
    return decode(data, f"scikit-image's {name}.png").convert("L")

"""Do two pictures differ by an edit, or only by noise or by a camera that moved? Pairs that others rendered or photographed twice
differ everywhere a little; that is no edit that somebody could describe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.registration import phase_cross_correlation

LONGEST = 384
"""Pictures are compared at no more than so many pixels a side."""
_WINDOW, _THICK = 5, 7
_LEAST_STEP, _MOST_STEP, _SIGMAS = 12.0, 40.0, 6.0
_TILES, _MOST_TILES = 5, 16
_LEAST_TILE, _LEAST_TEXTURED = 16, 3
_TEXTURE = 2.5
_LEAST_SHIFT, _LEAST_GAIN = 0.4, 0.25

Grey = NDArray[np.float32]


def solid_area(original: Image.Image, modified: Image.Image) -> float:
    """Share of the picture that differs beyond noise: in areas, by more than six times what the two differ by elsewhere, on
    average over 5x5 pixels, and by 12 of 255 at least. Single bright pixels of a renderer average out; thin lines along edges,
    which lossy coding and half a pixel's shift leave, are no areas."""
    one, other = (_small(image) for image in (original, modified))
    means = [ndimage.uniform_filter(picture, (_WINDOW, _WINDOW, 0)) for picture in (one, other)]
    steps = np.abs(means[0] - means[1]).max(axis=2)
    noise = max(1.4826 * float(np.median(steps)), float(np.percentile(steps, 80)) / 1.28)
    differs = steps > np.clip(_SIGMAS * noise, _LEAST_STEP, _MOST_STEP)
    return float(ndimage.binary_opening(differs, np.ones((_THICK, _THICK), dtype=bool)).mean())


def moved_share(original: Image.Image, modified: Image.Image) -> float:
    """Share of the picture's textured tiles that match better when they are shifted by at least 0.4 pixels: nearly all where the
    camera moved, turned or zoomed, and few where something was edited. 0 where too few tiles have texture to tell."""
    one, other = (_small(image).mean(axis=2) for image in (original, modified))
    tiles = [tile for tile in _tiles(one.shape) if _texture(one[tile]) >= _TEXTURE]
    if len(tiles) < _LEAST_TEXTURED:
        return 0.0
    tiles = tiles[:: -(-len(tiles) // _MOST_TILES)]
    return sum(_has_moved(one[tile], other[tile]) for tile in tiles) / len(tiles)


def _small(image: Image.Image) -> Grey:
    copy = image.convert("RGB")
    copy.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    return np.asarray(copy, dtype=np.float32)


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    side = max(_LEAST_TILE, min(shape[:2]) // _TILES)
    rows, columns = (range(0, length - side + 1, side) for length in shape[:2])
    return [(slice(top, top + side), slice(left, left + side)) for top in rows for left in columns]


def _texture(tile: Grey) -> float:
    return float(ndimage.gaussian_gradient_magnitude(tile, 1.0).std())


def _has_moved(one: Grey, other: Grey) -> bool:
    """Whether a tile shows what the other one does, but elsewhere."""
    before = float(np.abs(one - other).mean())
    if before < 1.0:
        return False
    window = np.outer(*(np.hanning(length) for length in one.shape))
    shift, _, _ = phase_cross_correlation(
        (one - one.mean()) * window, (other - other.mean()) * window, upsample_factor=10, normalization=None
    )
    if np.hypot(*shift) < _LEAST_SHIFT or np.abs(shift).max() > one.shape[0] / 2:
        return False
    back = ndimage.shift(other, shift, order=1, mode="nearest")
    margin = int(np.ceil(np.abs(shift).max())) + 1
    inner = np.s_[margin : one.shape[0] - margin, margin : one.shape[1] - margin]
    if back[inner].size < one.size // 8:
        return False
    after = float(np.abs(one[inner] - back[inner]).mean())
    return after < (1 - _LEAST_GAIN) * float(np.abs(one[inner] - other[inner]).mean())

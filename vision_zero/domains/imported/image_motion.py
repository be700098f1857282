"""Do two images differ by an edit, or only by noise or by a camera that moved? Pairs that others rendered or photographed twice
differ everywhere a little; that is no edit that somebody could describe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.registration import phase_cross_correlation

LONGEST = 384
"""Images are compared at no more than so many pixels a side."""
_WINDOW, _THICK = 5, 7
_LEAST_STEP, _MOST_STEP, _SIGMAS = 12.0, 40.0, 6.0
_TILES, _MOST_TILES = 5, 16
_LEAST_TILE, _LEAST_TEXTURED = 16, 3
_TEXTURE = 2.5
_LEAST_SHIFT, _LEAST_GAIN = 0.4, 0.25

_WHOLE, _SCALES = 160, (1.0, 0.9, 1 / 0.9, 0.8, 1.25)
_EXPLAINED, _LEAST_OVERLAP, _LEAST_SPREAD = 0.6, 0.4, 0.3
"""The image as a whole is compared at so many pixels a side, at these sizes and mirrored; it is the same view moved where that
explains this share of the difference in at least that share of the image."""

Grey = NDArray[np.float32]


def solid_area(original: Image.Image, modified: Image.Image) -> float:
    """Share of the image that differs beyond noise: in areas, by more than six times what the two differ by elsewhere, on
    average over 5x5 pixels, and by 12 of 255 at least. Single bright pixels of a renderer average out; thin lines along edges,
    which lossy coding and half a pixel's shift leave, are no areas."""
    one, other = (_small(image) for image in (original, modified))
    means = [ndimage.uniform_filter(image, (_WINDOW, _WINDOW, 0)) for image in (one, other)]
    steps = np.abs(means[0] - means[1]).max(axis=2)
    noise = max(1.4826 * float(np.median(steps)), float(np.percentile(steps, 80)) / 1.28)
    differs = steps > np.clip(_SIGMAS * noise, _LEAST_STEP, _MOST_STEP)
    return float(ndimage.binary_opening(differs, np.ones((_THICK, _THICK), dtype=bool)).mean())


def moved_share(original: Image.Image, modified: Image.Image) -> float:
    """Share of the image's textured tiles that match better when they are shifted by at least 0.4 pixels: nearly all where the
    camera moved, turned or zoomed, and few where something was edited. 0 where too few tiles have texture to tell, and 1 where
    the image as a whole lies elsewhere, is larger, smaller or mirrored."""
    if _is_elsewhere(*(_small(image, _WHOLE).mean(axis=2) for image in (original, modified))):
        return 1.0
    one, other = (_small(image).mean(axis=2) for image in (original, modified))
    tiles = _textured_tiles(one)
    if len(tiles) < _LEAST_TEXTURED:
        return 0.0
    tiles = tiles[:: -(-len(tiles) // _MOST_TILES)]
    return sum(_has_moved(one[tile], other[tile]) for tile in tiles) / len(tiles)


def _small(image: Image.Image, longest: int = LONGEST) -> Grey:
    copy = image.convert("RGB")
    copy.thumbnail((longest, longest), Image.Resampling.BOX)
    return np.asarray(copy, dtype=np.float32)


def _is_elsewhere(one: Grey, other: Grey) -> bool:
    """Whether one image shows what the other does, as a whole moved by a pixel at least, scaled or mirrored.

    One thing that moved before a plain ground is no such image: what has texture must be all over it, and fit everywhere.
    """
    tiles = _textured_tiles(one)
    before = np.abs(one - other)
    if float(before.mean()) < 1.0 or _spread(tiles, one.shape) < _LEAST_SPREAD:
        return False
    for image in (other, other[:, ::-1]):
        for scale in _SCALES:
            view = image if scale == 1 else _scaled(image, scale)
            shift = _global_shift(one, view)
            if scale == 1 and image is other and np.hypot(*shift) < 1:
                continue
            after = np.abs(one - ndimage.shift(view, shift, order=1, cval=np.nan))
            if _explains(before, after, tiles):
                return True
    return False


def _explains(before: Grey, after: Grey, tiles: Sequence[tuple[slice, slice]]) -> bool:
    """Whether little is left of the differences, as a whole and in most tiles; what was outside the image is unknown (NaN)."""
    known = ~np.isnan(after)
    if known.mean() < _LEAST_OVERLAP or after[known].mean() > (1 - _EXPLAINED) * before[known].mean():
        return False
    seen = [tile for tile in tiles if known[tile].all()]
    if len(seen) < _LEAST_TEXTURED or _spread(seen, before.shape) < _LEAST_SPREAD:
        return False
    return sum(after[tile].mean() < before[tile].mean() for tile in seen) > 0.8 * len(seen)


def _spread(tiles: Sequence[tuple[slice, slice]], shape: tuple[int, ...]) -> float:
    """The share of the image that the rectangle around some tiles takes."""
    if not tiles:
        return 0.0
    rows, columns = ((min(tile[axis].start for tile in tiles), max(tile[axis].stop for tile in tiles)) for axis in (0, 1))
    return (rows[1] - rows[0]) * (columns[1] - columns[0]) / (shape[0] * shape[1])


def _scaled(image: Grey, scale: float) -> Grey:
    """The image around its middle, larger or smaller; unknown outside."""
    middle = (np.array(image.shape) - 1) / 2
    return ndimage.affine_transform(image, [1 / scale] * 2, middle - middle / scale, order=1, cval=np.nan)


def _global_shift(one: Grey, other: Grey) -> NDArray[np.float64]:
    """By how many pixels the other image must move to lie on the first, by the outlines of both."""
    edges = [
        ndimage.gaussian_gradient_magnitude(np.nan_to_num(image, nan=float(np.nanmean(image))), 1.0) for image in (one, other)
    ]
    shift, _, _ = phase_cross_correlation(*(edge - edge.mean() for edge in edges), normalization=None)
    return np.asarray(shift, dtype=np.float64)


def _textured_tiles(image: Grey) -> list[tuple[slice, slice]]:
    side = max(_LEAST_TILE, min(image.shape) // _TILES)
    rows, columns = (range(0, length - side + 1, side) for length in image.shape)
    tiles = [(slice(top, top + side), slice(left, left + side)) for top in rows for left in columns]
    return [tile for tile in tiles if ndimage.gaussian_gradient_magnitude(image[tile], 1.0).std() >= _TEXTURE]


def _has_moved(one: Grey, other: Grey) -> bool:
    """Whether a tile shows what the other one does, but elsewhere."""
    if np.abs(one - other).mean() < 1.0 or min(np.ptp(one), np.ptp(other)) == 0:
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

"""What comes in the place of something: pixels from elsewhere in the image, or a smooth continuation of what is around it.

Pixels from elsewhere are cloned seamlessly: corrected so that they meet the image at the border of the pasted area. This is
Poisson image editing (Perez, Gangnet and Blake, 2003) in its membrane form: clone + h, where h equals the difference between
image and clone around the area and satisfies Laplace's equation inside. h is smooth, so a pyramid finds it in milliseconds:
solved on a coarse grid first, and a few relaxations at every finer one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vision_zero.data.images import box_of
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.patches import area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.pixels import Mask, Pixels, grown, local_mean, shifted

MARGIN, RING = 4.0, 6.0
"""What is removed reaches so far beyond the region (its blurred border, a thin shadow), its surroundings so far beyond that;
in pixels of a 320x240 image."""
MOST_SEAM = 0.085
"""Largest difference (root mean square, of 1) between the surroundings and the donor's; beyond it a border would show."""
MOST_STEP = 0.26
"""Largest difference at any place of the surroundings (98th percentile); beyond it a part of the thing would stay as a stump."""
MOST_TEXTURE = 0.012
"""Mean lightness gradient around a region up to which a smooth continuation looks natural."""
MOST_DETAIL = 1.5
"""A donor may hold so much more detail than the surroundings of the region: with more it is another thing."""

RELAXATIONS = 12
_AROUND = 2
"""Pixels around a pasted area where image and clone are compared."""
_COARSEST = 4

Values = NDArray[np.float32]


def without(canvas: Canvas, area: Mask, rng: np.random.Generator) -> Pixels | None:
    """The image without a region, whose ``area`` is replaced; None where nothing believable can take its place."""
    small = canvas.small_mask(area)
    ring = canvas.small_mask(grown(area, canvas.pixels(RING))) & ~grown(small, 1)
    if not ring.any() or not small.any():
        return None
    mean, most = float(canvas.detail[ring].mean()), float(np.percentile(canvas.detail[ring], 98))
    if mean <= MOST_TEXTURE and most <= 3 * MOST_TEXTURE:
        return continued(canvas.image, area, rng)
    offset = _donor(canvas, area, ring, mean)
    if offset is None:
        return None
    return cloned(canvas.image, shifted(canvas.image, (-offset[0], -offset[1])), area)


def area_without(canvas: Canvas, mask: Mask) -> Mask:
    """What is replaced when the region goes: also its blurred border and a thin shadow."""
    return grown(mask, canvas.pixels(MARGIN))


def continued(image: Pixels, area: Mask, rng: np.random.Generator) -> Pixels:
    """The image with the area filled smoothly from its surroundings, with their grain."""
    left, top, right, bottom = box_of(grown(area, 6))
    inside, part = area[top:bottom, left:right], image[top:bottom, left:right]
    ring = grown(inside, 5) & ~inside
    calm, _ = local_mean(part, ring, 2)
    # Half the width that two thirds of the grain have: what stands out of it is no grain.
    spread = np.diff(np.percentile((part - calm)[ring], (16, 84), axis=0), axis=0)[0].astype(np.float32) / 2
    noise = ndimage.gaussian_filter(rng.standard_normal((*inside.shape, 1)).astype(np.float32), (0.6, 0.6, 0))
    filled = membrane(calm, ring, inside) + noise / noise.std() * spread
    weights = np.clip(ndimage.distance_transform_edt(inside) / 2.5, 0, 1).astype(np.float32)[..., None]
    result = image.copy()
    result[top:bottom, left:right] = part * (1 - weights) + filled * weights
    return np.clip(result, 0, 1)


def _donor(canvas: Canvas, area: Mask, ring: Mask, mean_detail: float) -> tuple[int, int] | None:
    """The offset (right, down) of the place that can best stand in for the area, if one can."""
    small = canvas.small_mask(area)
    costs = ring_costs(canvas.calm, ring, canvas.spectra)
    allowed = (
        inside_offsets(small | ring)
        & (area_means(small, small.astype(np.float32)) < 1e-3)
        & (area_means(small, canvas.detail) <= MOST_DETAIL * mean_detail)
    )
    if not allowed.any():
        return None
    total = np.where(allowed, costs, np.inf)
    place = int(total.argmin())
    offset = offset_at(place, total.shape)
    # Where the surroundings vary much themselves, a difference shows less.
    if np.sqrt(total.flat[place] / 3) > min(MOST_SEAM, 0.035 + 0.6 * float(canvas.calm[ring].std(axis=0).mean())):
        return None
    steps = (shifted(canvas.calm, (-offset[0], -offset[1])) - canvas.calm)[ring]
    if np.percentile(np.abs(steps - steps.mean(axis=0)).max(axis=1), 98) > min(MOST_STEP, 0.035 + 6 * mean_detail):
        return None
    return _refined(canvas, area, canvas.at_full_size(offset))


def _refined(canvas: Canvas, area: Mask, rough: tuple[int, int]) -> tuple[int, int]:
    """The best offset within a pixel of the small copy."""
    reach = int(np.ceil(0.5 / canvas.scale))
    rows, columns = np.nonzero(grown(area, 3) & ~area)
    own = canvas.image[rows, columns]
    height, width = area.shape
    best, least = rough, np.inf
    for down in range(rough[1] - reach, rough[1] + reach + 1):
        for right in range(rough[0] - reach, rough[0] + reach + 1):
            other = canvas.image[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
            cost = float(((other - own) ** 2).mean())
            if cost < least:
                best, least = (right, down), cost
    return best


def cloned(image: Pixels, clone: Pixels, area: Mask) -> Pixels:
    """The image with the clone in ``area``, corrected so that no border shows. Outside the area nothing changes.

    Where the area touches the image's border the clone is free.
    """
    left, top, right, bottom = box_of(grown(area, _AROUND))
    inside = area[top:bottom, left:right]
    target, source = image[top:bottom, left:right], clone[top:bottom, left:right]
    ring = grown(inside, _AROUND) & ~inside
    mixed = image.copy()
    correction = membrane(target - source, ring, inside)
    mixed[top:bottom, left:right] = np.where(inside[..., None], source + correction, target)
    return np.clip(mixed, 0, 1)


def membrane(values: Values, known: Mask, wanted: Mask) -> Values:
    """Fill ``wanted`` smoothly from the values at ``known``; other places mean nothing.

    Args:
        values: (height, width, channels).
        known: (height, width), where the colours are known.
        wanted: (height, width), where they are wanted; apart from the known ones.
    """
    if not known.any():
        return np.zeros_like(values)
    return _filled(values * known[..., None], known.astype(np.float32), wanted)


def _filled(values: Values, weight: Values, wanted: Mask) -> Values:
    height, width = weight.shape
    known = weight > 0
    fixed = np.divide(values, weight[..., None], out=np.zeros_like(values), where=known[..., None])
    if min(height, width) <= _COARSEST or known.all():
        mean = values.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(known[..., None], fixed, mean)
    coarse = _filled(
        _halved(values), _halved(weight[..., None])[..., 0], _halved(wanted[..., None].astype(np.float32))[..., 0] > 0
    )
    guess = _doubled(coarse, (height, width))
    result = np.where(known[..., None], fixed, guess)
    free = (wanted & ~known)[..., None]
    for _ in range(RELAXATIONS):
        padded = np.pad(result, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) * np.float32(0.25)
        result = np.where(free, mean, result)
    return result


def _halved(values: Values) -> Values:
    height, width = values.shape[:2]
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    return (padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]) * np.float32(0.25)


def _doubled(values: Values, shape: tuple[int, int]) -> Values:
    doubled = values.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
    smooth: Values = ndimage.uniform_filter(doubled, (3, 3, 1), mode="nearest")
    return smooth

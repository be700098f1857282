"""Removing a region: what may be behind it is taken from elsewhere in the picture, or continued smoothly from around it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from vision_zero.data.images import box_of
from vision_zero.domains.photos.blending import cloned, membrane
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.patches import area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.pixels import Mask, Picture, feathered, grown, shifted

MARGIN, RING = 4.0, 6.0
"""What is removed reaches so far beyond the region (its blurred border, a thin shadow), its surroundings so far beyond that;
in pixels of a 320x240 picture."""
MOST_SEAM = 0.085
"""Largest difference (root mean square, of 1) between the surroundings and the donor's; beyond it a border would show."""
MOST_STEP = 0.26
"""Largest difference at any place of the surroundings (98th percentile); beyond it a part of the thing would stay as a stump."""
MOST_TEXTURE = 0.012
"""Mean lightness gradient around a region up to which a smooth continuation looks natural."""
MOST_DETAIL = 1.5
"""A donor may hold so much more detail than the surroundings of the region: with more it is another thing."""


def without(canvas: Canvas, area: Mask, rng: np.random.Generator) -> Picture | None:
    """The picture without a region, whose ``area`` is replaced; None where nothing believable can take its place."""
    small = canvas.small_mask(area)
    ring = canvas.small_mask(grown(area, canvas.pixels(RING))) & ~grown(small, 1)
    if not ring.any() or not small.any():
        return None
    mean, most = float(canvas.detail[ring].mean()), float(np.percentile(canvas.detail[ring], 98))
    if mean <= MOST_TEXTURE and most <= 3 * MOST_TEXTURE:
        return continued(canvas.picture, area, rng)
    offset = _donor(canvas, area, ring, mean)
    if offset is None:
        return None
    return cloned(canvas.picture, shifted(canvas.picture, (-offset[0], -offset[1])), area)


def area_without(canvas: Canvas, mask: Mask) -> Mask:
    """What is replaced when the region goes: also its blurred border and a thin shadow."""
    return grown(mask, canvas.pixels(MARGIN))


def continued(picture: Picture, area: Mask, rng: np.random.Generator) -> Picture:
    """The picture with the area filled smoothly from its surroundings, with their grain."""
    left, top, right, bottom = box_of(grown(area, 6))
    inside, part = area[top:bottom, left:right], picture[top:bottom, left:right]
    ring = grown(inside, 5) & ~inside
    share = ndimage.gaussian_filter(ring.astype(np.float32), 2)[..., None]
    calm = ndimage.gaussian_filter(part * ring[..., None], (2, 2, 0)) / np.maximum(share, 1e-3)
    # Half the width that two thirds of the grain have: what stands out of it is no grain.
    spread = np.diff(np.percentile((part - calm)[ring], (16, 84), axis=0), axis=0)[0].astype(np.float32) / 2
    noise = ndimage.gaussian_filter(rng.standard_normal((*inside.shape, 1)).astype(np.float32), (0.6, 0.6, 0))
    filled = membrane(calm, ring, inside) + noise / noise.std() * spread
    weights = feathered(inside, 2.5)[..., None]
    result = picture.copy()
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
    own = canvas.picture[rows, columns]
    height, width = area.shape
    best, least = rough, np.inf
    for down in range(rough[1] - reach, rough[1] + reach + 1):
        for right in range(rough[0] - reach, rough[0] + reach + 1):
            other = canvas.picture[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
            cost = float(((other - own) ** 2).mean())
            if cost < least:
                best, least = (right, down), cost
    return best

"""Showing a region elsewhere: a second copy, another place, its mirror image, or a thing from another photo."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from vision_zero.domains.photos.blending import cloned
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.matting import matte
from vision_zero.domains.photos.patches import FORGIVEN, area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.pixels import Mask, Picture, box_of, grown, shifted, shifted_mask, shrunk

MARGIN, RING = 3.0, 5.0
"""What is pasted with its surroundings reaches so far beyond the region; compared is so much around it (320x240)."""
MOST_SEAM = 0.06
"""Largest difference of the surroundings, here and there, at which they are pasted along and corrected; beyond it the region
is cut out along its own edge."""
MOST_SHIFT = 0.1
"""Largest constant difference of them: correcting a larger one would discolour the region."""
CHOICES = 1.3
"""A place is drawn among those that are at most so much worse than the best."""


def place_for(
    target: Canvas, source: Canvas, mask: Mask, taken: Mask, rng: np.random.Generator
) -> tuple[tuple[int, int], bool] | None:
    """Where in the target the source's region may be shown.

    Args:
        target, source: of one size; they may be the same.
        mask: the region in the source.
        taken: where it must not be shown, in the target.

    Returns:
        The offset (right, down) from where the region is, and whether its surroundings there are like its own; None when there
        is no room.
    """
    area = target.small_mask(grown(mask, target.pixels(MARGIN)))
    ring = grown(area, max(2.0, target.pixels(RING) * target.scale)) & ~area
    costs = ring_costs(source.calm, ring, target.spectra)
    room = inside_offsets(grown(area, 1)) & (area_means(area, target.small_mask(taken).astype(np.float32)) < 1e-3)
    if not room.any():
        return None
    seams = np.where(room, np.sqrt(costs / 3), np.inf)
    # Better not over something detailed: that would be two changes in one.
    total = seams + 0.5 * area_means(area, target.detail)
    near = np.flatnonzero(total.ravel() <= CHOICES * float(total.min()) + 0.005)
    place = int(near[rng.integers(len(near))])
    offset = offset_at(place, total.shape)
    steps = (shifted(source.calm, offset) - target.calm)[shifted_mask(ring, offset)]
    alike = (
        seams.flat[place] <= MOST_SEAM
        and np.abs(steps.mean(axis=0)).max() <= MOST_SHIFT
        and np.percentile(np.abs(steps).max(axis=1), 98) <= 3 * MOST_SEAM
    )
    return target.at_full_size(offset), bool(alike)


def pasted(target: Canvas, source: Picture, mask: Mask, offset: tuple[int, int], alike: bool) -> Picture:
    """The target with the source's region moved by the offset.

    Args:
        alike: the surroundings are pasted along and corrected; else the region is cut out along its edge.
    """
    moved = shifted(source, offset)
    if alike:
        return cloned(target.picture, moved, shifted_mask(grown(mask, target.pixels(MARGIN)), offset))
    # A pixel less: the outermost ones are mixed with the old background.
    weights = shifted(matte(source, shrunk(mask, 1), within=2)[..., None], offset)
    return target.picture * (1 - weights) + moved * weights


def mirrored(canvas: Canvas, mask: Mask) -> Picture | None:
    """The picture with the region flipped left to right in place, or None where its surroundings forbid it."""
    left, _, right, _ = box_of(mask)
    width = mask.shape[1]
    columns = np.clip(left + right - 1 - np.arange(width), 0, width - 1)
    area = grown(mask | mask[:, columns], canvas.pixels(MARGIN))
    ring = grown(area, canvas.pixels(RING)) & ~area
    if area[:, 0].any() or area[:, -1].any() or not ring.any():
        return None
    sigma = canvas.pixels(2)
    calm = ndimage.gaussian_filter(canvas.picture, (sigma, sigma, 0))
    difference = (calm[:, columns] - calm)[ring]
    seam = np.sqrt(((difference - np.sqrt(FORGIVEN) * difference.mean(axis=0)) ** 2).mean())
    if seam > MOST_SEAM or np.percentile(np.abs(difference).max(axis=1), 98) > 3 * MOST_SEAM:
        return None
    return cloned(canvas.picture, canvas.picture[:, columns], area)

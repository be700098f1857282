"""Showing a region in another place of its photo."""

from __future__ import annotations

import numpy as np

from vision_zero.domains.photos.blending import cloned
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.patches import Costs, area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.pixels import Mask, Picture, grown, shifted, shifted_mask

MARGIN, RING = 3.0, 5.0
"""What is pasted with its surroundings reaches so far beyond the region; compared is so much around it (320x240)."""
MOST_SEAM = 0.06
"""Largest difference of the surroundings, here and there, at which they are pasted along and corrected."""
MOST_SHIFT = 0.1
"""Largest constant difference of them: correcting a larger one would discolour the region."""
MOST_DOWN = 0.12
"""A thing moves up or down by at most this share of the picture's height."""
CHOICES = 1.3
"""A place is drawn among those that are at most so much worse than the best."""


def area_of(target: Canvas, mask: Mask) -> Mask:
    """What is pasted when the region is shown: also its surroundings."""
    return grown(mask, target.pixels(MARGIN))


def place_for(target: Canvas, source: Canvas, mask: Mask, taken: Mask, rng: np.random.Generator) -> tuple[int, int] | None:
    """Where in the target the source's region may be shown with its surroundings.

    Args:
        target: the picture that is pasted into.
        source: the picture that is copied from, of the same size; it may be the same.
        mask: the region in the source.
        taken: where it must not be shown, in the target.

    Returns:
        The offset (right, down) from where the region is; None when no place has surroundings like its own.
    """
    area = target.small_mask(area_of(target, mask))
    ring = grown(area, max(2.0, target.pixels(RING) * target.scale)) & ~area
    if not ring.any():
        return None
    costs = ring_costs(source.calm, ring, target.spectra)
    room = inside_offsets(grown(area, 1)) & (area_means(area, target.small_mask(taken).astype(np.float32)) < 1e-3)
    seams = np.where(room & _level(costs, MOST_DOWN * area.shape[0]), np.sqrt(costs / 3), np.inf)
    # Better not over something detailed: that would be two changes in one.
    total = seams + 0.5 * area_means(area, target.detail)
    if not np.isfinite(total).any():
        return None
    near = np.flatnonzero(total.ravel() <= CHOICES * float(total.min()) + 0.005)
    place = int(near[rng.integers(len(near))])
    offset = offset_at(place, total.shape)
    steps = (shifted(source.calm, offset) - target.calm)[shifted_mask(ring, offset)]
    alike = (
        seams.flat[place] <= MOST_SEAM
        and np.abs(steps.mean(axis=0)).max() <= MOST_SHIFT
        and np.percentile(np.abs(steps).max(axis=1), 98) <= 3 * MOST_SEAM
    )
    return target.at_full_size(offset) if alike else None


def pasted(target: Canvas, source: Picture, mask: Mask, offset: tuple[int, int]) -> Picture:
    """The target with the source's region moved by the offset, its surroundings pasted along and corrected."""
    return cloned(target.picture, shifted(source, offset), shifted_mask(area_of(target, mask), offset))


def _level(costs: Costs, most: float) -> Mask:
    """Which offsets go up or down by at most so many pixels."""
    rows = np.arange(costs.shape[0])
    level: Mask = np.minimum(rows, costs.shape[0] - rows) <= most
    return np.broadcast_to(level[:, None], costs.shape)

"""The kinds of edit: each takes a region or paint of a canvas and gives the new pixels, the words for it and how possible it
looks. Where it does not suit what it is given, it raises a PairsError that says why; what looks less possible than ``least``
need not be finished.

They are those that can leave a possible photo behind without a model that paints: a thing is gone, stands elsewhere on the same
ground, or has another colour. What shows a thing twice, borrows one from another photo, or changes its material hardly ever does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from skimage.color import rgb2lab

from vision_zero.data.images import box_of
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.config import PhotoEdit
from vision_zero.domains.photos.filling import area_without, cloned, without
from vision_zero.domains.photos.paints import Paint, repainted, shift_for, turn_from
from vision_zero.domains.photos.patches import Costs, area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.phrases import color_of, direction_of, place_of, region_name, regions_name
from vision_zero.domains.photos.pixels import Mask, Pixels, grown, shifted, shifted_mask
from vision_zero.domains.photos.plausibility import (
    WEAK,
    Plausibility,
    borderless,
    distinct,
    ground,
    on_skin,
    room,
    seamless,
    small,
    whole,
)
from vision_zero.domains.photos.regions import Region
from vision_zero.errors import PairsError

MOST_SKY = 0.3
"""Share of the image's upper border from which a paint may be the sky."""
SKY_TURN = 0.55
"""A sky turns by so much of what anything else does: it may be a little pinker or greener, not pink."""
MOST_PAINT = 0.45
"""Largest share of the image that one paint may cover: with more the whole image is tinted."""
LEAST_MOVE = 0.8
"""A region moves by at least this share of its size."""
MARGIN, RING = 3.0, 5.0
"""What is pasted with its surroundings reaches so far beyond the region; compared is so much around it (320x240)."""
MOST_SEAM = 0.06
"""Largest difference of the surroundings, here and there, at which they are pasted along and corrected."""
MOST_SHIFT = 0.1
"""Largest constant difference of them: correcting a larger one would discolour the region."""
MOST_DOWN = 0.12
"""A thing moves up or down by at most this share of the image's height."""
CHOICES = 1.3
"""A place is drawn among those that are at most so much worse than the best."""


@dataclass(frozen=True)
class Edited:
    """What one edit made.

    Attributes:
        image: the new pixels.
        before, after: the change in words (:class:`vision_zero.data.image_pair.Change`).
        looks: how possible it looks.
        shown: (height, width), where something is shown that was not there; None where the region stays or goes.
    """

    image: Pixels
    before: str
    after: str
    looks: Plausibility
    shown: Mask | None = None


def remove(canvas: Canvas, region: Region, rng: np.random.Generator, least: float) -> Edited:
    """Takes the region away."""
    if not region.is_inside:
        raise PairsError("it runs out of the image")
    image, area, looks = _emptied(canvas, region, rng, least, small(region.mask))
    seam, fill = seamless(image, area)
    return Edited(image, region_name(canvas.image, region.mask), "", replace(looks, seam=seam, fill=fill))


def recolor(canvas: Canvas, paint: Paint, rng: np.random.Generator, least: float) -> Edited:
    """Gives a paint another hue."""
    if paint.mask.mean() > MOST_PAINT:
        raise PairsError("its colour covers too much of the image")
    as_one_thing = distinct(paint.weights, paint.mixed)
    if as_one_thing < least:
        raise PairsError("its colour fades into another")
    turn = turn_from(paint.hue, rng) * (SKY_TURN if paint.mask[0].mean() > MOST_SKY else 1.0)
    image = repainted(canvas.image, canvas.lab, paint, turn, shift_for(paint.hue, turn, paint.light))
    before, after = color_of(canvas.image, paint.mask), color_of(image, paint.mask)
    if before == after:
        raise PairsError("its new colour has the same name")
    looks = Plausibility(whole=as_one_thing, seam=borderless(canvas.lab, rgb2lab(image).astype(np.float32)))
    return Edited(image, regions_name(canvas.image, paint.mask), after, looks)


def move(canvas: Canvas, region: Region, rng: np.random.Generator, least: float) -> Edited:
    """Takes the region away and shows it elsewhere on the same ground, at about the same height: further up or down it would
    have another size."""
    if not region.is_thing:
        raise PairsError("it is no simple form inside the image")
    without_it, area, looks = _emptied(canvas, region, rng, least)
    around = grown(region.mask, (LEAST_MOVE - 0.5) * float(np.sqrt(region.mask.sum())))
    # What is pasted: the region with its surroundings.
    margin = canvas.pixels(MARGIN)
    cut = grown(region.mask, margin)
    offset = _place_for(canvas, cut, Canvas(without_it, (), canvas.taken | around), rng)
    if offset is None:
        raise PairsError("no other place looks like its own")
    image = cloned(without_it, shifted(canvas.image, offset), shifted_mask(cut, offset))
    shown = shifted_mask(region.mask, offset)
    gone, come = seamless(image, area), seamless(image, grown(shown, margin), is_thing=True)
    where = place_of(box_of(shown), (shown.shape[1], shown.shape[0]))
    if where == place_of(region.box, (shown.shape[1], shown.shape[0])):
        where = "further " + direction_of(offset)
    looks = replace(looks, seam=min(gone[0], come[0]), fill=gone[1])
    return Edited(image, region_name(canvas.image, region.mask), f"the same region {where}", looks, shown)


EDITS: Mapping[PhotoEdit, Callable[[Canvas, Any, np.random.Generator, float], Edited]] = {
    "remove": remove,
    "recolor": recolor,
    "move": move,
}


def _emptied(
    canvas: Canvas, region: Region, rng: np.random.Generator, least: float, size: float = 1.0
) -> tuple[Pixels, Mask, Plausibility]:
    """The image without the region, what was replaced, and how surely it is a thing alone."""
    mask = region.mask
    if on_skin(canvas.lab, mask):
        raise PairsError("what is around it has the colour of skin or fur: it could be an eye")
    as_one_thing = 1.0 if region.is_alone else whole(canvas.lab, mask)
    looks = Plausibility(as_one_thing, ground(canvas.lab, mask), room(canvas.lab, mask), size)
    if looks.score < least:
        raise PairsError(WEAK[looks.weakest])
    area = area_without(canvas, mask)
    image = without(canvas, area, rng)
    if image is None:
        raise PairsError("nothing in the image can take its place")
    return image, area, looks


def _place_for(canvas: Canvas, cut: Mask, rest: Canvas, rng: np.random.Generator) -> tuple[int, int] | None:
    """Where a region may be shown with its surroundings, which are ``cut``, in the image without it (``rest``), but not where
    that is taken.

    Returns:
        The offset (right, down) from where the region is; None when no place has surroundings like its own.
    """
    area = rest.small_mask(cut)
    ring = grown(area, max(2.0, rest.pixels(RING) * rest.scale)) & ~area
    if not ring.any():
        return None
    costs = ring_costs(canvas.calm, ring, rest.spectra)
    room = inside_offsets(grown(area, 1)) & (area_means(area, rest.small_mask(rest.taken).astype(np.float32)) < 1e-3)
    seams = np.where(room & _level(costs, MOST_DOWN * area.shape[0]), np.sqrt(costs / 3), np.inf)
    # Better not over something detailed: that would be two changes in one.
    total = seams + 0.5 * area_means(area, rest.detail)
    if not np.isfinite(total).any():
        return None
    near = np.flatnonzero(total.ravel() <= CHOICES * float(total.min()) + 0.005)
    place = int(near[rng.integers(len(near))])
    offset = offset_at(place, total.shape)
    steps = (shifted(canvas.calm, offset) - rest.calm)[shifted_mask(ring, offset)]
    alike = (
        seams.flat[place] <= MOST_SEAM
        and np.abs(steps.mean(axis=0)).max() <= MOST_SHIFT
        and np.percentile(np.abs(steps).max(axis=1), 98) <= 3 * MOST_SEAM
    )
    return rest.at_full_size(offset) if alike else None


def _level(costs: Costs, most: float) -> Mask:
    """Which offsets go up or down by at most so many pixels."""
    rows = np.arange(costs.shape[0])
    level: Mask = np.minimum(rows, costs.shape[0] - rows) <= most
    return np.broadcast_to(level[:, None], costs.shape)

"""How possible an edited photo looks: whether a whole thing was edited, stands on one ground, and leaves no seam.

Each is a score from 0 to 1, measured on the pixels, however the edit was made; the least of them decides. The limits were set by
eye on real photographs, and the result was counted on others (``docs/guide.md``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from vision_zero.data.image_pair import Facts
from vision_zero.domains.photos.paints import DULL, SKIN
from vision_zero.domains.photos.pixels import Mask, Pixels, Weights, detail_of, grown, lightness, local_mean, scaled, window_of
from vision_zero.domains.photos.regions import gradients

STEP = 10.0
"""A difference across an outline that a person sees as the border of a thing, in CIE Lab units."""
WHOLE = (0.7, 0.95)
"""Share of a thing's outline that is such a border: with less it is surely a part of something, from then on surely a thing."""
STANDS_OUT = (0.5, 1.5)
"""How much a thing differs from its ground, as a multiple of how much the ground differs from itself."""
CALM = 6.0
"""A ground that differs from itself by less than this (CIE Lab) is an even one."""
OTHER = 15.0
"""What differs by more than this from most of a ground (CIE Lab), and by a third as much as the thing, is not of it."""
ONE_GROUND = (0.75, 0.93)
"""Share of a thing's surroundings that are of one ground."""
ROOM = (0.86, 0.97)
"""Share of the surroundings without edges: with less something touches the thing or hides a part of it."""
EDGE = (2.5, 2.5)
"""An edge is a gradient of more than this (CIE Lab units a pixel), and so many times the median of the surroundings."""
SMALL = (0.09, 0.05)
"""Share of the image that a thing has: the larger one is too much to be missed."""
SEAM = (1.5, 1.15)
"""Mean gradient along the outline of an edit over that of its surroundings: there it shows, here it surely does not."""
TRACE = (0.03, 0.01)
"""Share of the pixels in and around it with more detail than is usual there: the rest of a thing, or its outline."""
REST = 0.012
"""So much gradient is a rest of something, at least."""
SMOOTH = (0.15, 0.4)
"""Detail of what fills a gap, over that of its surroundings: with less it is a smear."""
LIVELY = (3.0, 1.8)
"""The same, where there is too much of it: another thing came instead."""
FUZZY = (0.56, 0.34)
"""Share of the pixels with some of a paint that have a part of it only: then it fades into another colour."""
PART = (0.15, 0.85)
"""How much of it is a part."""
NEW_EDGES = (0.026, 0.014)
"""Share of the image in which a border appears on a surface that had none."""
NEW_EDGE = (1.4, 0.5)
"""It appears where the gradient is more than so many times what it was, and this (CIE Lab units a pixel)."""
SURFACE = 3.0
"""Gradient up to which it is a surface."""
SURFACE_BLUR = 2.0
"""Standard deviation in pixels at which these gradients are taken."""
MOST_SKIN = 55.0
"""Chroma (CIE Lab) that skin and fur have at most, in warm light."""
LEAST_GRADIENT = 0.006
"""Of surroundings without detail: what noise has."""

WEAK = {
    "whole": "it looks like a part of something",
    "ground": "it does not stand out from one ground",
    "room": "something touches it or is near",
    "size": "it is too large to be missed",
    "seam": "a seam would show",
    "fill": "the gap would be smeared",
}
"""What it means where a score is too low."""


@dataclass(frozen=True)
class Plausibility:
    """Scores from 0, impossible, to 1.

    Attributes:
        whole: what was edited ends where its outline is.
        ground: it stands out from what is around it, and that is of one kind.
        room: nothing touches it, hides a part of it, or frames it.
        size: it is small enough to be missed.
        seam: no border shows where something was put in.
        fill: what was put in has as much detail as its surroundings.
    """

    whole: float = 1.0
    ground: float = 1.0
    room: float = 1.0
    size: float = 1.0
    seam: float = 1.0
    fill: float = 1.0

    @property
    def score(self) -> float:
        return min(asdict(self).values())

    @property
    def weakest(self) -> str:
        """The first of the scores that decides."""
        return min(asdict(self).items(), key=lambda item: item[1])[0]

    def facts(self) -> Facts:
        """As JSON data."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def whole(lab: Pixels, mask: Mask) -> float:
    """How surely the region is a thing by itself."""
    inside, near, unit = _near(mask, lab)
    depth = _depth(inside)
    # The outermost pixels are mixed of both sides.
    own, own_share = local_mean(near, (depth > unit) & (depth <= 5 * unit), 2 * unit)
    other, other_share = local_mean(near, (depth < -unit) & (depth >= -5 * unit), 2 * unit)
    outline = (np.abs(depth) <= 1) & (own_share > 1e-3) & (other_share > 1e-3)
    if not outline.any():
        return 0.0
    steps = np.linalg.norm(own - other, axis=2)[outline]
    return _between(float((steps >= STEP).mean()), WHOLE)


def ground(lab: Pixels, mask: Mask) -> float:
    """How clearly the region stands on a ground of one kind."""
    inside, near, unit = _near(mask, lab)
    ring = grown(inside, 14 * unit) & ~grown(inside, 3 * unit)
    if not ring.any():
        return 0.0
    around = ndimage.gaussian_filter(near, (2 * unit, 2 * unit, 0))[ring]
    spread = float(np.linalg.norm(around.std(axis=0)))
    contrast = float(np.linalg.norm(near[inside].mean(axis=0) - around.mean(axis=0)))
    away = np.linalg.norm(around - np.median(around, axis=0), axis=1)
    one = float((away < max(OTHER, contrast / 3)).mean())
    return min(_between(contrast / max(spread, CALM), STANDS_OUT), _between(one, ONE_GROUND))


def room(lab: Pixels, mask: Mask) -> float:
    """How surely the region is alone: there are no edges around it."""
    inside, near, unit = _near(mask, lab)
    depth = _depth(inside)
    steps = gradients(near, max(1.0, unit))[(depth < -4 * unit) & (depth >= -13 * unit)] * unit
    if not len(steps):
        return 0.0
    most = max(EDGE[0], EDGE[1] * float(np.median(steps)))
    return _between(float((steps <= most).mean()), ROOM)


def small(mask: Mask) -> float:
    """How little of the image the region is."""
    return _between(float(mask.mean()), SMALL)


def on_skin(lab: Pixels, mask: Mask) -> bool:
    """Whether most of what is around the region has the colour of skin or fur: what lies there may be a part of a face."""
    inside, near, unit = _near(mask, lab)
    around = near[grown(inside, 10 * unit) & ~grown(inside, 3 * unit)]
    if not len(around):
        return False
    _, a, b = around.mean(axis=0)
    return bool(SKIN[0] <= np.arctan2(b, a) <= SKIN[1] and DULL < np.hypot(a, b) < MOST_SKIN)


def seamless(after: Pixels, area: Mask, is_thing: bool = False) -> tuple[float, float]:
    """How little the outline of what was put in shows, and whether it has the detail of its surroundings.

    Args:
        is_thing: a thing was put in, with its own outline; else a part of the ground.
    """
    inside, near, unit = _near(area, after)
    detail, depth = detail_of(ndimage.gaussian_filter(lightness(near), 0.7)), _depth(inside)
    around, deep = detail[(depth < -3 * unit) & (depth >= -12 * unit)], detail[depth > 3 * unit]
    if not len(around):
        return 0.0, 0.0
    usual = max(float(around.mean()), LEAST_GRADIENT)
    # Hardly inside: the border of a thing that was put in with its surroundings is no seam.
    seam = float(detail[(depth >= -2 * unit) & (depth <= 0.5 * unit)].mean())
    own = float(deep.mean()) if len(deep) else usual
    smear = 1.0 if usual <= LEAST_GRADIENT else _between(own / usual, SMOOTH)
    rest = 0.0 if is_thing else _trace(detail, depth, unit)
    shows = min(_between(seam / usual, SEAM), _between(rest, TRACE))
    return shows, min(smear, _between(own / usual, LIVELY))


def _trace(detail: Weights, depth: Weights, unit: float) -> float:
    """Share of the pixels in and around what was put in where more is left than its further surroundings have."""
    further = detail[(depth < -9 * unit) & (depth >= -19 * unit)]
    usual = float(np.percentile(further, 95)) if len(further) else 0.0
    return float((detail[depth >= -8 * unit] > max(REST, 1.3 * usual)).mean())


def distinct(weights: Weights, mixed: Mask) -> float:
    """How clearly an image's pixels have a paint or have it not.

    Args:
        weights: how much of it is in each pixel.
        mixed: pixels at its border, which count for nothing.
    """
    some = weights[~mixed & (weights > PART[0])]
    return _between(float((some < PART[1]).mean()), FUZZY) if len(some) else 0.0


def borderless(before: Pixels, after: Pixels) -> float:
    """How few borders appear on even surfaces where a part of an image was recoloured; both images in CIE Lab."""
    was, now = gradients(before, SURFACE_BLUR), gradients(after, SURFACE_BLUR)
    return _between(float(((was < SURFACE) & (now > NEW_EDGE[0] * was + NEW_EDGE[1])).mean()), NEW_EDGES)


def _between(value: float, limits: tuple[float, float]) -> float:
    """0 at the first limit, 1 at the second, clipped; the limits may fall."""
    return float(np.clip((value - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0))


def _near(mask: Mask, image: Pixels) -> tuple[Mask, Pixels, float]:
    """The mask and the image around it, and the length there of a pixel of a 320x240 image, at least 1."""
    window = window_of(mask, round(scaled(20.0, image)))
    return mask[window], image[window], scaled(1.0, image, least=1.0)


def _depth(mask: Mask) -> Weights:
    depth: Weights = (ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)).astype(np.float32)
    return depth

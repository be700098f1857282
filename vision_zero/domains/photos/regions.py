"""Regions of a photo that a person might point at: found by grouping, ranked by how much they look like things.

Grouping is selective search (Uijlings et al., 2013) on one segmentation (Felzenszwalb and Huttenlocher, 2004): neighbours are
merged, the most alike first, and every group that ever existed is a candidate. It is done on a small copy of the image: a
region is a place to edit, its border is found again at full size (:mod:`vision_zero.domains.photos.pixels`).

And things that stand alone: what an even ground surrounds on all sides, with room between. An even ground is a connected part of
an image without edges that reaches the image's border. What fills a hole of it, with its shadow, can be taken away or shown
elsewhere on it: nothing hides it, nothing hangs on it, and it is part of nothing larger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb

from vision_zero.data.images import Box, box_of
from vision_zero.domains.photos.pixels import Mask, Pixels, Weights, grown, shrunk

MOST_REGIONS = 12
MOST_BORDER = 0.15
"""Largest share of a region's outline that may be the image's border: what runs out of the image is background."""
MIN_COMPACTNESS = 0.2
"""4 pi area / outline², counted along pixel edges: a disc has 0.62, a square 0.79, a long thin stripe almost nothing."""
MIN_SOLIDITY = 0.7
"""Least share of its convex hull that a region fills."""
THING_SOLIDITY = 0.84
"""The same for a region that is shown elsewhere: odd forms tell that they were cut out."""
CLEAR_STEP = 5.0
"""A difference between neighbouring pixels that a person sees as an edge, in CIE Lab units."""
MIN_CLEAR = 0.75
"""Least share of a region's outline that is such an edge: else its border is a guess."""
MIN_EDGE = 8.0
"""Least mean difference across a region's outline, in CIE Lab units."""
MIN_RANK = 0.35
"""Regions that score less than this share of the image's best are left out."""
MOST_OVERLAP = 0.5
"""Largest overlap (intersection over union) of two regions."""
SPUR = 2.0
"""What is thinner than twice this is cut off; pixels of the small copy."""
_SEGMENT_AREA = 0.002
"""Least area of a segment as a share of the image."""

Numbers = NDArray[np.float64]
EVEN = ((1.0, 1.0), (1.0, 2.0), (2.0, 0.6), (2.0, 1.2), (2.0, 2.4))
"""Blurs (standard deviations in pixels), and the gradient (CIE Lab units a pixel) below which a ground so blurred counts as even:
it may have a texture."""
ROOM = 3.0
"""Pixels of even ground that are around a thing, at least."""
LEAST_GROUND = 0.08
"""Share of the image that a ground covers, at least."""
LEAST_BORDER = 0.05
"""Share of the image's border that a ground reaches, at least: else it may itself be a thing."""


@dataclass(frozen=True)
class Region:
    """A part of an image.

    Attributes:
        mask: (height, width), True inside; one piece without holes.
        box: around the mask.
        score: how much it looks like a thing; comparable within one image.
        is_inside: it ends well inside the image.
        is_thing: so it does, and it has a simple form, so that it may be shown elsewhere.
        is_alone: an even ground surrounds it with room between, so that it is a whole thing wherever its outline is.
    """

    mask: Mask
    box: Box
    score: float
    is_inside: bool
    is_thing: bool
    is_alone: bool = False


@dataclass(frozen=True)
class _Segments:
    """A segmentation, and what is known of its n segments."""

    labels: NDArray[np.intp]
    areas: Numbers
    """(n,) pixels."""
    at_border: Numbers
    """(n,) pixels at the image's border."""
    colors: Numbers
    """(n, 3) mean CIE Lab colours."""
    shared: Numbers
    """(n, n) pixel edges that two segments share."""
    across: Numbers
    """(n, n) summed difference across the shared edges."""
    clear: Numbers
    """(n, n) those of the shared edges that a person sees."""


def find_regions(small: Pixels, medium: Pixels, size: tuple[int, int], min_area: float, max_area: float) -> list[Region]:
    """The best regions of between ``min_area`` and ``max_area`` of the image, best first, none much like another.

    An image without things (one colour, fog) has none.

    Args:
        small: a copy of the image, of about 160x120 pixels.
        medium: another, of about 320x240 pixels.
        size: (width, height) of the image, and of the regions' masks.
        min_area: the least share of the image.
        max_area: the largest share of the image.
    """
    segments = _segments(small)
    found: list[tuple[float, Mask, float]] = []
    for members, score in _ranked(segments, min_area, max_area):
        if found and score < MIN_RANK * found[0][0]:
            break
        mask = _smooth(members[segments.labels])
        if not min_area <= mask.mean() <= max_area or any(_overlap(mask, other) > MOST_OVERLAP for _, other, _ in found):
            continue
        solidity = _solidity(mask)
        if solidity < MIN_SOLIDITY:
            continue
        found.append((score, mask, solidity))
        if len(found) == MOST_REGIONS:
            break
    regions = [_at_full_size(mask, score, size, solidity >= THING_SOLIDITY) for score, mask, solidity in found]
    best = max((score for score, _, _ in found), default=1.0)
    return _with_things_alone(regions, [*alone(medium, min_area, max_area)], best, size)


def _with_things_alone(regions: list[Region], masks: list[Mask], score: float, size: tuple[int, int]) -> list[Region]:
    """The regions and the things that stand alone, which count as much as the best of them and take the place of their likes."""
    things: list[tuple[Mask, float]] = []
    for mask in masks:
        thing = _smooth(mask)
        if not thing.any() or any(_overlap(thing, other) > MOST_OVERLAP for other, _ in things):
            continue
        solidity = _solidity(thing)
        if solidity >= MIN_SOLIDITY:
            things.append((thing, solidity))
    first = [replace(_at_full_size(mask, score, size, solidity >= MIN_SOLIDITY), is_alone=True) for mask, solidity in things]
    return first + [region for region in regions if all(_overlap(region.mask, thing.mask) <= MOST_OVERLAP for thing in first)]


def _segments(small: Pixels) -> _Segments:
    lab = rgb2lab(small)
    least = max(4, round(small.shape[0] * small.shape[1] * _SEGMENT_AREA))
    labels = felzenszwalb(small, scale=60, sigma=0.7, min_size=least).astype(np.intp)
    count = int(labels.max()) + 1
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=count).astype(np.float64)
    colors = np.stack([np.bincount(flat, lab[..., channel].ravel(), count) / areas for channel in range(3)], axis=1)
    codes, steps = [], []
    for one, other, step in (
        (labels[:, :-1], labels[:, 1:], lab[:, :-1] - lab[:, 1:]),
        (labels[:-1], labels[1:], lab[:-1] - lab[1:]),
    ):
        meets = one != other
        codes.append(one[meets] * count + other[meets])
        steps.append(np.linalg.norm(step[meets], axis=1))
    code, step = np.concatenate(codes), np.concatenate(steps)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    shared, across, clear = (
        np.bincount(code, weights, count * count).reshape(count, count).astype(np.float64)
        for weights in (np.ones_like(step), step, (step >= CLEAR_STEP).astype(np.float64))
    )
    return _Segments(
        labels,
        areas,
        np.bincount(border, minlength=count).astype(np.float64),
        colors,
        shared + shared.T,
        across + across.T,
        clear + clear.T,
    )


def _groups(segments: _Segments) -> Numbers:
    """(groups, n): 1 where a group has a segment. Merged like Ward's clusters, but only neighbours, and late over edges."""
    count = len(segments.areas)
    members = np.eye(count)
    groups = [*members]
    areas, colors = segments.areas.copy(), segments.colors.copy()
    shared, across = segments.shared.copy(), segments.across.copy()
    costs = np.full((count, count), np.inf)
    for place in range(count):
        costs[place] = _costs(place, areas, colors, shared, across)
    for _ in range(count - 1):
        one, other = divmod(int(costs.argmin()), count)
        if not np.isfinite(costs[one, other]):
            break
        members[one] += members[other]
        groups.append(members[one].copy())
        total = areas[one] + areas[other]
        colors[one] = (colors[one] * areas[one] + colors[other] * areas[other]) / total
        areas[one] = total
        for matrix in (shared, across):
            matrix[one] += matrix[other]
            matrix[one, [one, other]] = 0.0
            matrix[:, one] = matrix[one]
            matrix[other] = matrix[:, other] = 0.0
        costs[other] = costs[:, other] = np.inf
        costs[one] = costs[:, one] = _costs(one, areas, colors, shared, across)
    return np.stack(groups)


def _costs(place: int, areas: Numbers, colors: Numbers, shared: Numbers, across: Numbers) -> Numbers:
    """(n,) what it costs to merge one group with each other; infinite where they do not touch."""
    touches = shared[place] > 0
    distance = np.linalg.norm(colors - colors[place], axis=1)
    step = np.divide(across[place], shared[place], out=np.zeros(len(areas)), where=touches)
    return np.where(touches, (distance + step) ** 2 * areas * areas[place] / (areas + areas[place]), np.inf)


def _ranked(segments: _Segments, min_area: float, max_area: float) -> list[tuple[NDArray[np.bool_], float]]:
    inside = _groups(segments)
    outside = 1.0 - inside
    outline, across, clear = (
        ((inside @ matrix) * outside).sum(axis=1) for matrix in (segments.shared, segments.across, segments.clear)
    )
    area, border = inside @ segments.areas, inside @ segments.at_border
    length = np.maximum(outline, 1.0)
    edge = across / length
    compactness = 4 * np.pi * area / (length + border) ** 2
    share = area / segments.areas.sum()
    score = edge * np.sqrt(compactness) * clear / length
    fits = (
        (share >= min_area)
        & (share <= max_area)
        & (border <= MOST_BORDER * (outline + border))
        & (compactness >= MIN_COMPACTNESS)
        & (edge >= MIN_EDGE)
        & (clear >= MIN_CLEAR * outline)
    )
    order = [int(place) for place in np.argsort(-score, kind="stable") if fits[place]]
    return [(inside[place] > 0, float(score[place])) for place in order]


def _smooth(mask: Mask) -> Mask:
    """Without holes and spurs, in one piece."""
    opened = grown(shrunk(ndimage.binary_fill_holes(mask), SPUR), SPUR)
    pieces, count = ndimage.label(opened)
    if count < 2:
        return opened
    largest: Mask = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return largest


def _solidity(mask: Mask) -> float:
    # The corners of the pixels, so that a single row of pixels has an area too.
    corners = np.argwhere(mask ^ ndimage.binary_erosion(mask))
    corners = np.concatenate([corners + np.array(step) for step in ((0, 0), (0, 1), (1, 0), (1, 1))])
    return float(mask.sum() / ConvexHull(corners).volume)


def _overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def _at_full_size(mask: Mask, score: float, size: tuple[int, int], is_simple: bool) -> Region:
    soft = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    large = np.asarray(soft) > 127
    box = box_of(large)
    margin = 0.02 * min(size)
    is_inside = box[0] >= margin and box[1] >= margin and box[2] <= size[0] - margin and box[3] <= size[1] - margin
    return Region(large, box, score, is_inside, is_simple and is_inside)


def gradients(lab: Pixels, blur: float) -> Weights:
    """How much an image in CIE Lab changes from pixel to pixel."""
    squares = sum(ndimage.gaussian_gradient_magnitude(lab[..., channel], blur) ** 2 for channel in range(3))
    steps: Weights = np.sqrt(squares)
    return steps


def alone(small: Pixels, min_area: float, max_area: float) -> Iterator[Mask]:
    """The things of between those shares of the image that stand alone on a ground. One may come several times, a little larger
    or smaller.

    Args:
        small: a copy of the image of about 320x240 pixels or fewer.
    """
    lab = rgb2lab(small).astype(np.float32)
    height, width = lab.shape[:2]
    for blur, most in EVEN:
        labels, _ = ndimage.label(ndimage.distance_transform_edt(gradients(lab, blur) < most) > ROOM)
        areas = np.bincount(labels.ravel())
        edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        reached = np.bincount(edge, minlength=len(areas))
        for ground in range(1, len(areas)):
            if areas[ground] >= LEAST_GROUND * labels.size and reached[ground] >= LEAST_BORDER * 2 * (height + width):
                yield from _holes(labels == ground, min_area, max_area)


def _holes(ground: Mask, min_area: float, max_area: float) -> Iterator[Mask]:
    pieces, _ = ndimage.label(ndimage.binary_fill_holes(ground) & ~ground)
    for place, window in enumerate(ndimage.find_objects(pieces), 1):
        # The ground ends that far before the thing.
        hole = np.pad(pieces[window] == place, 1)
        core = ndimage.distance_transform_edt(hole)[1:-1, 1:-1] > ROOM
        if min_area <= core.sum() / ground.size <= max_area:
            mask = np.zeros_like(ground)
            mask[window] = core
            yield mask

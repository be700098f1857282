"""Things that stand alone: what an even ground surrounds on all sides, with room between.

An even ground is a connected part of a picture without edges that reaches the picture's border. What fills a hole of it, with its
shadow, can be taken away or shown elsewhere on it: nothing hides it, nothing hangs on it, and it is part of nothing larger.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

from vision_zero.domains.photos.pixels import Mask, Picture, Weights

EVEN = ((1.0, 1.0), (1.0, 2.0), (2.0, 0.6), (2.0, 1.2), (2.0, 2.4))
"""Blurs (standard deviations in pixels), and the gradient (CIE Lab units a pixel) below which a ground so blurred counts as even:
it may have a texture."""
ROOM = 3.0
"""Pixels of even ground that are around a thing, at least."""
LEAST_GROUND = 0.08
"""Share of the picture that a ground covers, at least."""
LEAST_BORDER = 0.05
"""Share of the picture's border that a ground reaches, at least: else it may itself be a thing."""


def gradients(lab: Picture, blur: float) -> Weights:
    """How much a picture in CIE Lab changes from pixel to pixel."""
    squares = sum(ndimage.gaussian_gradient_magnitude(lab[..., channel], blur) ** 2 for channel in range(3))
    steps: Weights = np.sqrt(squares)
    return steps


def alone(small: Picture, min_area: float, max_area: float) -> Iterator[Mask]:
    """The things of between those shares of the picture that stand alone on a ground. One may come several times, a little larger
    or smaller.

    Args:
        small: a copy of the picture of about 320x240 pixels or fewer.
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

"""Seamless cloning: pasted pixels are corrected so that they meet the picture at the border of the pasted area.

Poisson image editing (Perez, Gangnet and Blake, 2003) in its membrane form: clone + h, where h equals the difference between
picture and clone around the area and satisfies Laplace's equation inside. h is smooth, so a pyramid finds it in milliseconds:
solved on a coarse grid first, and a few relaxations at every finer one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vision_zero.data.images import box_of
from vision_zero.domains.photos.pixels import Mask, Picture, grown

RELAXATIONS = 12
_RING = 2
_COARSEST = 4

Values = NDArray[np.float32]


def cloned(picture: Picture, clone: Picture, area: Mask) -> Picture:
    """The picture with the clone in ``area``, corrected so that no border shows. Outside the area nothing changes.

    Where the area touches the picture's border the clone is free.
    """
    left, top, right, bottom = box_of(grown(area, _RING))
    inside = area[top:bottom, left:right]
    target, source = picture[top:bottom, left:right], clone[top:bottom, left:right]
    ring = grown(inside, _RING) & ~inside
    mixed = picture.copy()
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

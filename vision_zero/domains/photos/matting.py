"""Soft borders: a mask becomes weights that follow the picture's own edges.

The guided filter (He, Sun and Tang, 2010) with the picture's lightness as the guide: near a strong edge the weights switch at the
edge, even where the mask is a pixel or two off; elsewhere they fade.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vision_zero.domains.photos.pixels import Mask, Picture, Weights, scaled, window_of

RADIUS = 4.0
"""Pixels, at 320x240, within which the border is sought."""
SMOOTHNESS = 1e-3
"""Variance of the lightness below which an area counts as flat: there the weights fade, above it they follow the edge."""
_LIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_LEAST = 0.02


def matte(picture: Picture, mask: Mask, within: float = RADIUS) -> Weights:
    """(height, width): 1 inside the mask, 0 outside it, and
    up to ``within`` pixels (at 320x240) from its outline what the picture's edges say."""
    radius = round(scaled(within, picture))
    rows, columns = window_of(mask, 3 * radius)
    guide = lightness(picture[rows, columns])
    inside = mask[rows, columns]
    target = inside.astype(np.float32)
    mean_guide, mean_target = _mean(guide, radius), _mean(target, radius)
    slope = (_mean(guide * target, radius) - mean_guide * mean_target) / (
        _mean(guide * guide, radius) - mean_guide**2 + np.float32(SMOOTHNESS)
    )
    offset = mean_target - slope * mean_guide
    soft = _mean(slope, radius) * guide + _mean(offset, radius)
    depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    # The filter may only move the border by a few pixels: deep inside and far outside the mask decides.
    low, high = np.clip(depth / radius, 0, 1), np.clip(1 + depth / radius, 0, 1)
    weights = np.clip(np.clip(soft * 1.2 - 0.1, low, high), 0, 1)
    full = np.zeros(mask.shape, dtype=np.float32)
    full[rows, columns] = np.where(weights < _LEAST, 0, weights)
    return full


def feathered(mask: Mask, pixels: float) -> Weights:
    """1 deeper than ``pixels`` inside the mask, fading to 0 at its outline, 0 outside."""
    depth = ndimage.distance_transform_edt(mask)
    weights: Weights = np.clip(depth / max(pixels, 1e-6), 0, 1).astype(np.float32)
    return weights


def lightness(picture: Picture) -> Weights:
    """(height, width): grey values, weighted like ITU-R 601."""
    light: Weights = picture @ _LIGHTNESS
    return light


def _mean(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = ndimage.uniform_filter(values, 2 * radius + 1, mode="nearest")
    return mean

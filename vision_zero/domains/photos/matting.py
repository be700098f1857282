"""Soft borders, and the lightness of pixels."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from vision_zero.domains.photos.pixels import Mask, Picture, Weights

_LIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def feathered(mask: Mask, pixels: float) -> Weights:
    """1 deeper than ``pixels`` inside the mask, fading to 0 at its outline, 0 outside."""
    depth = ndimage.distance_transform_edt(mask)
    weights: Weights = np.clip(depth / max(pixels, 1e-6), 0, 1).astype(np.float32)
    return weights


def lightness(picture: Picture) -> Weights:
    """(height, width): grey values, weighted like ITU-R 601."""
    light: Weights = picture @ _LIGHTNESS
    return light

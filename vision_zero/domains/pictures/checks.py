"""Measurements of single pictures. Nothing was edited, so each is held against the empty one alone, which all have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import changed_mask, empty_picture


def measure(pair: ImagePair, threshold: int) -> dict[str, Any]:
    """The share of the picture that is not empty, and how far its pixels lie apart."""
    shown = changed_mask(pair.original, empty_picture(pair.original.size), threshold)
    return {"changed_area": float(shown.mean()), "colour_range": _colour_range(pair.original)}


def _colour_range(image: Image.Image) -> int:
    """How far the pixels of a picture lie apart, in the channel in which they do so most: 0 for a plain one."""
    pixels = np.asarray(image).reshape(-1, 3)
    return int((pixels.max(axis=0) - pixels.min(axis=0)).max())

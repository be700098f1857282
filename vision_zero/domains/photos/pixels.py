"""Arrays of images and masks, and the few operations on them that every edit needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from vision_zero.data.images import box_of

Pixels = NDArray[np.float32]
"""(height, width, 3), sRGB values from 0 to 1."""
Mask = NDArray[np.bool_]
"""(height, width)."""
Weights = NDArray[np.float32]
"""(height, width), from 0 to 1."""
SHORTEST = 2.5
"""Pixels: no border or margin is shorter, however small the image, for what is blurred between two pixels stays so."""
_LIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def scaled(at_320: float, image: Pixels, least: float = SHORTEST) -> float:
    """A length in pixels that is given for an image of 320x240, for this one."""
    height, width = image.shape[:2]
    return max(least, at_320 * float(np.sqrt(height * width / (320 * 240))))


def to_pixels(image: Image.Image) -> Pixels:
    """The pixels of an image."""
    return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255)


def to_image(image: Pixels) -> Image.Image:
    """The image of pixels, rounded to 8 bits; of unchanged pixels it is the same image."""
    return Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))


def resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    """The image at another size (width, height), averaging where it gets smaller."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return to_pixels(to_image(image).resize(size, Image.Resampling.LANCZOS))


def window_of(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the mask's box and so many pixels around it."""
    left, top, right, bottom = box_of(mask)
    return slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)


def grown(mask: Mask, pixels: float) -> Mask:
    """The mask and everything within that distance of it."""
    if pixels <= 0 or not mask.any():
        return mask
    return ndimage.distance_transform_edt(~mask) <= pixels


def shrunk(mask: Mask, pixels: float) -> Mask:
    """The part of the mask that is further than that from what lies outside; the image's border counts as inside."""
    if pixels <= 0 or mask.all():
        return mask
    return ndimage.distance_transform_edt(mask) > pixels


def shifted(image: Pixels, offset: tuple[int, int]) -> Pixels:
    """The image moved by (right, down) pixels; what leaves is lost, what enters repeats the border."""
    right, down = offset
    return ndimage.shift(image, (down, right, 0), order=0, mode="nearest")


def shifted_mask(mask: Mask, offset: tuple[int, int]) -> Mask:
    """The mask moved by (right, down) pixels; nothing enters."""
    right, down = offset
    return ndimage.shift(mask, (down, right), order=0)


def lightness(image: Pixels) -> Weights:
    """(height, width): grey values, weighted like ITU-R 601."""
    light: Weights = image @ _LIGHTNESS
    return light


def detail_of(light: Weights) -> Weights:
    """(height, width): gradients of a lightness."""
    detail: Weights = np.hypot(ndimage.sobel(light, 0), ndimage.sobel(light, 1)) / np.float32(8)
    return detail


def local_mean(values: Pixels, where: Mask, sigma: float) -> tuple[Pixels, Weights]:
    """The mean around each pixel of the values at ``where``, and the share of such pixels around it."""
    share = ndimage.gaussian_filter(where.astype(np.float32), sigma)
    return ndimage.gaussian_filter(values * where[..., None], (sigma, sigma, 0)) / np.maximum(share, 1e-4)[..., None], share

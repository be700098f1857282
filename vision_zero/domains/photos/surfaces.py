"""Changing the surface of a region while its form stays: another colour, another texture, or no detail."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from vision_zero.domains.photos.matting import RADIUS, matte
from vision_zero.domains.photos.pixels import Mask, Picture, Weights, scaled, window_of

COLORFUL = 15.0
"""Mean chroma from which a region's own hues are turned; below it, the region is tinted."""
MARGIN = 3 * RADIUS
RELIEF = 1.2
"""How strongly a texture shows, relative to its own picture."""
FLATTEST = (0.3, 1.6)
"""Range of a texture's shades, as multiples of the region's: beyond it dark is black and light is white."""


def recolored(picture: Picture, mask: Mask, hue: float, chroma: float, shift: float = 0.0) -> Picture:
    """The region in another hue, with its own light and shade.

    Args:
        hue: of the region's mean colour afterwards; radians in CIE Lab's plane of a and b.
        chroma: the least that the mean colour then has.
        shift: how much it becomes lighter (CIE L*) where it is dark, or darker where it is light.
    """
    rows, columns = _window(picture, mask)
    part = picture[rows, columns]
    lab = rgb2lab(part)
    mean = lab[mask[rows, columns]].mean(axis=0)
    own = float(np.hypot(mean[1], mean[2]))
    if own >= COLORFUL:
        turn, factor = hue - float(np.arctan2(mean[2], mean[1])), max(1.0, chroma / own)
        a = (lab[..., 1] * np.cos(turn) - lab[..., 2] * np.sin(turn)) * factor
        b = (lab[..., 1] * np.sin(turn) + lab[..., 2] * np.cos(turn)) * factor
        light = lab[..., 0]
    else:
        a = lab[..., 1] - mean[1] + chroma * np.cos(hue)
        b = lab[..., 2] - mean[2] + chroma * np.sin(hue)
        # Black and white take no colour.
        light = np.clip(lab[..., 0], 30, 80)
    light = light + (shift if mean[0] < 50 else -shift)
    return _laid_over(picture, mask, _rgb(np.stack([np.clip(light, 0, 100), a, b], axis=-1)))


def relit(picture: Picture, mask: Mask, light: float) -> Picture:
    """The region lighter or darker: its mean lightness (CIE L*, 0 to 100) becomes ``light``."""
    rows, columns = _window(picture, mask)
    lab = rgb2lab(picture[rows, columns])
    mean = float(lab[mask[rows, columns]].mean(axis=0)[0])
    # Towards black and white there is less room for its contrasts.
    contrast = min(1.0, min(light, 100 - light) / max(min(mean, 100 - mean), 1.0) + 0.3)
    lab[..., 0] = np.clip(light + (lab[..., 0] - mean) * contrast, 0, 100)
    return _laid_over(picture, mask, _rgb(lab))


def retextured(picture: Picture, mask: Mask, texture: Callable[[tuple[int, int]], Weights]) -> Picture:
    """The region with the relief of a texture in its own colours, light and shade.

    Args:
        texture: gives a texture of a size (width, height).
    """
    rows, columns = _window(picture, mask)
    part, soft = picture[rows, columns], mask[rows, columns].astype(np.float32)
    sigma = 0.2 * float(np.sqrt(mask.sum()))
    share = np.maximum(ndimage.gaussian_filter(soft, sigma), 1e-3)[..., None]
    shade = np.clip(ndimage.gaussian_filter(part * soft[..., None], (sigma, sigma, 0)) / share, 0.15, 0.75)
    relief = texture((part.shape[1], part.shape[0]))
    relief = np.clip(1 + RELIEF * (relief / relief.mean() - 1), *FLATTEST)
    return _laid_over(picture, mask, np.clip(shade * relief[..., None], 0, 1).astype(np.float32))


def blurred(picture: Picture, mask: Mask, sigma: float) -> Picture:
    """The region out of focus; its surroundings do not bleed into it."""
    rows, columns = _window(picture, mask)
    part = picture[rows, columns]
    soft = matte(picture, mask)[rows, columns][..., None]
    share = np.maximum(ndimage.gaussian_filter(soft, (sigma, sigma, 0)), 1e-3)
    return _laid_over(picture, mask, ndimage.gaussian_filter(part * soft, (sigma, sigma, 0)) / share)


def _window(picture: Picture, mask: Mask) -> tuple[slice, slice]:
    """Around the mask and the soft border that it gets."""
    return window_of(mask, round(scaled(MARGIN, picture)))


def _laid_over(picture: Picture, mask: Mask, surface: Picture) -> Picture:
    rows, columns = _window(picture, mask)
    weights = matte(picture, mask)[rows, columns][..., None]
    result = picture.copy()
    result[rows, columns] = picture[rows, columns] * (1 - weights) + surface * weights
    return result


def _rgb(lab: Picture) -> Picture:
    with warnings.catch_warnings():
        # Colours that no screen shows are clipped, which is what is wanted.
        warnings.filterwarnings("ignore", message=".*negative Z values.*")
        rgb: Picture = lab2rgb(lab).astype(np.float32)
    return rgb

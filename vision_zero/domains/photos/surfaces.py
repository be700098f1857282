"""Changing the colour of a surface while its form, light and shade stay.

What is recoloured is the paint, not the region: every pixel of the region's own hue, also beyond the region's outline, and none
of another hue inside it. Lettering, windows, highlights and hands stay as they are, as they would on a thing of that colour.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from vision_zero.domains.photos.pixels import Mask, Picture, Weights, grown, scaled

COLORFUL = (8.0, 16.0)
"""Chroma (CIE Lab) from which a pixel begins to have a hue, and from which it surely has one."""
ALIKE = (np.radians(22.0), np.radians(40.0))
"""Hues that differ by less are surely one paint; by more, surely two."""
GAP = 3.0
"""Pieces of one paint that are at most twice so far apart (pixels at 320x240) belong together: letters and bars lie between."""
SKIN = (np.radians(25.0), np.radians(85.0), 55.0)
"""Hues, up to a chroma, of skin, fur, wood, brick and soil."""
LEAVES = (np.radians(95.0), np.radians(150.0))
"""Hues of leaves and grass."""
DULL = 8.0
"""Chroma up to which a colour is a grey, whatever its hue."""
BORDER = 3.0
"""Pixels next to a paint that may be mixed with it."""


@dataclass(frozen=True)
class Paint:
    """The coloured surface around a region.

    Attributes:
        weights: (height, width), how much of that paint is in each pixel.
        mask: (height, width), what is of it and nothing else.
        hue: its mean, radians in CIE Lab's plane of a and b.
        chroma, light: its means, in CIE Lab units.
    """

    weights: Weights
    mask: Mask
    hue: float
    chroma: float
    light: float


def paint_of(lab: Picture, mask: Mask) -> Paint | None:
    """The paint that most of the region has, with all connected pixels of it; None where the region has no one colour.

    Args:
        lab: the picture in CIE Lab.
    """
    chroma, angle = np.hypot(lab[..., 1], lab[..., 2]), np.arctan2(lab[..., 2], lab[..., 1])
    _, a, b = lab[mask].mean(axis=0)
    hue = float(np.arctan2(b, a))
    away = np.abs(np.angle(np.exp(1j * (angle - hue))))
    member = np.clip((ALIKE[1] - away) / (ALIKE[1] - ALIKE[0]), 0, 1)
    member *= np.clip((chroma - COLORFUL[0]) / (COLORFUL[1] - COLORFUL[0]), 0, 1)
    low, high, most = SKIN
    if not is_grown(hue, float(np.hypot(a, b))):
        # A face above a red shirt has nearly its hue.
        member *= ~((low <= angle) & (angle <= high) & (chroma < most))
    painted = member > 0.5
    if painted[mask].mean() < 0.6:
        return None
    pieces, _ = ndimage.label(grown(painted, scaled(GAP, lab, least=2.0)))
    own = np.bincount(pieces[mask & painted]).argmax()
    surface: Mask = painted & (pieces == own)
    values = lab[surface]
    mean = values.mean(axis=0)
    weights = np.where(surface, member, _share_at_border(lab[..., 1:], surface)).astype(np.float32)
    return Paint(weights, surface, hue, float(np.hypot(values[:, 1], values[:, 2]).mean()), float(mean[0]))


def _share_at_border(colors: Picture, surface: Mask) -> Weights:
    """(height, width): how much of the paint is in each pixel next to it, which is mixed of the paint and what lies behind.

    Both are taken from nearby; the pixel's place between them is its share.

    Args:
        colors: (height, width, 2), a and b of CIE Lab.
    """
    near = grown(surface, BORDER)
    paint, _ = _local_mean(colors, surface)
    behind, is_known = _local_mean(colors, ~near)
    way = paint - behind
    share = ((colors - behind) * way).sum(axis=2) / np.maximum((way * way).sum(axis=2), 1.0)
    return np.where(near & ~surface & (is_known > 1e-3), np.clip(share, 0, 1), 0).astype(np.float32)


def _local_mean(values: Picture, where: Mask) -> tuple[Picture, Weights]:
    share = ndimage.gaussian_filter(where.astype(np.float32), 2 * BORDER)
    sums = ndimage.gaussian_filter(values * where[..., None], (2 * BORDER, 2 * BORDER, 0))
    return sums / np.maximum(share, 1e-4)[..., None], share


def repainted(picture: Picture, paint: Paint, turn: float, shift: float) -> Picture:
    """The picture with the paint in another hue.

    Args:
        turn: by how much the hue turns, radians.
        shift: how much lighter (CIE L*) the paint becomes; below 0 darker.
    """
    lab = rgb2lab(picture).astype(np.float32)
    factor, weights = _within_gamut(paint, turn, shift), paint.weights[..., None]
    own = lab[..., 1:]
    # Of a mixed pixel only the paint's share turns, which has the colour of the paint beside it.
    turned = np.where(paint.mask[..., None], own, _local_mean(own, paint.mask)[0])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], dtype=np.float32) * factor
    colors = own + weights * (turned @ rotation - turned)
    light = np.clip(lab[..., :1] * (1 + weights * shift / max(paint.light, 1.0)), 0, 100)
    return np.where(weights > 0, _rgb(np.concatenate([light, colors], axis=-1)), picture)


def is_grown(hue: float, chroma: float) -> bool:
    """Whether a colour is one of skin, fur, wood, soil or leaves: what has it could hardly have another."""
    low, high, most = SKIN
    return (low <= hue <= high and DULL < chroma < most) or (LEAVES[0] <= hue <= LEAVES[1] and chroma > DULL)


def _within_gamut(paint: Paint, turn: float, shift: float) -> float:
    """The factor of the chroma at which the paint's mean colour, turned, can be shown."""
    hue, light = paint.hue + turn, paint.light + shift
    for factor in np.linspace(1.0, 0.3, 15):
        chroma = paint.chroma * factor
        lab = np.array([[[light, chroma * np.cos(hue), chroma * np.sin(hue)]]])
        if np.abs(rgb2lab(_rgb(lab)) - lab).max() < 2.0:
            return float(factor)
    return 0.3


def _rgb(lab: Picture) -> Picture:
    with warnings.catch_warnings():
        # Colours that no screen shows are clipped, which is what is wanted.
        warnings.filterwarnings("ignore", message=".*negative Z values.*")
        rgb: Picture = lab2rgb(lab).astype(np.float32)
    return rgb

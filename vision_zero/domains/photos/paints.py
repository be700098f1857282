"""The colours of a photo, and giving one of them another hue while form, light and shade stay.

A paint is all that has one hue, wherever it is: half a coat in another colour, or a red thing beside its red reflection, would
tell. How much of it a pixel holds falls smoothly with the distance of its hue, so no border appears where none was.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from vision_zero.domains.photos.pixels import Mask, Pixels, Weights, grown, local_mean

ALIKE = (np.radians(16.0), np.radians(40.0))
"""Hues that differ by less are of one paint; by more, of two."""
COLORFUL = (0.3, 0.6)
"""Shares of the paint's chroma from which a pixel begins to have its hue, and from which it surely has it."""
FAINT = (5.0, 18.0)
"""Chroma (CIE Lab) up to which no pixel has a hue, and from which all have one."""
LEAST_CHROMA = (18.0, 24.0)
"""Chroma that a paint of a cold hue, or of leaves, has at least, and one of a warm hue: what is duller fades into grey."""
WARM = (np.radians(0.0), np.radians(108.0))
"""Hues that are warm."""
LEAST_SHARE = 0.01
"""Share of the image that has a paint's hue, at least."""
SKIN = (np.radians(22.0), np.radians(88.0))
"""Hues of skin, fur, wood and soil."""
SKIN_CHROMA = (45.0, 58.0)
"""What has such a hue is surely of these up to the first chroma, and surely not from the second on."""
SOFT = np.radians(8.0)
"""Over so much of hue those end."""
DULL = 8.0
"""Chroma up to which a colour is a grey, whatever its hue."""
BORDER = 3.0
"""Pixels next to a paint that may be mixed with it."""
CONTRAST = 15.0
"""They are where the paint differs by more than this (CIE Lab's a and b) from what is behind it."""
_BINS = 72
TURNS = (
    (15, 48, ((28, 40), (-60, -38))),
    (48, 75, ((-40, -27), (24, 34))),
    (75, 107, ((-50, -30), (30, 48))),
    (107, 165, ((-52, -36),)),
    (165, 235, ((40, 60), (-50, -35))),
    (235, 300, ((-70, -48), (34, 50))),
    (300, 335, ((-48, -35), (35, 50))),
    (335, 375, ((-45, -32), (32, 45))),
)
"""From which angle to which (degrees in CIE Lab's plane of a and b), and the ranges of turns from there."""
LIGHTEST = (
    (0, 55),
    (40, 53),
    (65, 68),
    (85, 82),
    (103, 95),
    (136, 86),
    (165, 86),
    (196, 90),
    (250, 62),
    (285, 42),
    (306, 34),
    (328, 55),
    (360, 55),
)
"""The lightness (CIE L*) of the purest colour that a screen shows, by angle in degrees."""
LIGHT_SHARE = 0.45
"""By so much of the difference of these a paint becomes lighter or darker: a yellow as dark as a blue is brown."""
SHIFT = (7.0, 18.0)
"""Least and largest change of lightness. Two colours of one lightness are alike to the rule of similarity, measured in grey."""


@dataclass(frozen=True)
class Paint:
    """One of a photo's colours.

    Attributes:
        weights: (height, width), how much of the paint is in each pixel.
        mask: (height, width), what is of it and of nothing else.
        mixed: (height, width), pixels at its border, of which a share is of it.
        hue: its mean, radians in CIE Lab's plane of a and b.
        chroma, light: its means, in CIE Lab units.
    """

    weights: Weights
    mask: Mask
    mixed: Mask
    hue: float
    chroma: float
    light: float

    @property
    def score(self) -> float:
        """How much it catches the eye: larger and stronger ones do."""
        return self.chroma * float(np.sqrt(self.mask.mean()))


def paints_of(lab: Pixels) -> tuple[Paint, ...]:
    """The paints of an image in CIE Lab, but those of skin, wood and soil: few things of their colour could have another."""
    chroma, angle = np.hypot(lab[..., 1], lab[..., 2]), np.arctan2(lab[..., 2], lab[..., 1])
    free = 1 - _skin(angle, chroma)
    weights = np.clip(chroma - FAINT[0], 0, 40) * free
    places = (np.degrees(angle) % 360 / (360 / _BINS)).astype(int) % _BINS
    counts = ndimage.gaussian_filter1d(np.bincount(places.ravel(), weights.ravel(), _BINS), 1.5, mode="wrap")
    peaks = np.flatnonzero((counts > np.roll(counts, 1)) & (counts >= np.roll(counts, -1)))
    found = (_paint(lab, chroma, angle, free, np.radians((peak + 0.5) * 360 / _BINS)) for peak in peaks)
    return tuple(paint for paint in found if paint is not None)


def _paint(lab: Pixels, chroma: Weights, angle: Weights, free: Weights, peak: float) -> Paint | None:
    """The paint around a hue."""
    own = (_between(angle, peak) < ALIKE[0]) & (chroma > FAINT[0]) & (free > 0.5)
    if own.mean() < LEAST_SHARE:
        return None
    typical = float(np.percentile(chroma[own], 70))
    if typical < LEAST_CHROMA[int(WARM[0] <= peak <= WARM[1])]:
        return None
    least, sure = (float(np.clip(share * typical, *FAINT)) for share in COLORFUL)
    member = np.clip((ALIKE[1] - _between(angle, peak)) / (ALIKE[1] - ALIKE[0]), 0, 1)
    member *= np.clip((chroma - least) / max(sure - least, 1.0), 0, 1) * free
    surface: Mask = member > 0.5
    if surface.mean() < LEAST_SHARE:
        return None
    share, mixed = _share_at_border(lab[..., 1:], surface)
    values = lab[surface]
    mean = values.mean(axis=0)
    hue, strength = float(np.arctan2(mean[2], mean[1])), float(np.hypot(values[:, 1], values[:, 2]).mean())
    return Paint(np.where(mixed, share, member).astype(np.float32), surface, mixed, hue, strength, float(mean[0]))


def _between(angle: Weights, other: float) -> Weights:
    """How far hues are from another, radians from 0 to pi."""
    away: Weights = np.abs((angle - np.float32(other) + np.pi) % (2 * np.pi) - np.pi)
    return away


def _skin(angle: Weights, chroma: Weights) -> Weights:
    """How surely each pixel has the colour of skin, wood or soil."""
    low, high = SKIN
    is_hue = np.clip((angle - low) / SOFT + 1, 0, 1) * np.clip((high - angle) / SOFT + 1, 0, 1)
    weights: Weights = is_hue * np.clip((SKIN_CHROMA[1] - chroma) / (SKIN_CHROMA[1] - SKIN_CHROMA[0]), 0, 1)
    return weights


def _share_at_border(colors: Pixels, surface: Mask) -> tuple[Weights, Mask]:
    """(height, width) twice: how much of the paint is in each pixel next to it, and where that is known.

    Such a pixel is mixed of the paint and what lies behind. Both are taken from nearby; its place between them is its share.

    Args:
        colors: (height, width, 2), a and b of CIE Lab.
    """
    near = grown(surface, BORDER)
    paint, _ = local_mean(colors, surface, 2 * BORDER)
    behind, is_known = local_mean(colors, ~near, 2 * BORDER)
    way = paint - behind
    length = (way * way).sum(axis=2)
    share = ((colors - behind) * way).sum(axis=2) / np.maximum(length, 1.0)
    mixed: Mask = near & ~surface & (is_known > 1e-3) & (length > CONTRAST**2)
    return np.clip(share, 0, 1).astype(np.float32), mixed


def repainted(image: Pixels, lab: Pixels, paint: Paint, turn: float, shift: float) -> Pixels:
    """The image with the paint in another hue.

    Args:
        lab: the image in CIE Lab.
        turn: by how much the hue turns, radians.
        shift: how much lighter (CIE L*) the paint becomes; below 0 darker.
    """
    factor, weights = _within_gamut(paint, turn, shift), paint.weights[..., None]
    own = lab[..., 1:]
    # Of a mixed pixel only the paint's share turns, which has the colour of the paint beside it.
    turned = np.where(paint.mixed[..., None], local_mean(own, paint.mask, 2 * BORDER)[0], own)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], dtype=np.float32) * factor
    colors = own + weights * (turned @ rotation - turned)
    light = np.clip(lab[..., :1] * (1 + weights * shift / max(paint.light, 1.0)), 0, 100)
    return np.where(weights > 0, _rgb(np.concatenate([light, colors], axis=-1)), image)


def _within_gamut(paint: Paint, turn: float, shift: float) -> float:
    """The factor of the chroma at which the paint's mean colour, turned, can be shown."""
    hue, light = paint.hue + turn, paint.light + shift
    for factor in np.linspace(1.0, 0.3, 15):
        chroma = paint.chroma * factor
        lab = np.array([[[light, chroma * np.cos(hue), chroma * np.sin(hue)]]])
        if np.abs(rgb2lab(_rgb(lab)) - lab).max() < 2.0:
            return float(factor)
    return 0.3


def _rgb(lab: Pixels) -> Pixels:
    with warnings.catch_warnings():
        # Colours that no screen shows are clipped, which is what is wanted.
        warnings.filterwarnings("ignore", message=".*negative Z values.*")
        rgb: Pixels = lab2rgb(lab).astype(np.float32)
    return rgb


def turn_from(hue: float, rng: np.random.Generator) -> float:
    """By how much a hue turns; all in radians.

    Nobody knows what the paint is on, so it turns to a neighbouring hue that most things of its colour could have: a red car may
    be pink or orange, leaves may be yellow, and nothing warm becomes blue.
    """
    angle = (float(np.degrees(hue)) - 15) % 360 + 15
    ranges = next(ranges for low, high, ranges in TURNS if low <= angle <= high)
    low, high = ranges[int(rng.integers(len(ranges)))]
    return float(np.radians(rng.uniform(low, high)))


def shift_for(hue: float, turn: float, light: float) -> float:
    """How much lighter (CIE L*) a paint of that lightness becomes with the turn; below 0 darker."""
    step = LIGHT_SHARE * (_lightest(hue + turn) - _lightest(hue))
    if abs(step) < SHIFT[0]:
        return SHIFT[0] if light < 50 else -SHIFT[0]
    return float(np.clip(step, -SHIFT[1], SHIFT[1]))


def _lightest(hue: float) -> float:
    angles, values = zip(*LIGHTEST, strict=True)
    return float(np.interp(np.degrees(hue) % 360, angles, values))

"""Which hue a paint may get instead of its own.

Nobody knows what the paint is on, so it turns to a neighbouring hue that most things of its colour could have: a red car may be
pink or orange, leaves may be yellow, and nothing warm becomes blue.
"""

from __future__ import annotations

import numpy as np

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


def turn_from(hue: float, rng: np.random.Generator) -> float:
    """By how much a hue turns; all in radians."""
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

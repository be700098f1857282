"""Plain words for what an edit touched: colours, places, and the sentence that joins them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

from vision_zero.data.images import Box, box_of
from vision_zero.domains.photos.pixels import Mask, Pixels

GREY = 9.0
"""Chroma (CIE Lab) below which a colour is a grey."""
_GREYS = ((20, "blackish"), (42, "dark grey"), (66, "grey"), (86, "light grey"), (101, "whitish"))
"""Up to which lightness each is said."""
_HUES = (
    (15, "pinkish"),
    (48, "reddish"),
    (75, "orange"),
    (107, "yellowish"),
    (165, "greenish"),
    (235, "turquoise"),
    (300, "bluish"),
    (335, "purplish"),
    (361, "pinkish"),
)
"""Up to which angle (degrees in CIE Lab's plane of a and b) each is said."""
_BROWN = (48, 85)
ONE_PIECE = 0.7
"""Share of all that has a colour from which its largest piece is named instead."""
_COLUMNS, _ROWS = ("left", "", "right"), ("upper", "", "lower")


def color_word(color: tuple[float, float, float]) -> str:
    """The name of a CIE Lab colour."""
    light, a, b = color
    chroma, angle = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a))) % 360
    if chroma < GREY:
        return next(word for limit, word in _GREYS if light < limit)
    if _BROWN[0] <= angle < _BROWN[1] and (light < 50 or chroma < 30):
        return "brownish"
    word = next(word for limit, word in _HUES if angle < limit)
    if light < 30:
        return f"dark {word}"
    return f"light {word}" if light > 80 and chroma < 45 else word


def color_of(image: Pixels, mask: Mask) -> str:
    """The name of a region's mean colour."""
    light, a, b = (float(value) for value in rgb2lab(image[mask][None])[0].mean(axis=0))
    return color_word((min(max(light, 0.0), 100.0), a, b))


def place_of(box: Box, size: tuple[int, int]) -> str:
    """Where a box lies in an image of that size (width, height): "at the upper left", "in the middle"."""
    column = _COLUMNS[min(2, int(1.5 * (box[0] + box[2]) / size[0]))]
    row = _ROWS[min(2, int(1.5 * (box[1] + box[3]) / size[1]))]
    if not column and not row:
        return "in the middle"
    if not column:
        return "at the top" if row == "upper" else "at the bottom"
    return f"at the {row} {column}".replace("  ", " ")


def direction_of(offset: tuple[int, int]) -> str:
    """Where an offset (right, down) mostly leads: "to the left"."""
    right, down = offset
    if abs(right) >= abs(down):
        return "to the right" if right > 0 else "to the left"
    return "down" if down > 0 else "up"


def region_name(image: Pixels, mask: Mask) -> str:
    """A region as a person would point at it: "the reddish region at the upper left"."""
    return f"the {color_of(image, mask)} region {place_of(box_of(mask), (mask.shape[1], mask.shape[0]))}"


def regions_name(image: Pixels, mask: Mask) -> str:
    """All that has a colour: a region, where most of it is in one piece, or "the reddish regions at the upper left"."""
    pieces, _ = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    largest = pieces == sizes.argmax()
    if largest.sum() >= ONE_PIECE * mask.sum():
        return region_name(image, largest)
    return f"the {color_of(image, mask)} regions {place_of(box_of(mask), (mask.shape[1], mask.shape[0]))}"

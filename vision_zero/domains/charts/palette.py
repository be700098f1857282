"""Colours: palettes that real charts use, colour maps, what people call a colour, and how far apart two colours look."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import matplotlib
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from vision_zero.domains.charts.compact import COMPACT_COLORS

_GREYISH = 0.035
"""Colourfulness (OKLab's chroma) below which a hue is hardly seen."""
_GREYS = ((0.25, "black"), (0.47, "dark gray"), (0.7, "gray"), (0.95, "light gray"), (2.0, "white"))
_DARKEST, _DARKEST_CHROMA = 0.25, 0.1
_Namer = Callable[[float, float, float], str]
"""Of lightness, chroma and hue."""


def _of_matplotlib(name: str) -> tuple[str, ...]:
    return tuple(map(to_hex, matplotlib.color_sequences[name]))


PALETTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tableau": ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#8a8580"),
        "category": _of_matplotlib("tab10"),
        "colorblind": ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#d8c300", "#3c3c3c"),
        "office": ("#4472c4", "#ed7d31", "#a5a5a5", "#ffc000", "#264478", "#70ad47", "#9e480e", "#7030a0"),
        "statistics": ("#2876dd", "#0f283e", "#a3aab2", "#a40808", "#7dbb3a", "#f2b705", "#6c3f99", "#e0607e"),
        "poll": ("#436983", "#bf9927", "#949d48", "#756a7e", "#a55a26", "#6a8fb3", "#d1a730", "#4c4c4c"),
        "press": ("#e3120b", "#006ba2", "#3ebcd2", "#379a8b", "#ebb434", "#b4ba39", "#9a607f", "#758d99"),
        "world": ("#3c4e66", "#c15065", "#2c8465", "#be5915", "#6d3e91", "#4c6a9c", "#b13507", "#58ac8c", "#996d39", "#cf0a66"),
        "pastel": ("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#c9a66b", "#8f8f8f"),
        "deep": _of_matplotlib("Dark2"),
    }
)
SAMPLED_MAPS = ("viridis", "plasma", "cividis", "turbo", "Spectral", "YlGnBu", "magma")
"""Colour maps that series' colours may be taken from."""
HEAT_MAPS: Mapping[str, str] = MappingProxyType(
    {
        "Blues": "blue",
        "Greens": "green",
        "Oranges": "orange",
        "Purples": "purple",
        "Reds": "red",
        "Greys": "gray",
        "YlGnBu": "yellow-to-blue",
        "YlOrRd": "yellow-to-red",
        "viridis": "purple-to-yellow",
        "cividis": "navy-to-yellow",
        "magma": "black-to-cream",
    }
)
"""Colour maps of heat maps, and what a person would call them."""


@cache
def lab(color: str) -> tuple[float, float, float]:
    """OKLab of "#rrggbb" (Ottosson, 2020), in which distances are about as large as they look."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(_TO_CONES @ linear)
    light, green_red, blue_yellow = _TO_LAB @ cones
    return (float(light), float(green_red), float(blue_yellow))


_TO_CONES: NDArray[np.float64] = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB: NDArray[np.float64] = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def distance(one: str, other: str) -> float:
    """How different two colours look: 0 for none, 1 between black and white, about 0.02 where it begins to be seen."""
    return float(np.linalg.norm(np.subtract(lab(one), lab(other))))


def lightness(color: str) -> float:
    """0 for black to 1 for white."""
    return lab(color)[0]


def ink_on(color: str) -> str:
    """Black or white, whichever is read more easily on that colour."""
    return "#ffffff" if lightness(color) < 0.64 else "#1a1a1a"


def map_color(name: str, share: float) -> str:
    """The colour of matplotlib's colour map at ``share``, 0 to 1."""
    return to_hex(matplotlib.colormaps[name](share))


def sampled(name: str, count: int) -> tuple[str, ...]:
    """``count`` evenly spaced colours of a colour map, without its palest and darkest ends."""
    return tuple(map_color(name, float(share)) for share in np.linspace(0.12, 0.88, count))


def all_colors() -> tuple[str, ...]:
    """Every colour of every palette."""
    return tuple(dict.fromkeys(color for palette in PALETTES.values() for color in palette))


def _reddish(light: float, chroma: float, lightest: str, least: float) -> str:
    if chroma < 0.1 and (light < least or lightest == "orange"):
        return "brown" if light < 0.7 else "tan"
    if light >= least:
        return lightest
    return "dark red" if light < 0.47 else "red"


def _orangish(light: float, chroma: float, _hue: float) -> str:
    if (light >= 0.8 and chroma <= 0.11) or (light >= 0.7 and chroma < 0.1):
        return "tan"
    return "brown" if light < 0.57 or (chroma < 0.1 and light < 0.7) else "orange"


def _yellowish(light: float, chroma: float, hue: float) -> str:
    if light < 0.62:
        return "brown"
    if light >= 0.9:
        return "yellow"
    if chroma < 0.1:
        return "tan"
    if hue < 78:
        return "orange"
    return "yellow" if light >= 0.83 else "gold"


_HUES: tuple[tuple[float, _Namer], ...] = (
    (10, lambda light, _c, _h: "dark red" if light < 0.45 else "pink" if light >= 0.64 else "magenta"),
    (27, lambda light, chroma, _h: _reddish(light, chroma, "pink", 0.72)),
    (40, lambda light, chroma, _h: _reddish(light, chroma, "orange", 0.68)),
    (70, _orangish),
    (98, _yellowish),
    (112, lambda light, chroma, _h: "yellow" if light >= 0.8 else "tan" if chroma < 0.09 and light > 0.7 else "olive"),
    (120, lambda light, _c, _h: "yellow" if light >= 0.88 else "light green" if light >= 0.8 else "olive"),
    (160, lambda light, _c, _h: "dark green" if light < 0.53 else "light green" if light >= 0.74 else "green"),
    (220, lambda light, _c, _h: "cyan" if light >= 0.7 else "teal"),
    (280, lambda light, chroma, _h: "light blue" if light >= 0.68 else "navy" if light < 0.43 and chroma < 0.2 else "blue"),
    (320, lambda light, _c, _h: "lavender" if light >= 0.68 else "purple"),
    (330, lambda light, chroma, _h: "magenta" if chroma > 0.25 else "pink" if light >= 0.69 else "purple"),
    (352, lambda light, chroma, _h: "pink" if light >= 0.67 else "magenta" if chroma >= 0.15 and light > 0.5 else "purple"),
    (360, lambda light, chroma, _h: "pink" if light >= 0.67 else "magenta" if chroma >= 0.12 else "purple"),
)
"""The ends of ranges of hue, in degrees, and the name within each."""


@cache
def color_name(color: str) -> str:
    """What a person would call "#rrggbb", by lightness, colourfulness and hue: the nearest of a few named colours is often of
    another hue. CLEVR's own names for CLEVR's colours."""
    for name, own in COMPACT_COLORS.items():
        if own == color:
            return name
    light, green_red, blue_yellow = lab(color)
    chroma, hue = math.hypot(green_red, blue_yellow), math.degrees(math.atan2(blue_yellow, green_red)) % 360
    if chroma < _GREYISH or (light < _DARKEST and chroma < _DARKEST_CHROMA):
        return next(name for end, name in _GREYS if light < end)
    return next(namer for end, namer in _HUES if hue <= end)(light, chroma, hue)

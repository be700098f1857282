"""An image in the making: shapes and texts at pixel places, drawn by matplotlib's Agg renderer in the order they were added.

Charts are composed here from matplotlib's artists in pixel coordinates, not with its ``Axes``: that is several times faster,
depends on no rcParams, and every text's box is known exactly. The origin is the lower left corner, y points up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import FigureImage
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle, Wedge
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray
from PIL import Image

Font = Literal["sans", "serif", "mono"]
Horizontal = Literal["left", "center", "right"]
Vertical = Literal["bottom", "center", "top"]

_DPI = 100.0
_POINTS = 72 / _DPI
"""Points in a pixel."""
FONT_FAMILIES = {"sans": "DejaVu Sans", "serif": "DejaVu Serif", "mono": "DejaVu Sans Mono"}
LINE_SPACING = 1.15


@dataclass(frozen=True, slots=True)
class PlacedText:
    """One text as it stands.

    Attributes:
        corners: (4, 2), in pixels, anticlockwise, turned with the text.
        size: of the letters, in pixels.
        fallbacks: families of fonts beside DejaVu that it may be drawn in.
    """

    text: str
    corners: NDArray[np.float64]
    size: float
    fallbacks: tuple[str, ...] = ()


class Canvas:
    """A blank image of that size and colour; lengths are in pixels, colours are "#rrggbb"."""

    def __init__(self, width: int, height: int, background: str) -> None:
        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=background, edgecolor="none")
        # matplotlib's stubs leave the canvas' methods untyped.
        self._canvas: Any = FigureCanvasAgg(self._figure)
        self._texts: list[tuple[Text, float, tuple[str, ...]]] = []
        self._count = 0

    def rectangle(
        self, left: float, bottom: float, right: float, top: float, face: str, edge: str = "", line_width: float = 1.0
    ) -> None:
        corner, across, up = (min(left, right), min(bottom, top)), abs(right - left), abs(top - bottom)
        self._add(Rectangle(corner, across, up, **_paint(face, edge, line_width)))

    def polygon(self, points: Sequence[tuple[float, float]], face: str) -> None:
        self._add(Polygon(np.asarray(points), closed=True, facecolor=face, edgecolor="none"))

    def disc(self, x: float, y: float, radius: float, face: str, edge: str = "", line_width: float = 1.0) -> None:
        self._add(Circle((x, y), radius, **_paint(face, edge, line_width)))

    def wedge(
        self,
        center: tuple[float, float],
        radius: float,
        start: float,
        end: float,
        face: str,
        edge: str = "",
        line_width: float = 1.0,
        thickness: float | None = None,
    ) -> None:
        """A slice between two angles in degrees, anticlockwise from the right; of a ring if ``thickness`` is given."""
        self._add(Wedge(center, radius, start, end, width=thickness, **_paint(face, edge, line_width)))

    def line(self, points: Sequence[tuple[float, float]], color: str, line_width: float = 1.0, dashed: bool = False) -> None:
        columns, rows = zip(*points, strict=True)
        # Two points along an axis make a rule, which should be crisp; other lines look smoother unsnapped.
        straight = len(points) == 2 and (columns[0] == columns[1] or rows[0] == rows[1])
        self._add(
            Line2D(
                columns,
                rows,
                color=color,
                linewidth=line_width * _POINTS,
                linestyle=(0, (4, 3)) if dashed else "-",
                dash_capstyle="butt",
                solid_capstyle="butt" if straight else "round",
                solid_joinstyle="round",
                marker="",
                antialiased=True,
                snap=straight,
            )
        )

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        color: str,
        font: Font = "sans",
        fallbacks: tuple[str, ...] = (),
        bold: bool = False,
        horizontal: Horizontal = "center",
        vertical: Vertical = "center",
        turn: float = 0.0,
    ) -> None:
        """Write ``text`` so that its anchor, set by ``horizontal`` and ``vertical``, is at (x, y); turned by degrees about it.

        Each character that ``font`` lacks is drawn in the first of the families ``fallbacks`` that has it.
        """
        artist = Text(
            x,
            y,
            text,
            color=color,
            fontproperties=_font(font, fallbacks, bold, size),
            horizontalalignment=horizontal,
            verticalalignment=vertical,
            multialignment=horizontal,
            rotation=turn,
            rotation_mode="anchor",
            linespacing=LINE_SPACING,
            parse_math=False,
            usetex=False,
            antialiased=True,
        )
        self._texts.append((artist, size, fallbacks))
        self._add(artist)

    def gradient(self, left: float, bottom: float, right: float, top: float, colors: NDArray[np.float64]) -> None:
        """A column of rows of colour (N, 3), 0 to 1, the first row at the bottom."""
        rows, columns = round(top) - round(bottom), round(right) - round(left)
        shown = colors[np.arange(rows) * len(colors) // rows]
        image = FigureImage(self._figure, offsetx=round(left), offsety=round(bottom), origin="lower", zorder=self._count)
        image.set_data(np.broadcast_to(shown[:, None], (rows, columns, 3)))
        self._count += 1
        self._figure.images.append(image)

    def texts(self) -> tuple[PlacedText, ...]:
        """Every text on the sheet with the box that the renderer gives it."""
        return tuple(PlacedText(text.get_text(), self._corners(text), size, fallbacks) for text, size, fallbacks in self._texts)

    def image(self) -> Image.Image:
        """The image (RGB)."""
        self._canvas.draw()
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3].copy())

    def _corners(self, artist: Text) -> NDArray[np.float64]:
        # The extent of a turned text is that of an upright box around it; the box that turns with it is narrower.
        turn = artist.get_rotation()
        artist.set_rotation(0)
        extent = artist.get_window_extent(self._canvas.get_renderer())
        artist.set_rotation(turn)
        anchor = np.asarray(artist.get_position(), dtype=np.float64)
        upright = np.array(
            [(extent.x0, extent.y0), (extent.x1, extent.y0), (extent.x1, extent.y1), (extent.x0, extent.y1)], dtype=np.float64
        )
        cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        return anchor + (upright - anchor) @ np.array([[cosine, sine], [-sine, cosine]])

    def _add(self, artist: Artist) -> None:
        artist.set_transform(IdentityTransform())
        artist.set_zorder(self._count)
        self._count += 1
        self._figure.add_artist(artist)


@lru_cache(maxsize=4096)
def text_extent(text: str, size: float, font: Font, fallbacks: tuple[str, ...], bold: bool) -> tuple[float, float]:
    """Width and height in pixels that a level text has on a sheet."""
    sheet = Canvas(1, 1, "#ffffff")
    sheet.text(text, 0, 0, size, "#000000", font, fallbacks, bold)
    width, height = np.ptp(sheet.texts()[0].corners, axis=0)
    return (float(width), float(height))


def _paint(face: str, edge: str, line_width: float) -> dict[str, Any]:
    return {
        "facecolor": face or "none",
        "edgecolor": edge or "none",
        "linewidth": line_width * _POINTS if edge else 0.0,
        "joinstyle": "miter",
        "antialiased": True,
    }


@cache
def _font(font: Font, fallbacks: tuple[str, ...], bold: bool, size: float) -> FontProperties:
    if fallbacks:
        # matplotlib falls back among families only. Of files with one family's name it takes its own first.
        return font_of((FONT_FAMILIES[font], *fallbacks), bold, size * _POINTS)
    # By file, so that neither the machine's fonts nor its matplotlibrc have a say.
    return FontProperties(fname=str(font_file(font, bold)), size=size * _POINTS)


def font_file(font: Font, bold: bool) -> Path:
    """The file of one of the fonts that matplotlib brings."""
    name = FONT_FAMILIES[font].replace(" ", "") + ("-Bold" if bold else "")
    return Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")


def font_of(families: Sequence[str], bold: bool, points: float = 10.0) -> FontProperties:
    """A font of these families, upright and regular or bold whatever a matplotlibrc says."""
    weight = "bold" if bold else "normal"
    return FontProperties(family=list(families), style="normal", variant="normal", weight=weight, stretch="normal", size=points)

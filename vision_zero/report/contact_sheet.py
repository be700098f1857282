"""The gallery as one picture: pairs side by side, the changed regions outlined, the changes in words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from vision_zero.pairs.image_pair import ImagePair

COLUMNS = 2
"""Pairs beside each other."""
WIDTH, HEIGHT = 208, 156
"""Each picture is shown inside so many pixels."""
GAP = 12
TEXT = 11
LINES = 3
"""Lines of words under a pair; longer texts are cut."""
INK, PAPER, OUTLINE = (28, 36, 48), (255, 255, 255), (255, 45, 120)
MOST_BYTES = 250_000
"""A larger file is written with a palette of 256 colours."""
_LETTERS = 74


def draw_sheet(pairs: Sequence[ImagePair]) -> Image.Image:
    """A sheet of pairs."""
    rows = -(-len(pairs) // COLUMNS)
    cell = (2 * WIDTH + GAP // 2, HEIGHT + (LINES + 1) * (TEXT + 3))
    sheet = Image.new("RGB", (COLUMNS * (cell[0] + 2 * GAP), rows * (cell[1] + GAP) + GAP), PAPER)
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), TEXT)
    draw = ImageDraw.Draw(sheet)
    for place, pair in enumerate(pairs):
        left = GAP + place % COLUMNS * (cell[0] + 2 * GAP)
        top = GAP + place // COLUMNS * (cell[1] + GAP)
        for side, image in enumerate((pair.original, pair.modified)):
            _show(sheet, draw, image, pair, (left + side * (WIDTH + GAP // 2), top))
        words = wrap("; ".join(change.sentence() for change in pair.changes), _LETTERS, max_lines=LINES, placeholder=" …")
        draw.multiline_text((left, top + HEIGHT + 4), "\n".join(words), fill=INK, font=font, spacing=3)
    return sheet


def sheet_bytes(sheet: Image.Image) -> bytes:
    """The sheet as a PNG file that is small enough for a page."""
    whole = _png(sheet)
    if len(whole) <= MOST_BYTES:
        return whole
    return _png(sheet.quantize(palette=sheet.quantize(256), dither=Image.Dither.FLOYDSTEINBERG))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _show(sheet: Image.Image, draw: ImageDraw.ImageDraw, image: Image.Image, pair: ImagePair, corner: tuple[int, int]) -> None:
    scale = min(WIDTH / image.width, HEIGHT / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    sheet.paste(image.resize(size, Image.Resampling.LANCZOS), corner)
    for change in pair.changes:
        left, top, right, bottom = (round(edge * scale) for edge in change.box)
        box = (corner[0] + left - 1, corner[1] + top - 1, corner[0] + right, corner[1] + bottom)
        draw.rectangle(box, outline=OUTLINE, width=2)

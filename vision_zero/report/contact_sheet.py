"""The gallery as one image: pairs side by side, with the changed regions outlined and the changes in words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from vision_zero.data.image_pair import ImagePair

COLUMNS = 2
"""Pairs in one row."""
WIDTH, HEIGHT = 240, 180
"""Largest width and height of an image, in pixels."""
GAP = 12
TEXT = 12
LEADING = 3
"""Height of a line of text, in pixels."""
LINES = 3
"""Lines of text under a pair; longer texts are truncated."""
INK, PAPER, OUTLINE = (28, 36, 48), (255, 255, 255), (255, 45, 120)
MOST_BYTES = 400_000
"""Size in bytes above which the file uses a palette of 256 colours."""
LINE, CLEAR = 2, 2
"""Width of an outline, and its distance from the changed region, in pixels."""
_LETTERS = 74


def draw_sheet(pairs: Sequence[ImagePair]) -> Image.Image:
    """A sheet of pairs."""
    rows = [pairs[first : first + COLUMNS] for first in range(0, len(pairs), COLUMNS)]
    words = [[_words(pair) for pair in row] for row in rows]
    # A row is as high as the longest of its texts.
    heights = [HEIGHT + GAP // 2 + max(len(lines) for lines in row) * (TEXT + LEADING) for row in words]
    across = 2 * WIDTH + GAP // 2
    sheet = Image.new("RGB", (COLUMNS * (across + 2 * GAP), sum(heights) + (2 * len(rows)) * GAP), PAPER)
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), TEXT)
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for row, texts, height in zip(rows, words, heights, strict=True):
        for place, (pair, lines) in enumerate(zip(row, texts, strict=True)):
            left = GAP + place * (across + 2 * GAP)
            for side, image in enumerate((pair.original, pair.modified)):
                sheet.paste(_shown(image, pair), (left + side * (WIDTH + GAP // 2), top))
            draw.multiline_text((left, top + HEIGHT + GAP // 2), "\n".join(lines), fill=INK, font=font, spacing=LEADING)
        top += height + 2 * GAP
    return sheet


def _words(pair: ImagePair) -> list[str]:
    return wrap("; ".join(change.sentence() for change in pair.changes), _LETTERS, max_lines=LINES, placeholder=" …")


def sheet_bytes(sheet: Image.Image) -> bytes:
    """The sheet as a PNG file of limited size."""
    whole = _png(sheet)
    if len(whole) <= MOST_BYTES:
        return whole
    return _png(sheet.quantize(palette=sheet.quantize(256), dither=Image.Dither.FLOYDSTEINBERG))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _shown(image: Image.Image, pair: ImagePair) -> Image.Image:
    """The image at its size on the sheet, with the changed regions outlined."""
    scale = min(WIDTH / image.width, HEIGHT / image.height)
    shown = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(shown)
    away = CLEAR + LINE
    for change in pair.changes:
        left, top, right, bottom = (round(edge * scale) for edge in change.box)
        # A region at the image's border is outlined along it.
        corners = (max(0, left - away), max(0, top - away)), (min(shown.width, right + away), min(shown.height, bottom + away))
        draw.rectangle((*corners[0], corners[1][0] - 1, corners[1][1] - 1), outline=OUTLINE, width=LINE)
    return shown

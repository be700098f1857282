"""Several pictures as one, for suites that compare pictures: models that take a single picture can answer, too."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

GAP = 8
"""Pixels between two pictures."""
BETWEEN = (255, 255, 255)


def image_grid(images: Sequence[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size in rows of ``columns``, from the top left, with a white gap between them."""
    width, height = images[0].size
    rows = -(-len(images) // columns)
    whole = Image.new("RGB", (columns * width + (columns - 1) * GAP, rows * height + (rows - 1) * GAP), BETWEEN)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        whole.paste(image, (column * (width + GAP), row * (height + GAP)))
    return whole

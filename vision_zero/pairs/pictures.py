"""Reading and writing single pictures: PNG bytes in tables, and files of unknown origin."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from vision_zero.errors import PairsError

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: a small file can unpack to gigabytes."""


def png_bytes(image: Image.Image) -> bytes:
    """The picture as PNG; the same pixels give the same bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def decode(data: bytes | None, name: str) -> Image.Image:
    """An RGB picture from the bytes of a file.

    Raises:
        PairsError: the bytes are no picture, a broken one, or one of more than ``MAX_PIXELS`` pixels; the message names ``name``.
    """
    if not data:
        raise PairsError(f"{name}: the picture is empty")
    try:
        with warnings.catch_warnings():
            # Pillow only warns between one and two times its own limit; ours is checked before decoding.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PairsError(f"{name}: {image.width}x{image.height} pixels are more than the {MAX_PIXELS:,} allowed")
                return image.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise PairsError(f"{name}: not a readable picture ({type(error).__name__}: {error})") from error

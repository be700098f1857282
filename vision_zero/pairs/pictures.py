"""Reading and writing single pictures: PNG bytes in tables, and files of unknown origin."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vision_zero.errors import PairsError

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: a small file can unpack to gigabytes."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000")
"""What is read, whatever a file's name says. Pillow knows more; some of those start other programs or are hardly tested."""

_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on broken files, depending on the format and on where it is broken."""
_SCALARS = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_GREY_DEPTHS = (8, 10, 12, 14, 16, 24, 31)


def png_bytes(image: Image.Image) -> bytes:
    """The picture as PNG; the same pixels give the same bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def decode(data: bytes | None, name: str) -> Image.Image:
    """An RGB picture from the bytes of a file, turned as its EXIF orientation says.

    Of an animation it is the first frame. What is transparent becomes white. Grey values of more than 8 bits are scaled from
    the number of bits that they use, so that a 12-bit picture in a 16-bit file is not nearly black.

    Raises:
        PairsError: the bytes are no picture, a broken one, or one of more than ``MAX_PIXELS`` pixels; the message names ``name``.
    """
    if not data:
        raise PairsError(f"{name}: the picture is empty")
    try:
        with warnings.catch_warnings():
            # Pillow only warns between one and two times its own limit, and about EXIF data that it cannot read; ours is
            # checked before decoding.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PairsError(f"{name}: {image.width}x{image.height} pixels are more than the {MAX_PIXELS:,} allowed")
                return _rgb(ImageOps.exif_transpose(image))
    except _BROKEN as error:
        reason = " ".join(str(error).split())
        raise PairsError(f"{name}: not a readable picture ({type(error).__name__}: {reason})") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SCALARS:
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        # Never straight to RGB: what is under transparent pixels was not meant to be seen.
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("some grey values are not numbers")
    least, most = float(values.min()), float(values.max())
    if image.mode == "F" and least >= 0 and most <= 1:
        scale = 1.0
    elif image.mode == "F" or least < 0:
        # No convention says what black and white are.
        values, scale = values - least, max(most - least, 1e-12)
    else:
        scale = next(2.0**depth - 1 for depth in _GREY_DEPTHS if most < 2**depth)
    return Image.fromarray(np.rint(values * (255 / scale)).astype(np.uint8))

"""Reading and writing single images: PNG bytes in tables, and files of unknown origin."""

from __future__ import annotations

import base64
import io
import struct
import warnings
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from vision_zero.errors import PairsError, one_line

MAX_PIXELS = 50_000_000
"""Larger images are refused before they are decoded: a small file can unpack to gigabytes. JPEG is decoded at a half, a quarter
or an eighth of its size instead."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000")
"""What is read, whatever a file's name says. Pillow knows more; some of those start other programs or are hardly tested."""

_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on broken files, depending on the format and on where it is broken."""
_SCALARS = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_GREY_DEPTHS = (8, 10, 12, 14, 16, 24, 31)
_BEGINNINGS = {
    "PNG": b"\x89PNG",
    "JPEG": b"\xff\xd8\xff",
    "GIF": b"GIF8",
    "WebP or another RIFF file": b"RIFF",
    "AVIF": b"ftypavi",
}
_TIFF = (b"II*\0", b"MM\0*")
_ALIKE, _MASK_SHARE, _MOST_STEPS, _SHARED = 24, 0.99, 0.2, 0.5
"""A mask: at least this share of its pixels are so near to one of two colours, and fewer neighbours than that differ."""

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels, right and bottom exclusive."""


def empty_image(size: tuple[int, int]) -> Image.Image:
    """A white image: what the spy sees under ``game.spy_image: blank``, and beside a single image."""
    return Image.new("RGB", size, (255, 255, 255))


def changed_mask(original: Image.Image, modified: Image.Image, threshold: int) -> NDArray[np.bool_]:
    """(height, width): pixels of which a channel differs by more than ``threshold`` of 255."""
    return channel_steps(original, modified) > threshold


def channel_steps(original: Image.Image, modified: Image.Image) -> NDArray[np.int16]:
    """(height, width): the difference of two RGB images of one size, in the channel in which they differ most."""
    difference = np.abs(np.asarray(original, dtype=np.int16) - np.asarray(modified, dtype=np.int16))
    steps: NDArray[np.int16] = difference.max(axis=2)
    return steps


def box_of(mask: NDArray[np.bool_]) -> Box:
    """The box around what is True in a mask, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def png_bytes(image: Image.Image, *, optimize: bool = False) -> bytes:
    """The image as PNG; the same pixels give the same bytes. ``optimize`` takes longer and makes fewer of them."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=optimize)
    return buffer.getvalue()


def data_uri(image: Image.Image) -> str:
    """The image as a URI that needs no file and no network."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(image)).decode("ascii")


def decode(data: bytes | None, name: str) -> Image.Image:
    """An RGB image from the bytes of a file, turned as its EXIF orientation says.

    Of an animation it is the first frame. What is transparent becomes white. Grey values of more than 8 bits are scaled from
    the number of bits that they use, so that a 12-bit image in a 16-bit file is not nearly black.

    Raises:
        PairsError: the bytes are no image, a broken one, or one of more than ``MAX_PIXELS`` pixels; the message names ``name``.
    """
    image = _opened(data, name)
    return _eight_bits([image])[0].convert("RGB") if image.mode in _SCALARS else image


def decode_pair(original: bytes | None, modified: bytes | None) -> tuple[Image.Image, Image.Image]:
    """The two images of a pair, each as :func:`decode` reads it; but grey values of more than 8 bits are scaled alike in both,
    so that what did not change looks the same. Raises as :func:`decode` does."""
    images = [_opened(original, "the original"), _opened(modified, "the modified image")]
    deep = [image for image in images if image.mode in _SCALARS]
    beside = [image for image in images if image.mode not in _SCALARS]
    scaled = iter(_eight_bits(deep, float(np.asarray(beside[0].convert("L")).mean()) if len(beside) == 1 else None))
    one, other = (next(scaled).convert("RGB") if image.mode in _SCALARS else image for image in images)
    return one, other


def mask_of(original: Image.Image, modified: Image.Image) -> str | None:
    """Which image of a pair is a mask of the other ("original" or "modified image"), or None: a mask shows nothing of it."""
    masks = [is_mask(image) for image in (original, modified)]
    if masks[0] == masks[1]:
        return None
    if original.size == modified.size and (channel_steps(original, modified) <= _ALIKE).mean() > _SHARED:
        return None
    return "original" if masks[0] else "modified image"


def is_mask(image: Image.Image) -> bool:
    """Whether an image is a mask: areas of two colours, but for the traces of lossy coding. A dithered image is none."""
    small = np.asarray(image.convert("RGB"), dtype=np.int16)[:: max(1, image.height // 256), :: max(1, image.width // 256)]
    sums = small.sum(axis=2).reshape(-1)
    pixels = small.reshape(-1, 3)
    darkest, lightest = pixels[sums.argmin()], pixels[sums.argmax()]
    is_dark, is_light = (np.abs(small - color).max(axis=2) <= _ALIKE for color in (darkest, lightest))
    if np.abs(lightest - darkest).max() <= 2 * _ALIKE or (is_dark | is_light).mean() < _MASK_SHARE:
        return False
    steps = [np.diff(is_light, axis=axis).mean() for axis in (0, 1) if is_light.shape[axis] > 1]
    return max(steps, default=0.0) < _MOST_STEPS


def _opened(data: bytes | None, name: str) -> Image.Image:
    """The image, RGB or with deep grey values, upright."""
    if not data:
        raise PairsError(f"{name}: the image is empty")
    try:
        with warnings.catch_warnings():
            # Pillow only warns between one and two times its own limit, and about EXIF data that it cannot read; ours is
            # checked before decoding.
            warnings.simplefilter("ignore")
            with _header(data) as image:
                if image.width * image.height > MAX_PIXELS:
                    _shrink(image)
                if image.width * image.height > MAX_PIXELS:
                    raise PairsError(f"{name}: {image.width}x{image.height} pixels are more than the {MAX_PIXELS:,} allowed")
                return _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise PairsError(f"{name}: not a readable image ({_kind(data)})") from error
    except _BROKEN as error:
        raise PairsError(f"{name}: not a readable image ({type(error).__name__}: {one_line(error)})") from error


def _header(data: bytes) -> Image.Image:
    """The image, not yet decoded. Pillow refuses more than 179 million pixels at once; a JPEG is decoded smaller."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        if not data.startswith(_BEGINNINGS["JPEG"]):
            raise
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def _shrink(image: Image.Image) -> None:
    """Have a JPEG decoded smaller. Other formats cannot be."""
    for factor in (2, 4, 8):
        size = (image.width // factor, image.height // factor)
        if size[0] * size[1] <= MAX_PIXELS:
            image.draft(None, size)
            return


def _kind(data: bytes) -> str:
    """What a file is that Pillow does not know."""
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        return "HEIC is not read: convert it to JPEG or PNG"
    if data[:4] in _TIFF:
        return "a TIFF of a kind that is not read, by its bands or the bits of a value, or a broken one: save it as PNG"
    known = next(
        (name for name, magic in _BEGINNINGS.items() if data[: len(magic)] == magic or data[4 : 4 + len(magic)] == magic), None
    )
    if known:
        return f"it begins as {known}, and is cut short or broken"
    if data.lstrip()[:5].lower() in (b"<svg ", b"<?xml", b"<html", b"<!doc"):
        return "it is text, not an image"
    return "of no kind that is read: PNG, JPEG, WebP, GIF, TIFF, BMP, PPM, AVIF, JPEG 2000"


def _rgb(image: Image.Image) -> Image.Image:
    """The image in RGB; deep grey values stay, decoded."""
    if image.mode in _SCALARS:
        image.load()
        return image.copy()
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        # Never straight to RGB: what is under transparent pixels was not meant to be seen.
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(images: Sequence[Image.Image], mean: float | None = None) -> list[Image.Image]:
    """Deep grey images with 8 bits, all scaled alike. ``mean``: of the image with 8 bits beside a deep one; how many bits are
    used is then what brings their means nearest."""
    found = [np.asarray(image).astype(np.float64) for image in images]
    if not found:
        return []
    if not all(np.isfinite(values).all() for values in found):
        raise PairsError("an image is not readable: some grey values are not numbers")
    least, most = min(float(values.min()) for values in found), max(float(values.max()) for values in found)
    is_real = any(image.mode == "F" for image in images)
    if is_real and least >= 0 and most <= 1:
        least, scale = 0.0, 1.0
    elif is_real or least < 0:
        # No convention says what black and white are.
        scale = max(most - least, 1e-12)
    else:
        scales = [2.0**depth - 1 for depth in _GREY_DEPTHS if most < 2**depth]
        own = float(found[0].mean()) * 255
        least, scale = 0.0, scales[0] if mean is None else min(scales, key=lambda scale: abs(own / scale - mean))
    return [Image.fromarray(np.rint((values - least) * (255 / scale)).astype(np.uint8)) for values in found]

"""Bytes of images as the world has them: broken, hostile, and unusual but fine."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def scenery(width: int = 160, height: int = 120, seed: int = 0) -> Image.Image:
    """A soft background with a few striped discs on it: something that regions can be found in."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    ground = np.stack([90 + 40 * rows / height, 110 + 30 * columns / width, np.full((height, width), 140.0)], axis=-1)
    image = ground + rng.normal(0, 3, (height, width, 1))
    for number in range(6):
        middle = (height * (0.25 + 0.5 * (number // 3)), width * (0.2 + 0.3 * (number % 3)))
        inside = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < (0.13 * height) ** 2
        stripes = 35 * np.sign(np.sin((rows + 2 * columns) * 60 / height))[..., None]
        image[inside] = (rng.integers(0, 256, 3) + stripes)[inside]
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few hundred kilobytes whose header promises side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * 200), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animation(first: Image.Image) -> bytes:
    """A GIF whose second frame is black."""
    black = Image.new("RGB", first.size)
    return encoded(first, "GIF", save_all=True, append_images=[black, black], duration=50)


def deep_grey(image: Image.Image, bits: int) -> bytes:
    """A 16-bit PNG that uses so many of its bits."""
    values = np.asarray(image.convert("L")).astype(np.uint16) * ((2**bits - 1) // 255)
    return encoded(Image.fromarray(values))


BROKEN: dict[str, bytes] = {
    "zero bytes": b"",
    "one byte": b"\x00",
    "text": b"<html><body>404 not found</body></html>",
    "header only": encoded(scenery())[:40],
    "cut short": encoded(scenery(), "JPEG")[:1500],
    "scrambled": encoded(scenery())[:60] + bytes(range(256)) * 8,
    "bomb": bomb(),
    "offset of another type": encoded(scenery(48, 32), "TIFF").replace(b"\x11\x01\x04\x00", b"\x11\x01\x0b\x00"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n",
}
"""What must be refused, by name."""


def odd() -> dict[str, bytes]:
    """The same scenery, stored in ways that are unusual but fine, by name."""
    scene = scenery()
    turned = scene.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[274] = 6
    clear = scene.convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 80, 60))
    palette = scene.quantize(64)
    return {
        "animation": animation(scene),
        "cmyk": encoded(scene.convert("CMYK"), "JPEG", quality=95),
        "grey": encoded(scene.convert("L")),
        "16 bits": deep_grey(scene, 16),
        "12 of 16 bits": deep_grey(scene, 12),
        "floats": encoded(Image.fromarray(np.asarray(scene.convert("L"), dtype=np.float32) / 255), "TIFF"),
        "turned": encoded(turned, "JPEG", exif=exif, quality=95),
        "transparent": encoded(clear),
        "palette": encoded(palette),
        "transparent palette": encoded(palette, transparency=3),
        "one bit": encoded(scene.convert("1")),
        "webp": encoded(scene, "WEBP"),
        "bmp": encoded(scene, "BMP"),
    }

"""Decoding: what is odd comes out right, what is broken is refused with one line."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data.odd_images import BROKEN, bomb, deep_grey, encoded, odd, scenery
from vision_zero.data import images
from vision_zero.data.images import decode, decode_pair, is_mask, mask_of, png_bytes
from vision_zero.errors import PairsError

ODD = odd()
SOUND = encoded(scenery(48, 32), "JPEG")


@pytest.mark.parametrize("name", BROKEN)
def test_broken_images_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(PairsError, match=r"^some\.png: ") as raised:
        decode(BROKEN[name], "some.png")
    assert "\n" not in str(raised.value)


def test_nothing_is_refused() -> None:
    with pytest.raises(PairsError, match="is empty"):
        decode(None, "x")


@pytest.mark.parametrize("name", ODD)
def test_odd_images_show_what_they_should(name: str) -> None:
    image = decode(ODD[name], name)
    assert image.mode == "RGB"
    assert image.size == (160, 120)
    seen, meant = np.asarray(image.convert("L"), dtype=float), np.asarray(scenery().convert("L"), dtype=float)
    if name in ("transparent", "transparent palette", "one bit"):
        return
    assert np.abs(seen - meant).mean() < 8, name


def test_bombs_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("the image was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    for side in (8_000, 12_000, 20_000):
        with pytest.raises(PairsError, match=r"x: .*pixels"):
            decode(bomb(side), "x")


def test_the_limit_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 160 * 120 - 1)
    with pytest.raises(PairsError, match=r"160x120 pixels are more than the 19,199 allowed"):
        decode(encoded(scenery()), "x")


def test_the_orientation_is_honoured() -> None:
    marked = Image.new("RGB", (20, 10), "white")
    marked.paste("red", (0, 0, 5, 5))
    exif = Image.Exif()
    exif[274] = 3
    image = decode(encoded(marked, exif=exif), "x")
    assert image.size == (20, 10)
    assert image.getpixel((19, 9)) == (255, 0, 0)
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_what_is_transparent_is_white() -> None:
    image = decode(ODD["transparent"], "x")
    assert image.getpixel((10, 10)) == (255, 255, 255)
    assert image.getpixel((150, 110)) == scenery().getpixel((150, 110))
    half = Image.new("LA", (4, 4), (0, 128))
    assert decode(encoded(half), "x").getpixel((0, 0)) == (127, 127, 127)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_greys_are_never_nearly_black(bits: int) -> None:
    white = Image.new("L", (8, 8), 255)
    assert np.asarray(decode(deep_grey(white, bits), "x")).min() >= 250


def test_floats_of_any_range_are_spread_out() -> None:
    values = np.linspace(-500, 1500, 64, dtype=np.float32).reshape(8, 8)
    image = np.asarray(decode(encoded(Image.fromarray(values), "TIFF"), "x"))
    assert (image.min(), image.max()) == (0, 255)
    with pytest.raises(PairsError, match="not numbers"):
        decode(encoded(Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32)), "TIFF"), "x")


def test_png_comes_back_unchanged() -> None:
    scene = scenery()
    assert decode(png_bytes(scene), "x").tobytes() == scene.tobytes()
    assert png_bytes(scene) == png_bytes(scene)


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 200))
def test_damage_gives_an_image_or_an_error(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SOUND)
    for place, value in changes:
        data[place] = value
    try:
        image = decode(bytes(data[: len(data) - cut]), "x")
    except PairsError as error:
        assert "\n" not in str(error)
        return
    assert image.mode == "RGB"
    assert Image.open(io.BytesIO(png_bytes(image))).size == image.size


def test_a_large_photograph_is_decoded_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision_zero.data.images.MAX_PIXELS", 90_000)
    large = scenery(400, 300)
    assert decode(encoded(large, "JPEG"), "it").size == (200, 150)
    assert decode(encoded(large.resize((280, 300)), "JPEG"), "it").size == (280, 300)
    with pytest.raises(PairsError, match="400x300 pixels are more than the 90,000 allowed"):
        decode(encoded(large), "it")


def test_a_jpeg_beyond_pillows_own_limit_is_decoded_smaller_too(monkeypatch: pytest.MonkeyPatch) -> None:
    large = scenery(400, 300)
    monkeypatch.setattr("vision_zero.data.images.MAX_PIXELS", 30_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    assert decode(encoded(large, "JPEG"), "it").size == (200, 150)
    with pytest.raises(PairsError, match="DecompressionBombError"):
        decode(encoded(large), "it")


def test_a_mask_is_told_from_drawings_and_dark_images() -> None:
    shape = Image.new("RGB", (160, 120))
    shape.paste((255, 255, 255), (20, 30, 60, 50))
    assert is_mask(shape)
    assert is_mask(decode(encoded(shape, "JPEG", quality=50), "it"))
    assert not is_mask(scenery())
    assert not is_mask(scenery().convert("1").convert("RGB")), "dithered"
    assert not is_mask(Image.new("RGB", (160, 120), "grey"))
    assert mask_of(scenery(), shape) == "modified image"
    assert mask_of(shape, scenery()) == "original"
    night = scenery().point(lambda value: value // 16)
    lamp = night.copy()
    lamp.paste((255, 255, 255), (20, 30, 60, 50))
    assert mask_of(night, lamp) is None, "most of it is still the night"


def test_a_deep_image_beside_one_of_8_bits_is_scaled_to_it():
    """Its own values say nothing of how many bits it uses where none is bright."""
    dark = np.full((64, 64), 60, dtype=np.uint8)
    changed = dark.copy()
    changed[10:20, 10:20] = 255
    deep = encoded(Image.fromarray(dark.astype(np.uint16) * 257))
    for one, other in ((deep, encoded(Image.fromarray(changed))), (encoded(Image.fromarray(changed)), deep)):
        assert [int(np.asarray(image)[40, 40, 0]) for image in decode_pair(one, other)] == [60, 60]


def test_a_file_that_is_cut_short_is_not_said_to_be_of_an_unknown_kind():
    with pytest.raises(PairsError, match=r"not a readable image \(it begins as AVIF, and is cut short or broken\)"):
        decode(encoded(scenery(), "AVIF")[:300], "an image")


def test_a_tiff_that_pillow_does_not_read_is_not_said_to_be_of_an_unknown_kind():
    usual = encoded(scenery(), "TIFF")
    deep = usual.replace(b"\x08\x00" * 3, b"\x40\x00" * 3)
    assert deep != usual
    for data in (deep, b"MM\x00*" + bytes(40)):
        with pytest.raises(PairsError, match=r"not a readable image \(a TIFF of a kind that is not read, by its bands"):
            decode(data, "an image")

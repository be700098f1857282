"""The means of editing, each by itself: regions, borders, cloning, searching, words."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.odd_images import scenery
from vision_zero.data.images import box_of
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.filling import area_without, cloned, membrane, without
from vision_zero.domains.photos.patches import FORGIVEN, Spectra, area_means, inside_offsets, offset_at, ring_costs
from vision_zero.domains.photos.phrases import color_word, place_of
from vision_zero.domains.photos.pixels import grown, shifted, shifted_mask, shrunk, to_image, to_pixels


def disc(height: int, width: int, middle: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0:height, 0:width]
    inside: NDArray[np.bool_] = (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < radius**2
    return inside


def photo() -> Canvas:
    return Canvas.of(to_pixels(scenery(320, 240)), 0.01, 0.2)


def test_regions_are_the_things_in_the_image() -> None:
    found = photo().regions
    assert len(found) >= 4
    discs = [disc(240, 320, (240 * (0.25 + 0.5 * (place // 3)), 320 * (0.2 + 0.3 * (place % 3))), 31.2) for place in range(6)]
    for region in found[:4]:
        assert max((region.mask & one).sum() / (region.mask | one).sum() for one in discs) > 0.8
        assert region.is_thing
        assert region.box == box_of(region.mask)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 64), (320, 240), (97, 311)])
def test_images_without_things_have_no_regions(size: tuple[int, int]) -> None:
    width, height = size
    flat = np.full((height, width, 3), 0.4, dtype=np.float32)
    noise = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    fade = np.linspace(0, 1, width, dtype=np.float32)[None, :, None] * np.ones((height, 1, 3), dtype=np.float32)
    assert Canvas.of(flat, 0.01, 0.2).regions == ()
    assert len(Canvas.of(noise, 0.01, 0.2).regions) <= 12
    assert Canvas.of(fade, 0.01, 0.2).regions == ()


def test_regions_that_an_edit_touched_are_gone() -> None:
    canvas = photo()
    first = canvas.regions[0]
    rest = canvas.edited(canvas.image, first.mask)
    assert all(not (region.mask & first.mask).any() for region in rest.regions)
    assert len(rest.regions) < len(canvas.regions)


def test_membranes_continue_what_is_linear() -> None:
    rows, columns = np.mgrid[0:60, 0:80]
    plane = np.stack([0.01 * rows, 0.005 * columns, 0.002 * (rows + columns)], axis=-1).astype(np.float32)
    inside = disc(60, 80, (30, 40), 18)
    ring = grown(inside, 2) & ~inside
    filled = membrane(plane * ring[..., None], ring, inside)
    assert np.abs(filled - plane)[inside].max() < 0.02


def test_clones_take_the_light_of_their_surroundings() -> None:
    image = to_pixels(scenery(160, 120))
    area = disc(120, 160, (60, 30), 20)
    darker = np.clip(image * 1.0 - 0.15, -1, 1)
    result = cloned(image, darker, area)
    assert np.abs(result - image).max() < 0.02
    other = cloned(image, image[:, ::-1], area)
    assert np.array_equal(other[~area], image[~area])


def test_costs_of_offsets_are_mean_squared_differences() -> None:
    rng = np.random.default_rng(3)
    image, around = (rng.random((12, 15, 3)).astype(np.float32) for _ in range(2))
    ring = np.zeros((12, 15), dtype=bool)
    ring[4:7, 5:9] = True
    costs = ring_costs(around, ring, Spectra.of(image))
    room = inside_offsets(ring)
    for right, down in ((0, 0), (3, 2), (-5, -4), (6, 5)):
        assert room[down % 24, right % 30]
        there = shifted_mask(ring, (right, down))
        steps = image[there] - around[ring]
        expected = (steps**2).mean(axis=0).sum() - FORGIVEN * (steps.mean(axis=0) ** 2).sum()
        assert costs[down % 24, right % 30] == pytest.approx(expected, abs=1e-4)
        assert offset_at((down % 24) * 30 + right % 30, (24, 30)) == (right, down)
    assert not room[0, 7]
    assert not room[6, 0]
    means = area_means(ring, image[..., 0])
    assert means[2, 3] == pytest.approx(image[6:9, 8:12, 0].mean(), abs=1e-5)


def test_masks_grow_shrink_and_move() -> None:
    one = disc(40, 50, (20, 25), 8)
    assert grown(one, 3).sum() > one.sum() > shrunk(one, 3).sum()
    assert np.array_equal(grown(one, 0), one)
    moved = shifted_mask(one, (10, -5))
    assert box_of(moved) == tuple(edge + step for edge, step in zip(box_of(one), (10, -5, 10, -5), strict=True))
    values = np.random.default_rng(0).random((40, 50, 1)).astype(np.float32)
    assert np.array_equal(shifted(values, (10, -5))[moved], values[one])


@pytest.mark.slow
def test_removed_things_leave_no_trace() -> None:
    canvas = photo()
    removed = 0
    for region in canvas.regions[:5]:
        image = without(canvas, area_without(canvas, region.mask), np.random.default_rng(0))
        if image is None:
            continue
        removed += 1
        clean = to_pixels(scenery(320, 240))
        around = grown(region.mask, 12) & ~grown(region.mask, 5)
        inside = image[region.mask].mean(axis=0)
        assert np.abs(inside - clean[around].mean(axis=0)).max() < 0.05
        assert np.array_equal(image[~grown(region.mask, 6)], canvas.image[~grown(region.mask, 6)])
    assert removed >= 3


@pytest.mark.parametrize(
    ("color", "word"),
    [
        ((5.0, 0.0, 0.0), "blackish"),
        ((98.0, 1.0, 1.0), "whitish"),
        ((53.0, 80.0, 67.0), "reddish"),
        ((88.0, -86.0, 83.0), "greenish"),
        ((97.0, -22.0, 94.0), "yellowish"),
        ((40.0, 50.0, -100.0), "bluish"),
        ((70.0, 30.0, 70.0), "orange"),
        ((35.0, 18.0, 30.0), "brownish"),
        ((25.0, 10.0, -30.0), "dark bluish"),
        ((88.0, 15.0, -3.0), "light pinkish"),
    ],
)
def test_colours_have_plain_names(color: tuple[float, float, float], word: str) -> None:
    assert color_word(color) == word


def test_every_colour_has_a_name() -> None:
    for light in range(0, 101, 5):
        for a in range(-100, 101, 10):
            for b in range(-100, 101, 10):
                assert color_word((float(light), float(a), float(b)))


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0, 0, 20, 20), "at the upper left"),
        ((140, 110, 180, 130), "in the middle"),
        ((140, 0, 180, 30), "at the top"),
        ((140, 220, 180, 240), "at the bottom"),
        ((300, 100, 320, 140), "at the right"),
        ((0, 0, 320, 240), "in the middle"),
        ((319, 239, 320, 240), "at the lower right"),
    ],
)
def test_places_have_plain_names(box: tuple[int, int, int, int], words: str) -> None:
    assert place_of(box, (320, 240)) == words


def test_images_come_back_unchanged() -> None:
    scene = scenery()
    assert to_image(to_pixels(scene)).tobytes() == scene.tobytes()

"""Pairs whose whole image shifted, or that differ by noise alone, are findings; edits are none, whatever the noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.data.odd_images import encoded, scenery
from tests.make import scene_pairs
from vision_zero.config.sources import QualityConfig, SourcesConfig
from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.images import decode
from vision_zero.data.table import PairTable
from vision_zero.domains.imported.image_motion import moved_share, solid_area
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.randomness import Seed
from vision_zero.validation.expectations import judge


@pytest.fixture(scope="module")
def pair() -> ImagePair:
    return SceneSource(ScenesConfig()).sample(Seed(5).child(0))


def noisy(image: Image.Image, sigma: float, seed: int) -> Image.Image:
    values = np.asarray(image, dtype=float)
    return Image.fromarray(np.clip(values + np.random.default_rng(seed).normal(0, sigma, values.shape), 0, 255).astype(np.uint8))


def sparkling(image: Image.Image, seed: int) -> Image.Image:
    """With the single bright pixels of a path tracer."""
    values = np.asarray(image).copy()
    values[np.random.default_rng(seed).random(values.shape[:2]) < 0.02] = 255
    return Image.fromarray(values)


def shifted(image: Image.Image, down: float, right: float) -> Image.Image:
    values = ndimage.shift(np.asarray(image, dtype=np.float32), (down, right, 0), order=1, mode="nearest")
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def again(image: Image.Image) -> Image.Image:
    return decode(encoded(image, "JPEG", quality=40), "")


def test_noise_is_no_change_and_an_edit_in_noise_is(pair: ImagePair) -> None:
    least = QualityConfig().min_solid_area
    for spoil in (lambda image, seed: noisy(image, 12, seed), lambda image, seed: noisy(image, 25, seed), sparkling):
        assert solid_area(spoil(pair.original, 1), spoil(pair.original, 2)) < least
        assert solid_area(spoil(pair.original, 1), spoil(pair.modified, 2)) > 4 * least
    assert solid_area(pair.original, again(pair.original)) < least < solid_area(pair.original, again(pair.modified))


def test_a_camera_that_moved_is_told_from_an_edit(pair: ImagePair) -> None:
    most = QualityConfig().max_moved_share
    for original, modified in ((pair.original, pair.modified), (pair.original, again(pair.modified))):
        assert moved_share(original, modified) <= most / 1.5
    turned = (pair.original.rotate(1.5, Image.Resampling.BICUBIC), pair.original)
    for moved in (shifted(pair.original, 1, 2), shifted(pair.original, 7, -5), shifted(pair.modified, 2, 1), turned[0]):
        assert moved_share(pair.original, moved) > most


def enlarged(image: Image.Image, share: float) -> Image.Image:
    margins = (int(image.width * share), int(image.height * share))
    return image.crop((*margins, image.width - margins[0], image.height - margins[1])).resize(image.size)


@pytest.mark.slow
def test_a_view_that_lies_far_away_is_larger_or_mirrored_is_no_edit(pair: ImagePair) -> None:
    most = QualityConfig().max_moved_share
    image = pair.original
    for moved in (
        *(shifted(image, down, right) for down, right in ((5, 20), (3, 50), (-20, 70))),
        *(enlarged(image, share) for share in (0.04, 0.1)),
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ):
        assert moved_share(image, moved) > most


@pytest.mark.parametrize("others", [0, 1])
def test_a_thing_that_moved_before_a_plain_ground_is_an_edit(others: int) -> None:
    images = [Image.new("RGB", (320, 240), (150, 150, 150)) for _ in range(2)]
    for image, left in zip(images, (60, 160), strict=True):
        image.paste((200, 30, 30), (left, left // 5 + 68, left + 50, left // 5 + 118))
        if others:
            image.paste((30, 30, 200), (250, 30, 290, 70))
    assert moved_share(*images) == 0


def test_what_is_too_small_or_plain_is_no_movement() -> None:
    assert moved_share(Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")) == 0
    assert moved_share(scenery(16, 16), scenery(16, 16, 1)) == 0


def imported(pair: ImagePair, name: str, original: Image.Image, modified: Image.Image) -> ImagePair:
    change = Change("imported", "what is in the middle", "something else", (0, 0, *original.size))
    facts = {"id": name, "location": "here"}
    return ImagePair(name, "imported", original, modified, (change,), facts, facts)


@pytest.mark.slow
def test_both_are_findings_of_the_verdict(pair: ImagePair) -> None:
    other = replace(scene_pairs(1)[0])
    pairs = [
        imported(pair, "edit", pair.original, pair.modified),
        imported(pair, "camera", shifted(pair.original, 2, 3), pair.original),
        imported(pair, "noise", sparkling(pair.modified, 1), sparkling(pair.modified, 2)),
        other,
    ]
    quality = QualityConfig(max_quarantined=1, probe_pairs=0, duplicate_distance=0)
    verdict = judge(PairTable.from_pairs(enumerate(pairs), "train"), SourcesConfig(quality=quality))
    reasons = {entry.pair_id: "; ".join(entry.reasons) for entry in verdict.quarantined}
    assert set(reasons) == {"camera", "noise"}
    assert "imported: the camera stands still" in reasons["camera"]
    assert "lies elsewhere here: " in reasons["camera"]
    assert "imported: something differs beyond noise" in reasons["noise"]

"""The shortcut check: can single images be told apart as original or modified?

Where a small probe can, from traces of editing (a softer border, other noise, another compression), the spy can know its role
without the game, and civilians' images look like nobody else's. The probe sees one image at a time, as numbers that betray
editing: noise in small blocks, steps between neighbouring pixels, the grid of JPEG, brightness, colours, and the image itself
in little. It is trained and examined on different pairs (cross-validation), on different photos or tables where there are enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.config_base import Config
from vision_zero.data.image_pair import ImagePair
from vision_zero.randomness import Seed

LEAST_PAIRS = 40
"""Of fewer pairs, what the probe gets right is mostly chance."""
FOLDS = 5
THUMBNAIL = (8, 6)
BLOCK = 8
STEPS = (0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5)
"""Borders between steps of brightness that are counted together."""
QUANTILES = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)
PENALTIES = (1.0, 30.0)
"""Ridge penalties: one probe each, the better one counts. Choosing between two favours the probe by less than a per cent."""

Features = NDArray[np.float64]


class ProbeResult(Config):
    """What the probe got right.

    Attributes:
        accuracy: share of the images; 0.5 by chance.
        low, high: 95 % interval of it.
        pairs: examined pairs, two images each.
    """

    accuracy: float
    low: float
    high: float
    pairs: int

    def finds_shortcut(self, most: float) -> bool:
        """Is it right more often than ``most`` allows, and surely more often than chance?"""
        return self.accuracy > most and self.low > 0.5


@dataclass
class Probe:
    """Collects a domain's first pairs, and examines itself on them. Keeps numbers only, no images."""

    most: int
    _images: list[tuple[Features, Features]] = field(default_factory=list)
    _groups: list[str] = field(default_factory=list)

    def add(self, pair: ImagePair, base: str) -> None:
        """Look at a pair, unless there are enough already; ``base`` is what it is made of."""
        if len(self._images) < self.most and pair.original.size == pair.modified.size:
            self._images.append((features(pair.original), features(pair.modified)))
            self._groups.append(base or pair.pair_id)

    def examine(self) -> ProbeResult | None:
        """What the probe gets right; None where there are too few pairs."""
        count = len(self._images)
        if count < LEAST_PAIRS:
            return None
        images = np.stack([image for pair in self._images for image in pair])
        sides = np.tile([-1.0, 1.0], count)
        folds = np.repeat(_folds(self._groups), 2)
        accuracy = max(float((_guesses(images, sides, folds, penalty) == sides).mean()) for penalty in PENALTIES)
        # Two images of a pair are not independent: the interval is that of as many images as there are pairs.
        spread = 1.96 * math.sqrt(max(accuracy * (1 - accuracy), 0.25 / count) / count)
        return ProbeResult(accuracy=accuracy, low=max(0.0, accuracy - spread), high=min(1.0, accuracy + spread), pairs=count)


def features(image: Image.Image) -> Features:
    """The numbers that the probe sees of an image; their count does not depend on its size."""
    color = np.asarray(image, dtype=np.float32)
    grey = color.mean(axis=2)
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    curved = grey[1:-1, 1:-1] * 4 - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    parts = [_histogram(part) for part in (across, down, curved)]
    parts += [np.log1p(np.quantile(_blocks(np.abs(part)), QUANTILES)) for part in (across, down, curved)]
    parts += [_grid(across, axis=1), _grid(down, axis=0)]
    parts += [np.histogram(color[..., channel], bins=8, range=(0, 256))[0] / grey.size for channel in range(3)]
    small = image.convert("RGB").resize(THUMBNAIL, Image.Resampling.BOX)
    return np.concatenate([*parts, np.asarray(small, dtype=np.float64).ravel() / 255])


def _histogram(steps: NDArray[np.float32]) -> Features:
    places = np.searchsorted(STEPS, np.abs(steps).ravel())
    return np.sqrt(np.bincount(places, minlength=len(STEPS) + 1) / places.size)


def _blocks(steps: NDArray[np.float32]) -> Features:
    """The mean of every whole block."""
    rows, columns = (max(1, side // BLOCK) for side in steps.shape)
    part = steps[: rows * BLOCK, : columns * BLOCK]
    height, width = (min(BLOCK, side) for side in part.shape)
    return part.reshape(rows, height, columns, width).mean(axis=(1, 3)).astype(np.float64).ravel()


def _grid(steps: NDArray[np.float32], axis: int) -> Features:
    """How the mean step depends on the place within JPEG's blocks."""
    means = np.abs(steps).mean(axis=1 - axis)
    by_place = np.array([means[place::BLOCK].mean() if means[place::BLOCK].size else 0.0 for place in range(BLOCK)])
    return by_place / max(float(means.mean()), 1e-6)


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    """A fold for each pair: pairs of one group share it, unless there are too few groups to learn from some about others."""
    names = sorted(set(groups))
    if len(names) < FOLDS:
        return np.arange(len(groups)) % FOLDS
    order = Seed(0).child("probe").generator().permutation(len(names))
    fold = {name: int(place) % FOLDS for name, place in zip(names, order, strict=True)}
    return np.array([fold[name] for name in groups])


def _guesses(images: Features, sides: Features, folds: NDArray[np.int64], penalty: float) -> Features:
    """-1 (original) or 1 (modified) for every image, by a probe that has not seen its fold: kernel ridge regression."""
    guesses = np.empty_like(sides)
    for fold in range(FOLDS):
        seen = folds != fold
        mean, scale = images[seen].mean(axis=0), images[seen].std(axis=0) + 1e-3
        known, asked = (images[seen] - mean) / scale, (images[~seen] - mean) / scale
        weights = np.linalg.solve(_kernel(known, known) + penalty * np.eye(len(known)), sides[seen])
        guesses[~seen] = np.where(_kernel(asked, known) @ weights > 0, 1.0, -1.0)
    return guesses


def _kernel(one: Features, other: Features) -> Features:
    """Linear and curved resemblance together, each 1 on average for an image and itself."""
    size = one.shape[1]
    product = np.clip(one, -5, 5) @ np.clip(other, -5, 5).T / size
    distance = ((one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T) / size
    return product * size / 10 + np.exp(-np.maximum(distance, 0) / 2)

"""Weighted and several random picks, always from a generator that is passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def weighted(weights: Mapping[T, float], rng: np.random.Generator) -> T:
    """One key, drawn in proportion to its weight."""
    keys = [key for key, weight in weights.items() if weight > 0]
    shares = np.array([weights[key] for key in keys])
    return keys[int(rng.choice(len(keys), p=shares / shares.sum()))]


def some_of(options: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """``count`` different options in random order."""
    return [options[int(index)] for index in rng.choice(len(options), size=count, replace=False)]

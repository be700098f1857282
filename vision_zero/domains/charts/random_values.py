"""Made-up numbers of the shapes that statistics have: spread out, growing over time, parts of a whole, going together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_SHARE = 4
"""Percent that the smallest part of a whole has."""


def rounded(values: Array, decimals: int) -> list[float]:
    return [round(float(value), decimals) for value in values]


def spread_out(count: int, low: float, high: float, rng: np.random.Generator) -> Array:
    """Values that use most of the range, or of a part of it when the range covers orders of magnitude."""
    top = high if low <= 0 or high / low < 6 else low + (high - low) * float(rng.uniform(0.35, 1.0))
    return low + (top - low) * rng.beta(1.1, 1.3, size=count)


def paths(rows: int, steps: int, low: float, high: float, rng: np.random.Generator) -> Array:
    """(rows, steps) values over time: a trend with a wave and some noise."""
    time = np.linspace(0, 1, steps)
    start, end = rng.uniform(0.12, 0.88, size=(2, rows, 1))
    wave = rng.uniform(0, 0.14, size=(rows, 1)) * np.sin(2 * np.pi * (time * rng.uniform(0.6, 1.8) + rng.random((rows, 1))))
    noise = rng.normal(0, 0.035, size=(rows, steps))
    return low + (high - low) * np.clip(start + (end - start) * time + wave + noise, 0.02, 0.98)


def percentages(weights: Array) -> NDArray[np.int64]:
    """Whole percentages that sum to 100, in about those proportions, none below ``LEAST_SHARE``."""
    exact = (100 - LEAST_SHARE * len(weights)) * weights / weights.sum()
    shares = np.floor(exact).astype(np.int64)
    rest = int(100 - LEAST_SHARE * len(weights) - shares.sum())
    shares[np.argsort(shares - exact)[:rest]] += 1
    return shares + LEAST_SHARE


def related(count: int, strength: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """``count`` points in the unit square that go together as strongly as that, around a place of their own."""
    across = np.clip(rng.uniform(0.2, 0.8) + rng.normal(0, 0.22, size=count), 0.02, 0.98)
    trend = across if strength > 0 else 1 - across
    noise = rng.normal(0.5, 0.24, size=count)
    up = abs(strength) * trend + (1 - abs(strength)) * noise + rng.normal(0, 0.05, size=count)
    return across, np.clip(up, 0.02, 0.98)


def five_numbers(low: float, high: float, rng: np.random.Generator) -> Array:
    """Minimum, quartiles and maximum within the range."""
    middle, width = rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.24)
    lower, upper = middle - width * rng.uniform(0.35, 0.65), middle + width * rng.uniform(0.35, 0.65)
    least, most = lower - width * rng.uniform(0.5, 1.3), upper + width * rng.uniform(0.5, 1.3)
    return low + (high - low) * np.clip([least, lower, middle, upper, most], 0.01, 0.99)


def hill(count: int, rng: np.random.Generator) -> Array:
    """Shares of the highest bin (0 to 1): one hill, a little rough."""
    middle, width = rng.uniform(0.2, 0.8) * (count - 1), max(1.0, rng.uniform(0.18, 0.35) * count)
    shape = np.exp(-0.5 * ((np.arange(count) - middle) / width) ** 2)
    return np.clip(shape * rng.uniform(0.8, 1.2, size=count), 0.02, 1)

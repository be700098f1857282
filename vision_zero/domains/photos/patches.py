"""Where in an image something fits: the offsets at which two places look alike around an area.

The sum of squared differences over a ring is two correlations, so all offsets are compared at once with Fourier transforms of a
small copy. A constant difference is forgiven in part: cloning (:func:`vision_zero.domains.photos.filling.cloned`) takes it away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from vision_zero.domains.photos.pixels import Mask, Pixels, Weights

Costs = NDArray[np.float32]
"""(2 height, 2 width): a number for every offset, at [down % 2 height, right % 2 width]."""

FORGIVEN = 0.75
"""Share of a constant difference that costs nothing."""


@dataclass(frozen=True)
class Spectra:
    """The transforms of an image in which places are sought."""

    channels: NDArray[np.complex64]
    squares: NDArray[np.complex64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, image: Pixels) -> Spectra:
        """Those of an image, padded to twice its size so that offsets do not wrap around."""
        shape = (2 * image.shape[0], 2 * image.shape[1])
        channels = fft.rfft2(np.ascontiguousarray(image.transpose(2, 0, 1)), shape, axes=(1, 2))
        return cls(channels, fft.rfft2((image * image).sum(axis=2), shape), shape)


def ring_costs(around: Pixels, ring: Mask, sought: Spectra) -> Costs:
    """How much the sought image at p + o differs from ``around`` at p, over the ring's p, for every offset o.

    Returns:
        Mean squared differences, summed over the channels.
    """
    weights = ring.astype(np.float32)
    count = np.float32(max(weights.sum(), 1))
    own = np.ascontiguousarray((around * weights[..., None]).transpose(2, 0, 1))
    mask = np.conj(fft.rfft2(weights, sought.shape))
    squares = fft.irfft2(mask * sought.squares, sought.shape) / count
    products = (
        fft.irfft2((np.conj(fft.rfft2(own, sought.shape, axes=(1, 2))) * sought.channels).sum(axis=0), sought.shape) / count
    )
    means = fft.irfft2(mask * sought.channels, sought.shape, axes=(1, 2)) / count
    constant = ((means - own.sum(axis=(1, 2))[:, None, None] / count) ** 2).sum(axis=0)
    costs: Costs = squares - 2 * products + (own * own).sum() / count - np.float32(FORGIVEN) * constant
    return np.maximum(costs, 0)


def area_means(area: Mask, values: Weights) -> Costs:
    """The mean of ``values`` over the area moved by every offset; outside the image they count as 0."""
    shape = (2 * area.shape[0], 2 * area.shape[1])
    weights = area.astype(np.float32)
    means: Costs = fft.irfft2(np.conj(fft.rfft2(weights, shape)) * fft.rfft2(values, shape), shape) / max(weights.sum(), 1)
    return means


def inside_offsets(area: Mask) -> Mask:
    """Which offsets keep the whole area inside the image, indexed like costs."""
    height, width = area.shape
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    down = (np.arange(2 * height) + height) % (2 * height) - height
    right = (np.arange(2 * width) + width) % (2 * width) - width
    fits_down = (down + rows[0] >= 0) & (down + rows[-1] < height)
    fits_right = (right + columns[0] >= 0) & (right + columns[-1] < width)
    inside: Mask = fits_down[:, None] & fits_right[None]
    return inside


def offset_at(place: int, shape: tuple[int, int]) -> tuple[int, int]:
    """The offset (right, down) of a flat index into costs."""
    down, right = divmod(place, shape[1])
    return (right - shape[1] if right >= shape[1] // 2 else right, down - shape[0] if down >= shape[0] // 2 else down)

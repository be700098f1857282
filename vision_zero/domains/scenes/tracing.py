"""Which object each ray sees first: the visibility half of the renderer, with no colours in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.scene import Camera, Scene
from vision_zero.domains.scenes.solids import MISS, Array, Solid

GROUND = -1
"""Index of the ground where the index of an object is expected."""


@dataclass(frozen=True, slots=True)
class Rays:
    """N rays from the camera through image positions, in pixels from the upper left corner.

    Args:
        directions: (3, N); the component along the camera's own direction has length 1.
    """

    rows: Array
    columns: Array
    directions: Array

    @classmethod
    def through(cls, rows: Array, columns: Array, camera: Camera, width: int, height: int) -> Rays:
        """Those of an image of that size."""
        right, up, forward = (axis.astype(np.float32)[:, None] for axis in camera.axes())
        scale = np.float32(1 / (camera.focal * width))
        across, down = (columns - np.float32(width / 2)) * scale, (rows - np.float32(height / 2)) * scale
        return cls(rows, columns, forward + right * across - up * down)

    def only(self, which: NDArray[np.int64]) -> Rays:
        """Some of the rays, by number."""
        return Rays(self.rows[which], self.columns[which], self.directions[:, which])


@dataclass(frozen=True, slots=True)
class Hits:
    """First hits of N rays: object index or ``GROUND`` (N,), and length in units of each ray's direction (N,)."""

    index: NDArray[np.int8]
    length: Array

    def only(self, which: NDArray[np.int64]) -> Hits:
        """The hits of some of the rays, by number."""
        return Hits(self.index[which], self.length[which])


@dataclass(frozen=True, slots=True)
class View:
    """A traced image: a ray through the middle of every pixel and its first hit, in row-major order, and how large each object
    would be if nothing hid it."""

    width: int
    height: int
    rays: Rays
    hits: Hits
    silhouettes: tuple[int, ...]

    @classmethod
    def of(cls, scene: Scene, solids: Sequence[Solid], width: int, height: int) -> View:
        """The image of a scene, whose solids these are, in that size."""
        rows, columns = np.indices((height, width), dtype=np.float32).reshape(2, -1) + np.float32(0.5)
        rays = Rays.through(rows, columns, scene.camera, width, height)
        hits, silhouettes = look(scene.camera, solids, width, height, rays)
        return cls(width, height, rays, hits, silhouettes)

    def mask(self) -> NDArray[np.int8]:
        """(height, width) index of the object that each pixel shows, ``GROUND`` elsewhere."""
        return self.hits.index.reshape(self.height, self.width)

    def visible_pixels(self) -> tuple[int, ...]:
        """Pixels that show each object."""
        counts = np.bincount(self.hits.index[self.hits.index >= 0], minlength=len(self.silhouettes))
        return tuple(int(count) for count in counts)


def eye(camera: Camera) -> Array:
    """(3, 1) where the rays of an image start."""
    return np.asarray(camera.location, dtype=np.float32)[:, None]


def trace(solids: Sequence[Solid], origins: Array, directions: Array) -> Hits:
    """First hits of arbitrary rays (3, N) that start at ``origins``, (3, N) or (3, 1)."""
    return _first_hits(solids, origins, directions, [slice(None)] * len(solids))[0]


def look(camera: Camera, solids: Sequence[Solid], width: int, height: int, rays: Rays) -> tuple[Hits, tuple[int, ...]]:
    """First hits of rays through an image of that size, and how many rays would hit each solid if it stood alone.

    Each solid is tried only inside its own rectangle of the image.
    """
    tried = [np.flatnonzero(_may_show(camera, solid, width, height, rays)) for solid in solids]
    return _first_hits(solids, eye(camera), rays.directions, tried)


def _first_hits(
    solids: Sequence[Solid], origins: Array, directions: Array, tried: Sequence[NDArray[np.int64] | slice]
) -> tuple[Hits, tuple[int, ...]]:
    """First hits, and how many rays hit each solid, which is tried with some of the rays: those that may meet it."""
    falling = directions[2] < -1e-6
    length = np.where(falling, -origins[2] / np.where(falling, directions[2], 1), MISS).astype(np.float32)
    index = np.full(length.shape, GROUND, dtype=np.int8)
    counts = []
    for number, (solid, rays) in enumerate(zip(solids, tried, strict=True)):
        starts = origins if origins.shape[1] == 1 else origins[:, rays]
        distance = solid.intersect(starts, directions[:, rays])
        closer = distance < length[rays]
        length[rays] = np.where(closer, distance, length[rays])
        index[rays] = np.where(closer, number, index[rays])
        counts.append(int(np.count_nonzero(np.isfinite(distance))))
    return Hits(index, length), tuple(counts)


def _may_show(camera: Camera, solid: Solid, width: int, height: int, rays: Rays) -> NDArray[np.bool_]:
    """(N,): is the ray inside the rectangle of the image that can show the solid?"""
    column, row, depth = camera.project(solid.center[:, 0].astype(np.float64), width, height)
    # A ball of radius r at depth d spans at most focal * r / (d - r) around its centre, up to the slant of the rays.
    margin = 1.3 * camera.focal * width * solid.reach / max(depth - solid.reach, 1e-3) + 1
    down = (rays.rows >= int(row - margin)) & (rays.rows < int(row + margin) + 1)
    across = (rays.columns >= int(column - margin)) & (rays.columns < int(column + margin) + 1)
    return np.asarray(down & across)

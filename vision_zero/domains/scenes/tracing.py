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
class Hits:
    """First hits of N rays: object index or ``GROUND`` (N,), and length in units of each ray's direction (N,)."""

    index: NDArray[np.int8]
    length: Array

    def only(self, which: NDArray[np.int64]) -> Hits:
        """The hits of some of the rays, by number."""
        return Hits(self.index[which], self.length[which])


@dataclass(frozen=True, slots=True)
class View:
    """A traced picture: first hits in row-major order, and how large each object would be if nothing hid it."""

    width: int
    height: int
    directions: Array
    hits: Hits
    silhouettes: tuple[int, ...]

    def mask(self) -> NDArray[np.int8]:
        """(height, width) index of the object that each pixel shows, ``GROUND`` elsewhere."""
        return self.hits.index.reshape(self.height, self.width)

    def visible_pixels(self) -> tuple[int, ...]:
        """Pixels that show each object."""
        counts = np.bincount(self.hits.index[self.hits.index >= 0], minlength=len(self.silhouettes))
        return tuple(int(count) for count in counts)


def pixel_directions(camera: Camera, width: int, height: int, columns: Array, rows: Array) -> Array:
    """(3, N) directions through picture positions (column, row) in pixels; the forward component has length 1."""
    right, up, forward = (axis.astype(np.float32)[:, None] for axis in camera.axes())
    scale = np.float32(1 / (camera.focal * width))
    across, down = (columns - np.float32(width / 2)) * scale, (rows - np.float32(height / 2)) * scale
    return forward + right * across - up * down


def ground_length(height: float | Array, fall: Array) -> Array:
    """Length of rays that start at ``height`` and fall by ``fall`` (N,) per unit, to the ground; ``MISS`` if they rise."""
    falling = fall < -1e-6
    return np.where(falling, -height / np.where(falling, fall, 1), MISS).astype(np.float32)


def trace(solids: Sequence[Solid], origins: Array, directions: Array) -> Hits:
    """First hits of arbitrary rays (3, N) that start at ``origins``, (3, N) or (3, 1)."""
    length = np.broadcast_to(ground_length(origins[2], directions[2]), directions.shape[1:]).copy()
    index = np.full(length.shape, GROUND, dtype=np.int8)
    for number, solid in enumerate(solids):
        distance = solid.intersect(origins, directions)
        closer = distance < length
        np.copyto(length, distance, where=closer)
        index[closer] = number
    return Hits(index, length)


def look(scene: Scene, solids: Sequence[Solid], width: int, height: int) -> View:
    """Trace one ray through the middle of every pixel; each solid is tried only inside its own rectangle."""
    rows, columns = np.indices((height, width), dtype=np.float32) + np.float32(0.5)
    directions = pixel_directions(scene.camera, width, height, columns.ravel(), rows.ravel())
    origin = np.asarray(scene.camera.location, dtype=np.float32)[:, None]
    length = ground_length(float(origin[2, 0]), directions[2]).reshape(height, width)
    index = np.full((height, width), GROUND, dtype=np.int8)
    grid = directions.reshape(3, height, width)
    silhouettes = []
    for number, solid in enumerate(solids):
        window = _rectangle(scene.camera, solid, width, height)
        rays = grid[(slice(None), *window)]
        distance = solid.intersect(origin, rays.reshape(3, -1)).reshape(rays.shape[1:])
        silhouettes.append(int(np.count_nonzero(np.isfinite(distance))))
        closer = distance < length[window]
        np.copyto(length[window], distance, where=closer)
        index[window][closer] = number
    return View(width, height, directions, Hits(index.ravel(), length.ravel()), tuple(silhouettes))


def look_again(scene: Scene, solids: Sequence[Solid], view: View, rows: Array, columns: Array, directions: Array) -> Hits:
    """First hits of N more rays through picture positions; each solid is tried only inside its own rectangle."""
    origin = np.asarray(scene.camera.location, dtype=np.float32)[:, None]
    length = ground_length(float(origin[2, 0]), directions[2])
    index = np.full(length.shape, GROUND, dtype=np.int8)
    for number, solid in enumerate(solids):
        down, across = _rectangle(scene.camera, solid, view.width, view.height)
        inside = (rows >= down.start) & (rows < down.stop) & (columns >= across.start) & (columns < across.stop)
        rays = np.flatnonzero(inside)
        distance = solid.intersect(origin, directions[:, rays])
        closer = distance < length[rays]
        length[rays[closer]] = distance[closer]
        index[rays[closer]] = number
    return Hits(index, length)


def _rectangle(camera: Camera, solid: Solid, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the picture that can show the solid."""
    column, row, depth = camera.project(solid.center[:, 0].astype(np.float64), width, height)
    # A ball of radius r at depth d spans at most focal * r / (d - r) around its centre, up to the slant of the rays.
    margin = 1.3 * camera.focal * width * solid.reach / max(depth - solid.reach, 1e-3) + 1
    return (
        slice(max(0, int(row - margin)), min(height, int(row + margin) + 1)),
        slice(max(0, int(column - margin)), min(width, int(column + margin) + 1)),
    )

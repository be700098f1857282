"""Where a ray meets a solid, and the surface's normal there.

Arrays are component-first, shape (3, N), float32: the three rows are contiguous, which is what numpy is fast at.
A solid lives in its own frame: moved to the origin, turned, and scaled so that it fills the cube [-1, 1]³. Ray lengths
are not rescaled, so ``t`` is in world units in both frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.pairs.scenes.scene import SceneObject, Shape

Array = NDArray[np.float32]

BEVEL = 0.08
"""Share of the half-size over which an edge of a cube or a rim of a cylinder is rounded (CLEVR's solids are "smooth")."""
MISS = np.float32(np.inf)
_TINY = np.float32(1e-9)
_NEAR = np.float32(1e-3)


def dot(one: Array, two: Array) -> Array:
    """Products of vectors (3, N), one by one: (N,). Written out, since numpy reduces a first axis of three slowly."""
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def unit(vectors: Array) -> Array:
    """The same directions (3, N) with length 1."""
    return vectors / np.sqrt(dot(vectors, vectors) + _TINY, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Solid:
    """A scene object with its frame worked out once."""

    shape: Shape
    center: Array
    half: np.float32
    cosine: np.float32
    sine: np.float32

    @classmethod
    def of(cls, item: SceneObject) -> Solid:
        angle = math.radians(item.rotation)
        center = np.asarray(item.center, dtype=np.float32)[:, None]
        return cls(item.shape, center, np.float32(item.half_height), np.float32(math.cos(angle)), np.float32(math.sin(angle)))

    @property
    def reach(self) -> float:
        """Radius of the smallest ball around the centre that holds the solid."""
        widening = {"sphere": 1.0, "cylinder": math.sqrt(2.0), "cube": math.sqrt(3.0)}[self.shape]
        return float(self.half) * widening

    def _to_frame(self, vectors: Array) -> Array:
        x, y, z = vectors
        scale = 1 / self.half
        return np.stack([(self.cosine * x + self.sine * y) * scale, (self.cosine * y - self.sine * x) * scale, z * scale])

    def _from_frame(self, vectors: Array) -> Array:
        x, y, z = vectors
        return np.stack([self.cosine * x - self.sine * y, self.sine * x + self.cosine * y, z])

    def intersect(self, origins: Array, directions: Array) -> Array:
        """Length t > 0 of each ray to its first hit, ``MISS`` where there is none.

        Args:
            origins: (3, N) or (3, 1) ray starts in the world.
            directions: (3, N) ray directions, of any length.

        Returns:
            (N,) lengths in units of each direction.
        """
        start, step = self._to_frame(origins - self.center), self._to_frame(directions)
        if self.shape == "sphere":
            return _sphere(start, step)
        return _box(start, step) if self.shape == "cube" else _cylinder(start, step)

    def normals(self, points: Array) -> Array:
        """Outward unit normals (3, N) at surface points (3, N), rounded towards the edges."""
        local = self._to_frame(points - self.center)
        if self.shape == "cube":
            local = _rounded(local)
        elif self.shape == "cylinder":
            radius = np.sqrt(local[0] ** 2 + local[1] ** 2) + _TINY
            side, cap = _rounded(np.stack([radius, local[2]]))
            local = np.stack([side * local[0] / radius, side * local[1] / radius, cap])
        world = self._from_frame(local)
        return unit(world)


def _rounded(local: Array) -> Array:
    """Gradient of a rounded box: the face's axis in the middle of a face, blended with its neighbour's over the bevel."""
    excess = np.maximum(np.abs(local) - np.float32(1 - BEVEL), np.float32(0))
    return np.sign(local) * excess


def _first_positive(near: Array, far: Array, hit: NDArray[np.bool_]) -> Array:
    t = np.where(near > _NEAR, near, far)
    return np.where(hit & (t > _NEAR), t, MISS)


def _sphere(start: Array, step: Array) -> Array:
    a = dot(step, step)
    half_b = dot(start, step)
    c = dot(start, start) - 1
    discriminant = half_b * half_b - a * c
    root = np.sqrt(np.maximum(discriminant, 0))
    return _first_positive((-half_b - root) / a, (-half_b + root) / a, discriminant > 0)


def _box(start: Array, step: Array) -> Array:
    inverse = 1 / np.where(np.abs(step) < _TINY, _TINY, step)
    one, two = (-1 - start) * inverse, (1 - start) * inverse
    near = np.minimum(one, two).max(axis=0)
    far = np.maximum(one, two).min(axis=0)
    return _first_positive(near, far, near < far)


def _cylinder(start: Array, step: Array) -> Array:
    """The intersection of an upright tube with the slab between its caps."""
    a = np.maximum(step[0] * step[0] + step[1] * step[1], _TINY)
    half_b = start[0] * step[0] + start[1] * step[1]
    discriminant = half_b * half_b - a * (start[0] * start[0] + start[1] * start[1] - 1)
    root = np.sqrt(np.maximum(discriminant, 0))
    inverse = 1 / np.where(np.abs(step[2]) < _TINY, _TINY, step[2])
    one, two = (-1 - start[2]) * inverse, (1 - start[2]) * inverse
    near = np.maximum((-half_b - root) / a, np.minimum(one, two))
    far = np.minimum((-half_b + root) / a, np.maximum(one, two))
    return _first_positive(near, far, (discriminant > 0) & (near < far))

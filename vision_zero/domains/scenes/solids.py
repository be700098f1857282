"""Where a ray meets a solid, and the surface's normal there.

Arrays are component-first, shape (3, N), float32: the three rows are contiguous, which is what numpy is fast at.
A solid lives in its own frame: moved to the origin, turned, and scaled so that it fills the cube [-1, 1]³. Ray lengths
are not rescaled, so ``t`` is in world units in both frames. All solids are convex: a ray that starts outside a solid or on
it and leaves it never meets it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.scene import RADII, SceneObject, Shape

Array = NDArray[np.float32]

BEVELS: Mapping[Shape, float] = MappingProxyType({"cube": 0.2, "cylinder": 0.1})
"""Radius of the rounded edges and rims as a share of the half-size (CLEVR's meshes are ``SmoothCube`` and ``SmoothCylinder``).

0.2 takes an eighth off the outline of a cube with sharp edges, as real CLEVR cubes have it.
"""
MISS = np.float32(np.inf)
_TINY = np.float32(1e-9)
_NEAR = np.float32(1e-3)
_ON_SURFACE = np.float32(1e-3)
_WITHOUT_BEVEL = np.float32(0.97)
"""A sharp cube of this half-size throws about the shadow of a rounded one."""
_NEWTON_STEPS = 6
"""Newton's method on the rounded edges: enough for an error below ``_ON_SURFACE`` but for the most grazing rays."""


def dot(one: Array, two: Array) -> Array:
    """Products of vectors (3, N), one by one: (N,). Written out, since numpy reduces a first axis of three slowly."""
    products = one[0] * two[0]
    products += one[1] * two[1]
    products += one[2] * two[2]
    return products


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
        center, half = np.asarray(item.center, dtype=np.float32)[:, None], np.float32(RADII[item.size])
        return cls(item.shape, center, half, np.float32(math.cos(angle)), np.float32(math.sin(angle)))

    @property
    def reach(self) -> float:
        """Radius of the smallest ball around the centre that holds the solid."""
        widening = {"sphere": 1.0, "cylinder": math.sqrt(2.0), "cube": math.sqrt(3.0)}[self.shape]
        return float(self.half) * widening

    def _to_frame(self, vectors: Array) -> Array:
        x, y, z = vectors
        scale = 1 / self.half
        local = np.empty_like(vectors)
        np.multiply(self.cosine * x + self.sine * y, scale, out=local[0])
        np.multiply(self.cosine * y - self.sine * x, scale, out=local[1])
        np.multiply(z, scale, out=local[2])
        return local

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
        near, far = _HULLS[self.shape](start, step)
        if self.shape == "sphere":
            return np.where((near < far) & (near > _NEAR), near, MISS)
        return _onto_bevels(start, step, near, far, self.shape)

    def blocks(self, origins: Array, directions: Array) -> NDArray[np.bool_]:
        """Does the solid stand in the way of segments from outside it? Its bevels are left out: shadows do not show them.

        Args:
            origins: (3, N) where the segments start.
            directions: (3, N) from there to where they end.
        """
        start, step = self._to_frame(origins - self.center), self._to_frame(directions)
        if self.shape == "cube":
            start, step = start / _WITHOUT_BEVEL, step / _WITHOUT_BEVEL
        near, far = _HULLS[self.shape](start, step)
        return (near < far) & (far > 0) & (near < 1)

    def covers(self, points: Array) -> NDArray[np.bool_]:
        """(N,) are these points of the ground under the solid's flat foot or the bevel round it?"""
        if self.shape == "sphere":
            return np.zeros(points.shape[1], dtype=bool)
        x, y, _ = self._to_frame(points - self.center)
        return np.asarray(np.maximum(np.abs(x), np.abs(y)) < 1 if self.shape == "cube" else x * x + y * y < 1)

    def normals(self, points: Array) -> Array:
        """Outward unit normals (3, N) at surface points (3, N), rounded towards the edges."""
        local = self._to_frame(points - self.center)
        if self.shape == "cube":
            local = _rounded(local, BEVELS[self.shape])
        elif self.shape == "cylinder":
            radius = np.sqrt(local[0] ** 2 + local[1] ** 2) + _TINY
            side, cap = _rounded(np.stack([radius, local[2]]), BEVELS[self.shape])
            local = np.stack([side * local[0] / radius, side * local[1] / radius, cap])
        world = self._from_frame(local)
        return unit(world)


def _rounded(local: Array, bevel: float) -> Array:
    """Gradient of a rounded box: the face's axis in the middle of a face, turning into its neighbour's over the bevel."""
    excess = np.maximum(np.abs(local) - np.float32(1 - bevel), np.float32(0))
    return np.sign(local) * excess


def _ball_span(start: Array, step: Array) -> tuple[Array, Array]:
    return _roots(dot(step, step), dot(start, step), dot(start, start) - 1)


def _roots(a: Array, half_b: Array, c: Array) -> tuple[Array, Array]:
    """Where a t² + 2 half_b t + c is 0; nowhere is told by an exit before the entry."""
    discriminant = half_b * half_b - a * c
    root = np.sqrt(np.maximum(discriminant, 0))
    return (-half_b - root) / a, np.where(discriminant > 0, (-half_b + root) / a, -MISS)


def _slabs(start: Array, step: Array) -> tuple[Array, Array]:
    """Where rays enter and leave the space between the faces at -1 and 1 of each axis."""
    inverse = 1 / np.where(np.abs(step) < _TINY, _TINY, step)
    one, two = (-1 - start) * inverse, (1 - start) * inverse
    return np.minimum(one, two), np.maximum(one, two)


def _cube_span(start: Array, step: Array) -> tuple[Array, Array]:
    near, far = _slabs(start, step)
    return near.max(axis=0), far.min(axis=0)


def _tube_span(start: Array, step: Array) -> tuple[Array, Array]:
    """The intersection of an upright tube with the slab between its caps."""
    a = np.maximum(step[0] * step[0] + step[1] * step[1], _TINY)
    half_b = start[0] * step[0] + start[1] * step[1]
    near, far = _roots(a, half_b, start[0] * start[0] + start[1] * start[1] - 1)
    low, high = _slabs(start[2:], step[2:])
    return np.maximum(near, low[0]), np.minimum(far, high[0])


_HULLS: Mapping[Shape, Callable[[Array, Array], tuple[Array, Array]]] = MappingProxyType(
    {"sphere": _ball_span, "cube": _cube_span, "cylinder": _tube_span}
)
"""Where rays enter and leave a solid with sharp edges; they miss it where the exit is before the entry."""


def _cube_excess(points: Array, step: Array) -> tuple[Array, Array]:
    beyond = np.maximum(np.abs(points) - np.float32(1 - BEVELS["cube"]), np.float32(0))
    distance = np.sqrt(dot(beyond, beyond) + _TINY)
    return distance, dot(beyond, step * np.sign(points)) / distance


def _cylinder_excess(points: Array, step: Array) -> tuple[Array, Array]:
    radius = np.sqrt(points[0] * points[0] + points[1] * points[1] + _TINY)
    outwards = (points[0] * step[0] + points[1] * step[1]) / radius
    inner = np.float32(1 - BEVELS["cylinder"])
    side, cap = np.maximum(radius - inner, np.float32(0)), np.maximum(np.abs(points[2]) - inner, np.float32(0))
    distance = np.sqrt(side * side + cap * cap + _TINY)
    return distance, (side * outwards + cap * step[2] * np.sign(points[2])) / distance


_EXCESS: Mapping[Shape, Callable[[Array, Array], tuple[Array, Array]]] = MappingProxyType(
    {"cube": _cube_excess, "cylinder": _cylinder_excess}
)
"""Distance (N,) of points (3, N) from a solid without its bevels, and how fast it grows along rays (3, N) through them."""


def _onto_bevels(start: Array, step: Array, near: Array, far: Array, shape: Shape) -> Array:
    """First hits with a rounded solid of rays that cross its sharp-edged hull between ``near`` and ``far``.

    A rounded solid is all points within the bevel's radius of a smaller sharp one. That distance is convex along a ray, so
    Newton's method from the hull's surface walks up to the first hit from outside and never past it.
    """
    excess, bevel = _EXCESS[shape], np.float32(BEVELS[shape])
    lengths = np.full(near.shape, MISS, dtype=np.float32)
    inside = np.flatnonzero((near < far) & (far > _NEAR))
    origin = start if start.shape[1] == 1 else start[:, inside]
    along, reached = step[:, inside], np.maximum(near[inside], np.float32(0))
    distance, growth = excess(origin + along * reached, along)
    lengths[inside] = np.where((distance <= bevel + _ON_SURFACE) & (reached > _NEAR), reached, MISS)
    left = np.flatnonzero((distance > bevel + _ON_SURFACE) & (growth < 0))
    if not left.size:
        return lengths
    origin = origin if origin.shape[1] == 1 else origin[:, left]
    along, reached, distance, growth = along[:, left], reached[left], distance[left], growth[left]
    for _ in range(_NEWTON_STEPS):
        # A ray that has passed the solid's nearest point comes no closer: its step is 0 from there on.
        reached = reached + np.where(growth < 0, (distance - bevel) / np.maximum(-growth, _TINY), np.float32(0))
        distance, growth = excess(origin + along * reached, along)
    found = (distance <= bevel + 2 * _ON_SURFACE) & (reached > _NEAR) & (reached <= far[inside][left])
    lengths[inside[left]] = np.where(found, reached, MISS)
    return lengths

"""The studio's lamps: how much light of each reaches a point, how much of it the solids block, and its highlights.

Arrays are component-first, (3, N). Three lamps are discs aimed at the origin, the fourth is a sun: its rays are parallel up
to the width of its disc. Powers and positions are CLEVR's, as Kubric (Greff et al., 2022) reads them from
``base_scene.blend``; the discs are wider, since a path tracer's light comes round corners and ours does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vision_zero.pairs.scenes.scene import Lamps, Point
from vision_zero.pairs.scenes.solids import Array, Solid, dot, unit

_SUN_REACH = np.float32(12.0)
"""Shadow rays to the sun end after this many units; no solid's shadow is longer."""
_GOLDEN = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, slots=True)
class Light:
    """One lamp.

    Args:
        place: (3, 1) where it is; of a sun only the direction from the origin counts.
        power: watts; of a sun the light on a surface that faces it.
        radius: of its disc; of a sun at distance 1.
        disc: two unit vectors (3, 1) that span the disc, which faces the origin.
    """

    place: Array
    power: float
    radius: float
    disc: tuple[Array, Array]
    is_sun: bool = False

    @classmethod
    def at(cls, place: Point, power: float, radius: float, is_sun: bool = False) -> Light:
        facing = np.asarray(place) / np.linalg.norm(place)
        across = np.cross(facing, (0.0, 0.0, 1.0))
        across /= np.linalg.norm(across)
        return cls(_column(place), power, radius, (_column(across), _column(np.cross(facing, across))), is_sun)

    def _towards(self, points: Array) -> Array:
        if self.is_sun:
            return np.broadcast_to(unit(self.place) * _SUN_REACH, points.shape)
        return self.place - points

    def on(self, points: Array, normals: Array) -> Array:
        """Light (N,) that surfaces at those points would receive if nothing stood between (W/m²)."""
        if self.is_sun:
            return np.float32(self.power) * np.maximum(dot(unit(self.place), normals), np.float32(0))
        towards = self.place - points
        squared = dot(towards, towards)
        # Cosine law at both ends: the disc faces the origin.
        cosines = np.maximum(dot(towards, normals), np.float32(0)) * np.maximum(dot(towards, unit(self.place)), np.float32(0))
        return cosines * np.float32(self.power / math.pi) / (squared * squared)

    def seen_from(self, points: Array, index: NDArray[np.int8], solids: Sequence[Solid], rays: int) -> Array:
        """Share of the lamp's disc (N,) that each point of object ``index`` sees, from ``rays`` places on it.

        A solid is convex, so a point that faces the lamp is never in its own solid's shadow.
        """
        towards = self._towards(points)
        span = np.sqrt(dot(towards, towards))
        spread = np.float32(self.radius) if self.is_sun else np.float32(self.radius) / span
        blocked = np.zeros((rays, points.shape[1]), dtype=bool)
        for number, solid in enumerate(solids):
            offset = solid.center - points
            along = dot(offset, towards) / span
            reach = solid.reach + spread * np.maximum(along, np.float32(0))
            miss = dot(offset, offset) - along * along
            maybe = np.flatnonzero((miss < reach * reach) & (along > -solid.reach) & (index != number))
            if maybe.size:
                blocked[:, maybe] |= self._blocks(solid, points[:, maybe], rays)
        return 1 - blocked.mean(axis=0, dtype=np.float32)

    def _blocks(self, solid: Solid, points: Array, rays: int) -> NDArray[np.bool_]:
        """(rays, N): does the solid stand between each point and each of its places on the lamp?"""
        number = np.arange(rays, dtype=np.float32)[:, None]
        # A sunflower pattern fills a disc evenly; turning it by a hash of the point trades bands for fine grain.
        grain = np.modf(np.abs(np.sin(points[0] * 127.1 + points[1] * 311.7 + points[2] * 74.7)) * 43758.547)[0]
        angle = number * np.float32(_GOLDEN) + grain * np.float32(2 * math.pi)
        radius = np.sqrt((number + np.modf(grain * 57)[0]) / rays) * np.float32(self.radius * (_SUN_REACH if self.is_sun else 1))
        across, along = self.disc
        disc = across[:, :, None] * (radius * np.cos(angle)) + along[:, :, None] * (radius * np.sin(angle))
        step = (self._towards(points)[:, None, :] + disc).reshape(3, -1).astype(np.float32)
        start = np.broadcast_to(points[:, None, :], (3, rays, points.shape[1])).reshape(3, -1)
        return solid.blocks(start, step).reshape(rays, -1)

    def highlight(self, points: Array, normals: Array, view: Array, roughness: float) -> Array:
        """The lamp's blurred mirror image (N,) in a surface that reflects everything (GGX's lobe, widened by the disc)."""
        towards = self._towards(points)
        size = self.radius if self.is_sun else self.radius / float(np.linalg.norm(self.place))
        half = unit(unit(towards) - view)
        cosine = np.clip(dot(half, normals), 0, 1)
        squared = np.float32((roughness + size / 2) ** 2)
        lobe = squared / (np.float32(math.pi) * (cosine * cosine * (squared - 1) + 1) ** 2)
        return (self.on(points, normals) * lobe / np.maximum(-4 * dot(view, normals), np.float32(0.4))).astype(np.float32)


def lights(lamps: Lamps) -> tuple[Light, ...]:
    """The lamps of a scene with their powers and sizes."""
    return (
        Light.at(lamps.key, power=95.0, radius=0.5),
        Light.at(lamps.fill, power=32.0, radius=0.5),
        Light.at(lamps.back, power=50.0, radius=0.6),
        Light.at(lamps.sun, power=0.50, radius=0.1, is_sun=True),
    )


def _column(place: ArrayLike) -> Array:
    return np.asarray(place, dtype=np.float32)[:, None]

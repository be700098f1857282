"""The colour of surface points: lamps, soft shadows, contact shade, rubber and metal.

Light is linear RGB, component-first (3, N). This is not a physical simulation but CLEVR's look with few rays: one soft
key lamp that casts shadows, two lamps that do not, an even sky with contact shade, and one mirror bounce for metal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.pairs.scenes.scene import PALETTE, Point, Scene
from vision_zero.pairs.scenes.solids import Array, Solid, dot, unit
from vision_zero.pairs.scenes.tracing import GROUND, Hits, trace

GROUND_ALBEDO = 0.31
KEY, FILL, BACK = 1.0, 0.30, 0.30
SKY = 0.36
_LIFT = np.float32(2e-3)
"""Shadow and mirror rays start this far off the surface, so that they do not hit it again."""
_GOLDEN = math.pi * (3 - math.sqrt(5))


def linear(srgb: NDArray[np.float64]) -> Array:
    """sRGB in [0, 1] to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light: Array) -> Array:
    """Linear light to sRGB in [0, 1] (IEC 61966-2-1), too bright parts clipped."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The paint of a scene, ready for lookup by object index; the last entry is the ground (index -1)."""

    albedo: Array
    is_metal: NDArray[np.bool_]

    @classmethod
    def of(cls, scene: Scene) -> Surfaces:
        paints = [linear(np.asarray(PALETTE[item.color]) / 255) for item in scene.objects]
        metal = [item.material == "metal" for item in scene.objects]
        albedo = np.stack([*paints, np.full(3, GROUND_ALBEDO, dtype=np.float32)], axis=1)
        return cls(albedo, np.asarray([*metal, False]))


@dataclass(frozen=True, slots=True)
class Studio:
    """A scene prepared for shading."""

    solids: Sequence[Solid]
    surfaces: Surfaces
    scene: Scene

    @classmethod
    def of(cls, scene: Scene) -> Studio:
        return cls([Solid.of(item) for item in scene.objects], Surfaces.of(scene), scene)

    def shade(self, points: Array, directions: Array, hits: Hits, shadow_rays: int) -> Array:
        """Light (3, N) that surface points send back along the rays that found them.

        Args:
            points: (3, N) surface points.
            directions: (3, N) directions of the rays, of any length.
            hits: what the rays found.
            shadow_rays: rays per point towards the key lamp's disc.
        """
        normals = self._normals(points, hits.index)
        lit = self._matte(points, normals, hits.index, shadow_rays)
        metal = np.flatnonzero(self.surfaces.is_metal[hits.index])
        rubber = np.flatnonzero((hits.index != GROUND) & ~self.surfaces.is_metal[hits.index])
        view = unit(directions)
        if rubber.size:
            lit[:, rubber] += 0.10 * self._gloss(points[:, rubber], normals[:, rubber], view[:, rubber], power=12)
        if metal.size:
            lit[:, metal] = self._metal(points[:, metal], normals[:, metal], view[:, metal], hits.index[metal], lit[:, metal])
        return lit

    def _normals(self, points: Array, index: NDArray[np.int8]) -> Array:
        normals = np.zeros_like(points)
        normals[2] = 1
        for number, solid in enumerate(self.solids):
            own = np.flatnonzero(index == number)
            if own.size:
                normals[:, own] = solid.normals(points[:, own])
        return normals

    def _matte(self, points: Array, normals: Array, index: NDArray[np.int8], shadow_rays: int) -> Array:
        """Diffuse light: key lamp behind its shadows, fill and back lamps, and a sky dimmed where solids are near."""
        lamps = self.scene.lamps
        start = points + _LIFT * normals
        key = KEY * _lambert(points, normals, lamps.key)
        lit = np.flatnonzero(key > 0)
        key[lit] *= self._sunlit(start[:, lit], shadow_rays)
        others = FILL * _lambert(points, normals, lamps.fill) + BACK * _lambert(points, normals, lamps.back)
        sky = SKY * (0.75 + 0.25 * normals[2])
        return self.surfaces.albedo[:, index] * (key + (others + sky) * self._openness(points, normals, index))

    def _openness(self, points: Array, normals: Array, index: NDArray[np.int8]) -> Array:
        """Share of the sky (N,) that the solids leave open: each solid counts as a ball (Quilez, sphere occlusion)."""
        openness = np.ones(points.shape[1], dtype=np.float32)
        for number, solid in enumerate(self.solids):
            offset = solid.center - points
            squared = dot(offset, offset)
            near = np.flatnonzero((squared < (6 * solid.half) ** 2) & (index != number))
            if near.size:
                distance = np.sqrt(squared[near])
                facing = np.clip(dot(offset[:, near], normals[:, near]) / distance, 0, 1)
                openness[near] *= 1 - facing * np.minimum(solid.half**2 / squared[near], 1)
        return openness

    def _sunlit(self, points: Array, rays: int) -> Array:
        """Share of the key lamp's disc (N,) that each point sees, from ``rays`` positions turned point by point."""
        lamp = np.asarray(self.scene.lamps.key, dtype=np.float32)[:, None]
        softness = self.scene.lamps.softness
        towards = lamp - points
        span = np.sqrt(dot(towards, towards))
        blocked = np.zeros((rays, points.shape[1]), dtype=bool)
        for solid in self.solids:
            offset = solid.center - points
            along = dot(offset, towards) / span
            miss = dot(offset, offset) - along * along
            reach = solid.reach + softness * np.clip(along / span, 0, 1)
            maybe = np.flatnonzero((miss < reach * reach) & (along > -solid.reach))
            if maybe.size:
                blocked[:, maybe] |= self._blocks(solid, points[:, maybe], lamp, rays)
        return 1 - blocked.mean(axis=0, dtype=np.float32)

    def _blocks(self, solid: Solid, points: Array, lamp: Array, rays: int) -> NDArray[np.bool_]:
        """(rays, N): does the solid stand between each point and each of its positions on the lamp?"""
        number = np.arange(rays, dtype=np.float32)[:, None]
        # A sunflower pattern fills a disc evenly; turning it by a hash of the point trades bands for fine grain.
        turn = np.modf(np.abs(np.sin(points[0] * 127.1 + points[1] * 311.7 + points[2] * 74.7)) * 43758.547)[0]
        angle = number * np.float32(_GOLDEN) + turn * np.float32(2 * math.pi)
        radius = self.scene.lamps.softness * np.sqrt((number + 0.5) / rays)
        across, along = _disc_axes(lamp)
        target = lamp[:, :, None] + across[:, :, None] * (radius * np.cos(angle)) + along[:, :, None] * (radius * np.sin(angle))
        step = (target - points[:, None, :]).reshape(3, -1).astype(np.float32)
        start = np.broadcast_to(points[:, None, :], (3, rays, points.shape[1])).reshape(3, -1)
        return (solid.intersect(start, step) < 1).reshape(rays, -1)

    def _gloss(self, points: Array, normals: Array, view: Array, power: float) -> Array:
        """Blinn's highlight (N,) of the key and fill lamps."""
        total = np.zeros(points.shape[1], dtype=np.float32)
        for lamp, strength in ((self.scene.lamps.key, 1.0), (self.scene.lamps.fill, 0.35)):
            half = unit(_towards(points, lamp) - view)
            total += strength * np.clip(dot(half, normals), 0, 1) ** power
        return total

    def _metal(self, points: Array, normals: Array, view: Array, index: NDArray[np.int8], matte: Array) -> Array:
        """Tinted mirror image of the surroundings, a little of the matte colour, and a sharp highlight."""
        mirror = view - 2 * dot(view, normals) * normals
        start = points + _LIFT * normals
        found = trace(self.solids, start, mirror)
        seen = self._surroundings(mirror)
        solid = np.flatnonzero(np.isfinite(found.length))
        if solid.size:
            place = start[:, solid] + mirror[:, solid] * found.length[solid]
            what = found.index[solid]
            near = self._matte(place, self._normals(place, what), what, shadow_rays=4)
            haze = np.exp(-found.length[solid] / 14)
            seen[:, solid] = near * haze + seen[:, solid] * (1 - haze)
        grazing = (1 - np.clip(-dot(view, normals), 0, 1)) ** 5
        tint = self.surfaces.albedo[:, index]
        tint = tint + (1 - tint) * (0.04 + 0.5 * grazing)
        shine = 0.9 * self._gloss(points, normals, view, power=160) + 0.3 * self._gloss(points, normals, view, power=24)
        return 1.3 * tint * seen + 0.15 * matte + shine

    def _surroundings(self, directions: Array) -> Array:
        """Light (3, N) from where no object is: a grey studio, darker above, with the lamps as soft boxes in it."""
        glow = 0.20 + 0.30 * np.clip(1 - directions[2], 0, 1) ** 2
        lamps = self.scene.lamps
        for lamp, strength, size in ((lamps.key, 2.4, 60), (lamps.fill, 0.9, 25), (lamps.back, 0.9, 25)):
            place = np.asarray(lamp, dtype=np.float32)
            facing = np.clip(directions.T @ (place / np.linalg.norm(place)), 0, 1)
            glow = glow + strength * facing**size
        return np.broadcast_to(glow.astype(np.float32), directions.shape).copy()


def _towards(points: Array, lamp: Point) -> Array:
    return unit(np.asarray(lamp, dtype=np.float32)[:, None] - points)


def _lambert(points: Array, normals: Array, lamp: Point) -> Array:
    """Cosine law (N,) with a fall-off that is 1 for a point under the middle of the scene."""
    place = np.asarray(lamp, dtype=np.float32)
    towards = place[:, None] - points
    squared = dot(towards, towards)
    cosine = np.clip(dot(towards, normals) / np.sqrt(squared), 0, None)
    return (cosine * (place @ place) / squared).astype(np.float32)


def _disc_axes(lamp: Array) -> tuple[Array, Array]:
    """Two unit vectors (3, 1) that span the lamp's disc, which faces the origin."""
    facing = lamp[:, 0] / np.linalg.norm(lamp)
    across = np.cross(facing, (0.0, 0.0, 1.0))
    across /= np.linalg.norm(across)
    along = np.cross(facing, across)
    return across[:, None].astype(np.float32), along[:, None].astype(np.float32)

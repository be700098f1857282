"""The colour of surface points: lamps, soft shadows, contact shade, rubber and metal.

Light is linear RGB, component-first: (3, N) for N points, (3, L, N) for L lamps and N points. This is not a path tracer but
CLEVR's look with few rays: four lamps that all cast soft shadows, a dim even sky, the ground's bounce from below, and one mirror
bounce for metal. Three lamps are discs aimed at the origin, the fourth is a sun: its rays are parallel up to the width of its
disc. Powers (watts of a lamp, W/m² of the sun) and positions are CLEVR's, as Kubric (Greff et al., 2022) reads them from
``base_scene.blend``, moved a little towards even light, so that brightness follows from them and from the paint; the discs are
wider, since a path tracer's light comes round corners and ours does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.scene import PALETTE, Lamps, Scene
from vision_zero.domains.scenes.solids import Array, Solid, dot, unit
from vision_zero.domains.scenes.tracing import Hits, eye, trace

SHADOW_RAYS = 4
"""Rays from each point to each lamp."""
GROUND_ALBEDO = 0.76
SKY = 0.07
"""Radiance of the studio's walls and ceiling, the same from everywhere."""
DARK = 0.04
"""Radiance of walls and ceiling as metal mirrors them: without the light that objects get from each other, which SKY holds."""
BOUNCE = 0.28
"""Radiance of the lit ground, as seen from solids that stand on it."""
METAL_ROUGHNESS = 0.06
"""Width of a highlight on metal (GGX's alpha): nearly a mirror."""
_LIFT = np.float32(2e-3)
"""Shadow and mirror rays start this far off the surface, so that they do not hit it again."""
FAR = np.float32(60.0)
"""Rays that reach the ground beyond this many units are taken to meet it there: the studio's back."""
BRIGHTEST = np.float32(4.0)
"""Highlights are cut off here: what is brighter is white anyway."""
_SUN_DISTANCE = 12.0
"""Shadow rays to the sun end after this many units; no solid's shadow is longer."""
_UNSEEN = np.float32(1e-3)
"""A lamp that gives a surface less light than this gets no shadow rays."""
_GOLDEN = math.pi * (3 - math.sqrt(5))


def encoded(light: Array) -> Array:
    """Linear light to sRGB in [0, 1] (IEC 61966-2-1), too bright parts clipped."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Lighting:
    """The lamps of a scene.

    Args:
        place: (3, L, 1) where each lamp is; the sun is put at a place that moves along with the point it lights.
        follows: (L, 1) 0 for the sun, 1 for lamps that stay where they are.
        power: (L, 1) in watts.
        radius: (L,) of each lamp's disc.
        disc: two unit vectors (3, L) that span each disc, which faces the origin.
    """

    place: Array
    follows: Array
    power: Array
    radius: Array
    disc: tuple[Array, Array]

    @classmethod
    def of(cls, lamps: Lamps) -> Lighting:
        """CLEVR's lamps at those places."""
        sun = np.asarray(lamps.sun, dtype=np.float64)
        sun = sun * (_SUN_DISTANCE / np.linalg.norm(sun))
        place = np.stack([np.asarray(lamps.key), np.asarray(lamps.fill), np.asarray(lamps.back), sun], axis=1)
        facing = place / np.linalg.norm(place, axis=0)
        across = np.stack([-facing[1], facing[0], np.zeros(4)]) / np.hypot(facing[0], facing[1])
        # The sun gives 0.5 W/m² to what faces it, wherever it is.
        power = np.array([95.0, 32.0, 50.0, 0.5 * math.pi * _SUN_DISTANCE**2])
        radius = np.array([0.5, 0.5, 0.6, 0.1 * _SUN_DISTANCE])
        return cls(
            place.astype(np.float32)[:, :, None],
            np.array([1, 1, 1, 0], dtype=np.float32)[:, None],
            power.astype(np.float32)[:, None],
            radius.astype(np.float32),
            (across.astype(np.float32), np.cross(facing.T, across.T).T.astype(np.float32)),
        )

    def _towards(self, points: Array) -> Array:
        return self.place - points[:, None, :] * self.follows

    def _on(self, towards: Array, normals: Array) -> Array:
        """Light (L, N) that surfaces would receive if nothing stood between (W/m²): cosine law at both ends."""
        squared = dot(towards, towards)
        surface = np.maximum(dot(towards, normals[:, None, :]), np.float32(0))
        lamp = np.maximum(dot(towards, unit(self.place)), np.float32(0))
        return (surface * lamp * (self.power / np.float32(math.pi)) / (squared * squared)).astype(np.float32)

    def on(self, points: Array, normals: Array, index: NDArray[np.int8], solids: Sequence[Solid], rays: int) -> Array:
        """Light (N,) that surfaces at those points receive.

        Args:
            points: (3, N), a little above their surfaces.
            normals: (3, N) of the surfaces.
            index: (N,) which of the solids each point is on. A solid is convex: it throws no shadow on what of it faces a lamp.
            solids: what stands in the light.
            rays: how many places on each lamp are looked for from each point.
        """
        towards = self._towards(points)
        light = self._on(towards, normals)
        lamp, point = np.nonzero(light > _UNSEEN)
        if lamp.size:
            light[lamp, point] *= self._seen(points[:, point], towards[:, lamp, point], lamp, index[point], solids, rays)
        return np.asarray(light.sum(axis=0), dtype=np.float32)

    def _seen(
        self,
        points: Array,
        towards: Array,
        lamp: NDArray[np.int64],
        index: NDArray[np.int8],
        solids: Sequence[Solid],
        rays: int,
    ) -> Array:
        """Share of a lamp's disc (M,) that each of M points sees, each with a lamp of its own."""
        span = np.sqrt(dot(towards, towards))
        spread = self.radius[lamp] / span
        blocked = np.zeros((rays, points.shape[1]), dtype=bool)
        for number, solid in enumerate(solids):
            offset = solid.center - points
            along = dot(offset, towards) / span
            reach = solid.reach + spread * np.maximum(along, np.float32(0))
            miss = dot(offset, offset) - along * along
            maybe = np.flatnonzero((miss < reach * reach) & (along > -solid.reach) & (index != number))
            if maybe.size:
                blocked[:, maybe] |= self._blocked(solid, points[:, maybe], towards[:, maybe], lamp[maybe], rays)
        return 1 - blocked.mean(axis=0, dtype=np.float32)

    def _blocked(self, solid: Solid, points: Array, towards: Array, lamp: NDArray[np.int64], rays: int) -> NDArray[np.bool_]:
        """(rays, M): does the solid stand between each point and each of its places on its lamp?"""
        number = np.arange(rays, dtype=np.float32)[:, None]
        # A sunflower pattern fills a disc evenly; turning it by a hash of the point trades bands for fine grain.
        grain = np.modf(np.abs(np.sin(points[0] * 127.1 + points[1] * 311.7 + points[2] * 74.7)) * 43758.547)[0]
        angle = number * np.float32(_GOLDEN) + grain * np.float32(2 * math.pi)
        radius = np.sqrt((number + np.modf(grain * 57)[0]) / rays) * self.radius[lamp]
        across, along = (axis[:, lamp][:, None, :] for axis in self.disc)
        step = (towards[:, None, :] + across * (radius * np.cos(angle)) + along * (radius * np.sin(angle))).reshape(3, -1)
        start = np.broadcast_to(points[:, None, :], (3, rays, points.shape[1])).reshape(3, -1)
        return solid.blocks(start, step.astype(np.float32)).reshape(rays, -1)

    def highlights(self, points: Array, normals: Array, view: Array) -> Array:
        """The lamps' blurred mirror images (N,) in metal that reflects everything (GGX's lobe, widened by the discs).

        Args:
            points: (3, N) on surfaces.
            normals: (3, N) of the surfaces.
            view: (3, N) unit directions from the eye to the points.
        """
        towards = self._towards(points)
        size = self.radius / np.sqrt(dot(self.place, self.place))[:, 0]
        half = unit(unit(towards) - view[:, None, :])
        cosine = np.clip(dot(half, normals[:, None, :]), 0, 1)
        squared = ((np.float32(METAL_ROUGHNESS) + size / 2) ** 2)[:, None]
        lobe = squared / (np.float32(math.pi) * (cosine * cosine * (squared - 1) + 1) ** 2)
        grazing = np.maximum(-4 * dot(view, normals), np.float32(0.4))
        return np.asarray((self._on(towards, normals) * lobe).sum(axis=0) / grazing, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Studio:
    """A scene prepared for shading; paint is looked up by object index, of which -1 is the ground.

    Args:
        albedo: (3, objects + 1) of each object, last of the ground.
        is_metal: (objects + 1,)
    """

    solids: Sequence[Solid]
    albedo: Array
    is_metal: NDArray[np.bool_]
    scene: Scene
    lighting: Lighting

    @classmethod
    def of(cls, scene: Scene) -> Studio:
        # CLEVR hands its 8-bit colours to Blender as linear light: hence the pale look of its images.
        paints = [np.asarray(PALETTE[item.color], dtype=np.float32) / 255 for item in scene.objects]
        albedo = np.stack([*paints, np.full(3, GROUND_ALBEDO, dtype=np.float32)], axis=1)
        is_metal = np.asarray([*(item.material == "metal" for item in scene.objects), False])
        return cls([Solid.of(item) for item in scene.objects], albedo, is_metal, scene, Lighting.of(scene.lamps))

    def points(self, directions: Array, hits: Hits) -> Array:
        """(3, N) where rays from the camera meet a surface; ``directions`` (3, N) may have any length."""
        return eye(self.scene.camera) + directions * np.minimum(hits.length, FAR)

    def shade(self, directions: Array, hits: Hits) -> Array:
        """Light (3, N) that surfaces send back along rays from the camera, without the lamps' highlights."""
        points, index = self.points(directions, hits), hits.index
        normals = self._normals(points, index)
        is_metal = self.is_metal[index]
        light = np.zeros_like(points)
        matte, metal = np.flatnonzero(~is_metal), np.flatnonzero(is_metal)
        light[:, matte] = self._matte(points[:, matte], normals[:, matte], index[matte], SHADOW_RAYS)
        if metal.size:
            light[:, metal] = self._mirrored(points[:, metal], normals[:, metal], unit(directions[:, metal]), index[metal])
        return light

    def highlights(self, directions: Array, hits: Hits) -> Array:
        """Light (3, N) of the lamps' images in metal objects along rays from the camera that hit them."""
        points, view = self.points(directions, hits), unit(directions)
        shine = self.lighting.highlights(points, self._normals(points, hits.index), view)
        return self.albedo[:, hits.index] * np.minimum(shine, BRIGHTEST)

    def _normals(self, points: Array, index: NDArray[np.int8]) -> Array:
        normals = np.zeros_like(points)
        normals[2] = 1
        for number, solid in enumerate(self.solids):
            own = np.flatnonzero(index == number)
            if own.size:
                normals[:, own] = solid.normals(points[:, own])
        return normals

    def _matte(self, points: Array, normals: Array, index: NDArray[np.int8], shadow_rays: int) -> Array:
        """Diffuse light: each lamp behind its shadows, the sky dimmed where solids are near, and the ground's bounce."""
        received = self._around(points, normals, index)
        received += self.lighting.on(points + _LIFT * normals, normals, index, self.solids, shadow_rays)
        return self.albedo[:, index] * (received / np.float32(math.pi))

    def _around(self, points: Array, normals: Array, index: NDArray[np.int8]) -> Array:
        """Light received (N,) from the sky above and from the ground below."""
        up = 0.5 + 0.5 * normals[2]
        # The ground near a solid lies partly in its shade: least light comes from right below.
        ground = BOUNCE * (0.5 + 0.5 * np.minimum(points[2], np.float32(1)))
        return np.float32(math.pi) * (SKY * up * self._openness(points, normals, index) + ground * (1 - up))

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

    def _mirrored(self, points: Array, normals: Array, view: Array, index: NDArray[np.int8]) -> Array:
        """Tinted mirror image of ground, solids and dark studio."""
        mirror = view - 2 * dot(view, normals) * normals
        start = points + _LIFT * normals
        found = trace(self.solids, start, mirror)
        seen = np.full_like(points, DARK)
        near = np.flatnonzero(np.isfinite(found.length))
        if near.size:
            place = start[:, near] + mirror[:, near] * np.minimum(found.length[near], FAR)
            what = found.index[near]
            seen[:, near] = self._matte(place, self._normals(place, what), what, shadow_rays=1)
        return self.albedo[:, index] * seen

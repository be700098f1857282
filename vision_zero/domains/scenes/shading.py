"""The colour of surface points: lamps, soft shadows, contact shade, rubber and metal.

Light is linear RGB, component-first (3, N). This is not a path tracer but CLEVR's look with few rays: four lamps that all
cast soft shadows, a dim even sky, the ground's bounce from below, and one mirror bounce for metal. Powers are those of
CLEVR's lamps in Blender (watts of a lamp, W/m² of the sun), so that brightness follows from them and from the paint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.lighting import Lighting
from vision_zero.domains.scenes.scene import PALETTE, Scene
from vision_zero.domains.scenes.solids import Array, Solid, dot, unit
from vision_zero.domains.scenes.tracing import Hits, trace

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
        # CLEVR hands its 8-bit colours to Blender as linear light: hence the pale look of its pictures.
        paints = [np.asarray(PALETTE[item.color], dtype=np.float32) / 255 for item in scene.objects]
        metal = [item.material == "metal" for item in scene.objects]
        albedo = np.stack([*paints, np.full(3, GROUND_ALBEDO, dtype=np.float32)], axis=1)
        return cls(albedo, np.asarray([*metal, False]))


@dataclass(frozen=True, slots=True)
class Studio:
    """A scene prepared for shading."""

    solids: Sequence[Solid]
    surfaces: Surfaces
    scene: Scene
    lighting: Lighting

    @classmethod
    def of(cls, scene: Scene) -> Studio:
        return cls([Solid.of(item) for item in scene.objects], Surfaces.of(scene), scene, Lighting.of(scene.lamps))

    def shade(self, points: Array, directions: Array, hits: Hits, shadow_rays: int) -> Array:
        """Light (3, N) that surface points send back along the rays that found them, without the lamps' highlights.

        Args:
            points: (3, N) surface points.
            directions: (3, N) directions of the rays, of any length.
            hits: what the rays found.
            shadow_rays: rays per point towards each lamp.
        """
        normals = self._normals(points, hits.index)
        is_metal = self.surfaces.is_metal[hits.index]
        light = np.zeros_like(points)
        matte, metal = np.flatnonzero(~is_metal), np.flatnonzero(is_metal)
        light[:, matte] = self._matte(points[:, matte], normals[:, matte], hits.index[matte], shadow_rays)
        if metal.size:
            light[:, metal] = self._mirrored(points[:, metal], normals[:, metal], unit(directions[:, metal]), hits.index[metal])
        return light

    def highlights(self, points: Array, directions: Array, index: NDArray[np.int8]) -> Array:
        """Light (3, N) of the lamps' images in points of metal objects ``index``, along the rays that found them."""
        normals, view = self._normals(points, index), unit(directions)
        shine = self.lighting.highlights(points, normals, view, METAL_ROUGHNESS)
        return self.surfaces.albedo[:, index] * np.minimum(shine, BRIGHTEST)

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
        return self.surfaces.albedo[:, index] * (received / np.float32(math.pi))

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
        return self.surfaces.albedo[:, index] * seen

"""Draw a scene: one shaded ray per pixel, and a finer grid of rays where outlines and highlights would otherwise show stairs.

Differs from CLEVR, which path-traces in Blender: here an image of 112x112 takes about ten milliseconds on one core.
Light on the ground varies slowly: it is worked out at every second pixel or fewer, also behind objects, and interpolated.
The image is a function of the scene and the size alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.domains.scenes.scene import Scene
from vision_zero.domains.scenes.shading import Studio, encoded
from vision_zero.domains.scenes.solids import Array
from vision_zero.domains.scenes.tracing import GROUND, Hits, Rays, View, eye, look, trace

GROUND_STEPS = 100
"""The ground's light is worked out at so many positions across the image, or at every second pixel if that is fewer."""
EDGE_GRID = 3
"""An edge pixel is the mean of EDGE_GRID x EDGE_GRID rays."""
EDGE_CONTRAST = 0.12
"""Neighbours on one object whose brightness (sRGB, 0 to 1) differs by more than this count as an edge."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """An image and what is where in it: ``mask`` (height, width) holds object indices, -1 for the ground."""

    image: Image.Image
    mask: NDArray[np.int8]


@lru_cache(maxsize=4)
def survey(scene: Scene, width: int, height: int) -> View:
    """What each pixel of the image would show, without shading it: cheap, for judging a scene before drawing it.

    The last few are kept: those of a pair are judged, with perhaps a second edit, and then drawn.
    """
    return View.of(scene, Studio.of(scene).solids, width, height)


def render(scene: Scene, width: int, height: int) -> Rendering:
    """Draw ``scene`` as an RGB image of that size."""
    studio = Studio.of(scene)
    view = survey(scene, width, height)
    ground = Ground.of(studio, view)
    dull = _dull(studio, ground, view.rays, view.hits)
    light = _with_highlights(studio, view.rays, view.hits, dull)
    edges = np.flatnonzero(_edges(view.mask(), light))
    if edges.size:
        light[:, edges] = _refined(studio, ground, view, dull, edges)
    pixels = np.rint(encoded(light).T.reshape(height, width, 3) * 255).astype(np.uint8)
    return Rendering(Image.fromarray(pixels), view.mask())


@dataclass(frozen=True, slots=True)
class Ground:
    """Light that the ground sends to the camera.

    Args:
        step: pixels from one position to the next.
        light: (rows, columns) at those positions.
        weight: (rows, columns) 1 where the ground is seen; less, but not 0, where an object hides it or stands on it: the
            dark from under an object must not come out in dots beside it.
    """

    step: int
    light: Array
    weight: Array

    @classmethod
    def of(cls, studio: Studio, view: View) -> Ground:
        step = max(2, view.width // GROUND_STEPS)
        shape = (view.height // step + 2, view.width // step + 2)
        rows, columns = np.indices(shape, dtype=np.float32).reshape(2, -1) * np.float32(step)
        camera = studio.scene.camera
        directions = Rays.through(rows, columns, camera, view.width, view.height).directions
        hits = trace((), eye(camera), directions)
        light = studio.shade(directions, hits)[0]
        shown = view.mask()[
            np.minimum(rows.astype(np.int32), view.height - 1), np.minimum(columns.astype(np.int32), view.width - 1)
        ]
        hidden, points = shown != GROUND, studio.points(directions, hits)
        for solid in studio.solids:
            hidden |= solid.covers(points)
        weight = np.where(hidden, np.float32(1e-3), np.float32(1))
        return cls(step, light.reshape(shape), weight.reshape(shape))

    def at(self, rows: Array, columns: Array) -> Array:
        """Light (N,) at image positions, interpolated linearly."""
        down, across = rows / np.float32(self.step), columns / np.float32(self.step)
        row, column = down.astype(np.int32), across.astype(np.int32)
        down, across = down - row, across - column
        total, weights = np.zeros_like(rows), np.zeros_like(rows)
        stride = self.light.shape[1]
        corner = row * stride + column
        for step, share in (
            (0, (1 - down) * (1 - across)),
            (1, (1 - down) * across),
            (stride, down * (1 - across)),
            (stride + 1, down * across),
        ):
            weight = share * self.weight.take(corner + step)
            total += weight * self.light.take(corner + step)
            weights += weight
        return np.asarray(total / weights, dtype=np.float32)


def _dull(studio: Studio, ground: Ground, rays: Rays, hits: Hits) -> Array:
    """Light (3, N) along rays from the camera, without the lamps' highlights on metal."""
    light = np.empty_like(rays.directions)
    empty, solid = np.flatnonzero(hits.index == GROUND), np.flatnonzero(hits.index != GROUND)
    light[:, empty] = ground.at(rays.rows[empty], rays.columns[empty])
    if solid.size:
        light[:, solid] = studio.shade(rays.directions[:, solid], hits.only(solid))
    return light


def _with_highlights(studio: Studio, rays: Rays, hits: Hits, dull: Array) -> Array:
    light = dull.copy()
    metal = np.flatnonzero(studio.is_metal[hits.index])
    if metal.size:
        light[:, metal] += studio.highlights(rays.directions[:, metal], hits.only(metal))
    return light


def _edges(mask: NDArray[np.int8], light: Array) -> NDArray[np.bool_]:
    """(height, width): pixels with a neighbour that shows something else or, on one object, is far brighter or darker."""
    brightness = np.where(mask == GROUND, np.float32(0), encoded(light.max(axis=0)).reshape(mask.shape))
    edge = np.zeros(mask.shape, dtype=bool)
    across = (mask[:, 1:] != mask[:, :-1]) | (np.abs(np.diff(brightness, axis=1)) > EDGE_CONTRAST)
    down = (mask[1:] != mask[:-1]) | (np.abs(np.diff(brightness, axis=0)) > EDGE_CONTRAST)
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def _refined(studio: Studio, ground: Ground, view: View, dull: Array, pixels: NDArray[np.int64]) -> Array:
    """Light (3, N) of those pixels as the mean over a grid of rays inside each.

    Rays of one pixel that find the same object share its dull light, which varies slowly; highlights are worked out for each.
    """
    steps = (np.arange(EDGE_GRID, dtype=np.float32) + 0.5) / EDGE_GRID
    shape = (pixels.size, EDGE_GRID, EDGE_GRID)
    rows = np.broadcast_to((pixels // view.width)[:, None, None] + steps[:, None], shape).astype(np.float32).ravel()
    columns = np.broadcast_to((pixels % view.width)[:, None, None] + steps[None, :], shape).astype(np.float32).ravel()
    camera = studio.scene.camera
    rays = Rays.through(rows, columns, camera, view.width, view.height)
    hits, _ = look(camera, studio.solids, view.width, view.height, rays)
    pixel = np.repeat(pixels, EDGE_GRID**2)
    light = dull[:, pixel]
    other = np.flatnonzero(hits.index != view.hits.index[pixel])
    _, first, copies = np.unique(pixel[other] * 128 + hits.index[other], return_index=True, return_inverse=True)
    if first.size:
        chosen = other[first]
        light[:, other] = _dull(studio, ground, rays.only(chosen), hits.only(chosen))[:, copies]
    light = _with_highlights(studio, rays, hits, light)
    # Clipped before the mean, as the eye sees it: one over-bright ray must not whiten the whole pixel.
    return np.clip(light, 0, 1).reshape(3, pixels.size, -1).mean(axis=2)

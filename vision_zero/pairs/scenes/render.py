"""Draw a scene: one shaded ray per pixel, and a finer grid of rays where outlines and highlights would otherwise show stairs.

Differs from CLEVR, which path-traces in Blender: here a picture of 112x112 takes about ten milliseconds on one core.
Light on the ground varies slowly: it is worked out at every second pixel, also behind objects, and interpolated.
The picture is a function of the scene and the size alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.pairs.scenes.scene import Scene
from vision_zero.pairs.scenes.shading import FAR, Studio, encoded
from vision_zero.pairs.scenes.solids import Array
from vision_zero.pairs.scenes.tracing import GROUND, Hits, View, ground_length, look, pixel_directions, trace

SHADOW_RAYS = 4
"""Rays from each point to each lamp."""
GROUND_STEP = 2
"""The ground's light is worked out at every so many pixels."""
EDGE_GRID = 3
"""An edge pixel is the mean of EDGE_GRID x EDGE_GRID rays."""
EDGE_CONTRAST = 0.12
"""Neighbours on one object whose brightness (sRGB, 0 to 1) differs by more than this count as an edge."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A picture and what is where in it: ``mask`` (height, width) holds object indices, -1 for the ground."""

    image: Image.Image
    mask: NDArray[np.int8]


def survey(scene: Scene, width: int, height: int) -> View:
    """What each pixel of the picture would show, without shading it: cheap, for judging a scene before drawing it."""
    return look(scene, Studio.of(scene).solids, width, height)


def render(scene: Scene, width: int, height: int) -> Rendering:
    """Draw ``scene`` as an RGB picture of that size."""
    studio = Studio.of(scene)
    view = look(scene, studio.solids, width, height)
    ground = Ground.of(studio, width, height)
    rows, columns = np.indices((height, width), dtype=np.float32).reshape(2, -1) + np.float32(0.5)
    light = _light(studio, ground, Rays(rows, columns, view.directions), view.hits)
    edges = np.flatnonzero(_edges(view.mask(), light))
    if edges.size:
        light[:, edges] = _refined(studio, ground, view, edges)
    pixels = np.rint(encoded(light).T.reshape(height, width, 3) * 255).astype(np.uint8)
    return Rendering(Image.fromarray(pixels), view.mask())


@dataclass(frozen=True, slots=True)
class Rays:
    """N rays through picture positions, in pixels from the upper left corner."""

    rows: Array
    columns: Array
    directions: Array

    def only(self, which: NDArray[np.int64]) -> Rays:
        return Rays(self.rows[which], self.columns[which], self.directions[:, which])


@dataclass(frozen=True, slots=True)
class Ground:
    """Light that the ground sends to the camera, (rows, columns) positions GROUND_STEP pixels apart."""

    light: Array

    @classmethod
    def of(cls, studio: Studio, width: int, height: int) -> Ground:
        shape = (height // GROUND_STEP + 2, width // GROUND_STEP + 2)
        rows, columns = np.indices(shape, dtype=np.float32).reshape(2, -1) * np.float32(GROUND_STEP)
        directions = pixel_directions(studio.scene.camera, width, height, columns, rows)
        length = ground_length(studio.scene.camera.location[2], directions[2])
        hits = Hits(np.full(length.shape, GROUND, dtype=np.int8), length)
        return cls(studio.shade(_points(studio, directions, hits), directions, hits, SHADOW_RAYS)[0].reshape(shape))

    def at(self, rows: Array, columns: Array) -> Array:
        """Light (N,) at picture positions, interpolated linearly."""
        down, across = rows / np.float32(GROUND_STEP), columns / np.float32(GROUND_STEP)
        row, column = down.astype(np.int32), across.astype(np.int32)
        down, across = down - row, across - column
        upper = self.light[row, column] * (1 - across) + self.light[row, column + 1] * across
        lower = self.light[row + 1, column] * (1 - across) + self.light[row + 1, column + 1] * across
        return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)


def _points(studio: Studio, directions: Array, hits: Hits) -> Array:
    return _eye(studio.scene) + directions * np.minimum(hits.length, FAR)


def _eye(scene: Scene) -> Array:
    return np.asarray(scene.camera.location, dtype=np.float32)[:, None]


def _light(studio: Studio, ground: Ground, rays: Rays, hits: Hits, group: NDArray[np.int64] | None = None) -> Array:
    """Light (3, N) along rays.

    Args:
        studio: the scene.
        ground: its ground.
        rays: N rays from the camera.
        hits: what they found.
        group: (N,) number of the pixel of each; rays of one pixel that find the same object then share one shading.
    """
    light = np.empty_like(rays.directions)
    empty = np.flatnonzero(hits.index == GROUND)
    light[:, empty] = ground.at(rays.rows[empty], rays.columns[empty])
    solid = np.flatnonzero(hits.index != GROUND)
    if not solid.size:
        return light
    rays, hits = rays.only(solid), Hits(hits.index[solid], hits.length[solid])
    points = _points(studio, rays.directions, hits)
    chosen: NDArray[np.int64] | slice = slice(None)
    copies: NDArray[np.int64] | slice = slice(None)
    if group is not None:
        _, chosen, copies = np.unique(group[solid] * 128 + hits.index, return_index=True, return_inverse=True)
    picked = Hits(hits.index[chosen], hits.length[chosen])
    shaded = studio.shade(points[:, chosen], rays.directions[:, chosen], picked, SHADOW_RAYS)[:, copies]
    metal, highlights = studio.highlights(points, rays.directions, hits)
    shaded[:, metal] += highlights
    light[:, solid] = shaded
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


def _refined(studio: Studio, ground: Ground, view: View, pixels: NDArray[np.int64]) -> Array:
    """Light (3, N) of those pixels as the mean over a grid of rays inside each."""
    steps = (np.arange(EDGE_GRID, dtype=np.float32) + 0.5) / EDGE_GRID
    shape = (pixels.size, EDGE_GRID, EDGE_GRID)
    rows = np.broadcast_to((pixels // view.width)[:, None, None] + steps[:, None], shape).astype(np.float32).ravel()
    columns = np.broadcast_to((pixels % view.width)[:, None, None] + steps[None, :], shape).astype(np.float32).ravel()
    rays = Rays(rows, columns, pixel_directions(studio.scene.camera, view.width, view.height, columns, rows))
    hits = trace(studio.solids, _eye(studio.scene), rays.directions)
    light = _light(studio, ground, rays, hits, np.repeat(np.arange(pixels.size), EDGE_GRID**2))
    # Clipped before the mean, as the eye sees it: one over-bright ray must not whiten the whole pixel.
    return np.clip(light, 0, 1).reshape(3, pixels.size, -1).mean(axis=2)

"""Draw a scene: one shaded ray per pixel, and a finer grid of rays where edges would otherwise show stairs.

Differs from CLEVR, which path-traces in Blender: here a picture of 112x112 takes about ten milliseconds on one core.
The picture is a function of the scene and the size alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.pairs.scenes.scene import Scene
from vision_zero.pairs.scenes.shading import Studio, encoded
from vision_zero.pairs.scenes.solids import Array
from vision_zero.pairs.scenes.tracing import Hits, View, look, pixel_directions, trace

SHADOW_RAYS = 12
EDGE_GRID = 3
"""An edge pixel is the mean of EDGE_GRID x EDGE_GRID rays."""
EDGE_CONTRAST = 0.12
"""Neighbours whose brightness (sRGB, 0 to 1) differs by more than this count as an edge."""
EDGE_SHADOW_RAYS = 4
FAR = 60.0
"""Rays that reach the ground beyond this many units are taken to meet it there: the studio's back."""


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
    light = _light(studio, view.directions, view.hits, SHADOW_RAYS)
    edges = np.flatnonzero(_edges(view.mask(), light))
    if edges.size:
        light[:, edges] = _refined(studio, view, edges)
    pixels = np.rint(encoded(light).T.reshape(height, width, 3) * 255).astype(np.uint8)
    return Rendering(Image.fromarray(pixels), view.mask())


def _light(studio: Studio, directions: Array, hits: Hits, shadow_rays: int) -> Array:
    points = _eye(studio.scene) + directions * np.minimum(hits.length, FAR)
    return studio.shade(points, directions, hits, shadow_rays)


def _eye(scene: Scene) -> Array:
    return np.asarray(scene.camera.location, dtype=np.float32)[:, None]


def _edges(mask: NDArray[np.int8], light: Array) -> NDArray[np.bool_]:
    """(height, width): pixels with a neighbour that shows something else or, on one thing, is far brighter or darker."""
    brightness = encoded(light[1]).reshape(mask.shape)
    edge = np.zeros(mask.shape, dtype=bool)
    across = (mask[:, 1:] != mask[:, :-1]) | (np.abs(np.diff(brightness, axis=1)) > EDGE_CONTRAST)
    down = (mask[1:] != mask[:-1]) | (np.abs(np.diff(brightness, axis=0)) > EDGE_CONTRAST)
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def _refined(studio: Studio, view: View, pixels: NDArray[np.int64]) -> Array:
    """Light (3, N) of those pixels as the mean over a grid of rays inside each."""
    steps = (np.arange(EDGE_GRID, dtype=np.float32) + 0.5) / EDGE_GRID
    rows = (pixels // view.width)[:, None, None] + steps[:, None]
    columns = (pixels % view.width)[:, None, None] + steps[None, :]
    rows, columns = np.broadcast_arrays(rows, columns)
    directions = pixel_directions(
        studio.scene.camera, view.width, view.height, columns.ravel().astype(np.float32), rows.ravel().astype(np.float32)
    )
    hits = trace(studio.solids, _eye(studio.scene), directions)
    light = _light(studio, directions, hits, EDGE_SHADOW_RAYS)
    # Clipped before the mean, as the eye sees it: one over-bright ray must not whiten the whole pixel.
    return np.clip(light, 0, 1).reshape(3, pixels.size, -1).mean(axis=2)

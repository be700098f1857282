"""A CLEVR-style scene as plain data: objects on a ground plane, a camera and three lamps.

Names, sizes and colours are CLEVR's (Johnson et al., 2017, ``data/properties.json``); lengths are in CLEVR's world units,
z points up and the ground is z = 0. A scene holds no pixels: :mod:`render` draws it, :mod:`clevr` writes it as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Shape = Literal["cube", "sphere", "cylinder"]
Color = Literal["gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"]
Size = Literal["small", "large"]
Material = Literal["rubber", "metal"]

SHAPES: tuple[Shape, ...] = ("cube", "sphere", "cylinder")
SIZES: tuple[Size, ...] = ("small", "large")
MATERIALS: tuple[Material, ...] = ("rubber", "metal")
PALETTE: Mapping[Color, tuple[int, int, int]] = MappingProxyType(
    {
        "gray": (87, 87, 87),
        "red": (173, 35, 35),
        "blue": (42, 75, 215),
        "green": (29, 105, 20),
        "brown": (129, 74, 25),
        "purple": (129, 38, 192),
        "cyan": (41, 208, 208),
        "yellow": (255, 238, 51),
    }
)
COLORS: tuple[Color, ...] = tuple(PALETTE)
RADII: Mapping[Size, float] = MappingProxyType({"small": 0.35, "large": 0.7})
CUBE_SHRINK = 2.0**-0.5
"""CLEVR shrinks cubes by this factor so that a cube looks as large as a sphere of the same size."""

Vector = NDArray[np.float64]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One solid on the ground at (x, y), turned by ``rotation`` degrees about the vertical."""

    shape: Shape
    color: Color
    size: Size
    material: Material
    x: float
    y: float
    rotation: float = 0.0

    @property
    def half_height(self) -> float:
        """Height of the centre above the ground: half an edge for a cube, the radius for the others."""
        radius = RADII[self.size]
        return radius * CUBE_SHRINK if self.shape == "cube" else radius

    @property
    def center(self) -> Point:
        return (self.x, self.y, self.half_height)


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera that looks at ``target``; ``focal`` is the focal length over the picture's width.

    CLEVR's camera has a 35 mm lens on a 32 mm sensor, hence the default 35/32.
    """

    location: Point = (7.48, -6.51, 5.34)
    target: Point = (0.0, 0.0, 0.35)
    focal: float = 35.0 / 32.0

    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors (right, up, forward) of the picture in world coordinates."""
        return _axes(self)

    def ground_directions(self) -> dict[str, Vector]:
        """CLEVR's four directions on the ground, as unit vectors: left, right, front (towards the camera), behind."""
        right, _, forward = self.axes()
        behind = forward * (1.0, 1.0, 0.0)
        behind = behind / np.linalg.norm(behind)
        return {"left": -right, "right": right, "front": -behind, "behind": behind}

    def project(self, points: Vector, width: int, height: int) -> Vector:
        """Pixel coordinates and depth (..., 3) of world points (..., 3) in a picture of that size."""
        right, up, forward = self.axes()
        offset = np.asarray(points) - np.asarray(self.location)
        depth = offset @ forward
        scale = self.focal * width / depth
        return np.stack([width / 2 + scale * (offset @ right), height / 2 - scale * (offset @ up), depth], axis=-1)


@lru_cache(maxsize=64)
def _axes(camera: Camera) -> tuple[Vector, Vector, Vector]:
    # Placement asks for these hundreds of times a scene.
    forward = np.asarray(camera.target) - np.asarray(camera.location)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right = right / np.linalg.norm(right)
    return right, np.cross(right, forward), forward


@dataclass(frozen=True, slots=True)
class Lamps:
    """Positions of CLEVR's three area lamps; only the key lamp casts shadows, its disc has ``softness`` as radius."""

    key: Point = (8.5, 2.0, 11.0)
    fill: Point = (-6.5, -6.0, 6.0)
    back: Point = (-2.2, 10.0, 8.5)
    softness: float = 1.5


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects, camera and lamps: everything that a picture depends on but its size."""

    objects: tuple[SceneObject, ...]
    camera: Camera = field(default_factory=Camera)
    lamps: Lamps = field(default_factory=Lamps)

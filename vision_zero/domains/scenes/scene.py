"""A CLEVR-style scene as plain data: objects on a ground plane, a camera and four lamps.

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
VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType({"size": SIZES, "color": COLORS, "material": MATERIALS, "shape": SHAPES})
"""An object's attributes, in the order in which they are said, and what they may be."""
RADII: Mapping[Size, float] = MappingProxyType({"small": 0.35, "large": 0.7})
"""Radius of a sphere or cylinder and half the edge of a cube.

CLEVR's code means to shrink cubes by the square root of 2, but asks for a mesh ``Cube`` where the mesh is ``SmoothCube_v2``:
its own cubes have z = 0.35 and 0.7 as well.
"""

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
    def center(self) -> Point:
        return (self.x, self.y, RADII[self.size])


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera that looks at ``target``; ``focal`` is the focal length over the image's width.

    CLEVR's camera is Blender's default one, aimed at the origin, with a 35 mm lens on a 32 mm sensor, hence 35/32.
    """

    location: Point = (7.48113, -6.50764, 5.34367)
    target: Point = (0.0, 0.0, 0.0)
    focal: float = 35.0 / 32.0

    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors (right, up, forward) of the image in world coordinates."""
        return _axes(self)

    def ground_directions(self) -> dict[str, Vector]:
        """CLEVR's four directions on the ground, as unit vectors: left, right, front (towards the camera), behind."""
        right, _, forward = self.axes()
        behind = forward * (1.0, 1.0, 0.0)
        behind = behind / np.linalg.norm(behind)
        return {"left": -right, "right": right, "front": -behind, "behind": behind}

    def project(self, points: Vector, width: int, height: int) -> Vector:
        """Pixel coordinates and depth (..., 3) of world points (..., 3) in an image of that size."""
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
    """Positions of CLEVR's three area lamps, aimed at the origin, and of a sun, of which only the direction counts.

    As Kubric (Greff et al., 2022) reads them from CLEVR's ``base_scene.blend``. All four cast shadows.
    """

    key: Point = (6.44671, -2.90517, 4.2584)
    fill: Point = (-4.67112, -4.0136, 3.01122)
    back: Point = (-1.1685, 2.64602, 5.81574)
    sun: Point = (11.6608, -6.62799, 25.8232)


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects, camera and lamps: everything that an image depends on but its size."""

    objects: tuple[SceneObject, ...]
    camera: Camera = field(default_factory=Camera)
    lamps: Lamps = field(default_factory=Lamps)

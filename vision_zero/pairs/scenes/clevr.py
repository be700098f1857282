"""Scenes as CLEVR's scene JSON, and back (Johnson et al., 2017, ``CLEVR_*_scenes.json``).

Field names and meanings are CLEVR's, so CLEVR's own tools read these files: ``objects`` with ``3d_coords``,
``pixel_coords`` (column, row, depth) and ``rotation``; ``relationships[d][i]`` lists the objects that stand on side ``d``
of object i; ``directions`` are unit vectors on the ground. One key is ours, ``vision_zero``: camera and lamps, so that a
scene that we wrote is drawn again exactly; for a scene without it they are CLEVR's means, turned to its ``directions``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vision_zero.errors import PairsError
from vision_zero.pairs.scenes.scene import (
    COLORS,
    MATERIALS,
    SHAPES,
    SIZES,
    Camera,
    Lamps,
    Point,
    Scene,
    SceneObject,
)

RELATION_EPSILON = 0.2
"""CLEVR's threshold: an object is left of another if it is more than this far to the left."""


def to_clevr(scene: Scene, width: int, height: int, image_filename: str = "", split: str = "") -> dict[str, Any]:
    """The scene as one entry of CLEVR's ``scenes`` list, for a picture of that size."""
    directions = scene.camera.ground_directions()
    centers = np.array([item.center for item in scene.objects], dtype=np.float64).reshape(-1, 3)
    pixels = scene.camera.project(centers, width, height)
    return {
        "split": split,
        "image_index": 0,
        "image_filename": image_filename,
        "objects": [
            {
                "shape": item.shape,
                "color": item.color,
                "size": item.size,
                "material": item.material,
                "3d_coords": [float(part) for part in item.center],
                "rotation": item.rotation,
                "pixel_coords": [round(float(column)), round(float(row)), round(float(depth), 4)],
            }
            for item, (column, row, depth) in zip(scene.objects, pixels, strict=True)
        ],
        "relationships": {name: _related(centers, axis) for name, axis in sorted(directions.items())},
        "directions": {name: [round(float(part), 6) for part in axis] for name, axis in sorted(directions.items())},
        "vision_zero": {
            "camera": {"location": scene.camera.location, "target": scene.camera.target, "focal": scene.camera.focal},
            "lamps": {
                "key": scene.lamps.key,
                "fill": scene.lamps.fill,
                "back": scene.lamps.back,
                "softness": scene.lamps.softness,
            },
        },
    }


def from_clevr(entry: Mapping[str, Any]) -> Scene:
    """The scene of one entry of CLEVR's ``scenes`` list.

    Raises:
        PairsError: a field is missing or has a value that CLEVR does not know.
    """
    try:
        objects = tuple(_object(item) for item in entry["objects"])
        ours = entry.get("vision_zero")
        if ours is None:
            return Scene(objects, _turned_camera(entry["directions"]["right"]))
        camera, lamps = ours["camera"], ours["lamps"]
        return Scene(
            objects,
            Camera(_point(camera["location"]), _point(camera["target"]), float(camera["focal"])),
            Lamps(_point(lamps["key"]), _point(lamps["fill"]), _point(lamps["back"]), float(lamps["softness"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PairsError(f"not a CLEVR scene: {type(error).__name__} {error}; see CLEVR_*_scenes.json for the fields") from error


def _related(centers: np.ndarray, axis: np.ndarray) -> list[list[int]]:
    along = centers @ axis
    return [
        [other for other in range(len(along)) if other != item and along[other] - along[item] > RELATION_EPSILON]
        for item in range(len(along))
    ]


def _object(item: Mapping[str, Any]) -> SceneObject:
    for key, known in (("shape", SHAPES), ("color", COLORS), ("size", SIZES), ("material", MATERIALS)):
        if item[key] not in known:
            raise ValueError(f"{key} {item[key]!r} is none of {', '.join(known)}")
    x, y, _ = item["3d_coords"]
    return SceneObject(
        item["shape"], item["color"], item["size"], item["material"], float(x), float(y), float(item.get("rotation", 0.0))
    )


def _point(values: Any) -> Point:
    x, y, z = values
    return (float(x), float(y), float(z))


def _turned_camera(right: Any) -> Camera:
    """CLEVR's mean camera, turned about the vertical until its right is the given direction."""
    base = Camera()
    own = base.ground_directions()["right"]
    turn = math.atan2(float(right[1]), float(right[0])) - math.atan2(own[1], own[0])
    x, y, z = base.location
    cosine, sine = math.cos(turn), math.sin(turn)
    return Camera((cosine * x - sine * y, sine * x + cosine * y, z), base.target, base.focal)

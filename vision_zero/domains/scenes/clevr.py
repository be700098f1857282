"""Scenes as CLEVR's scene JSON, and back (Johnson et al., 2017, ``CLEVR_*_scenes.json``).

Field names and meanings are CLEVR's, so CLEVR's own tools read these files: ``objects`` with ``3d_coords``,
``pixel_coords`` (column, row, depth) and ``rotation``; ``relationships[d][i]`` lists the objects that stand on side ``d``
of object i; ``directions`` are unit vectors on the ground. One key is ours, ``vision_zero``: camera and lamps, so that a
scene that we wrote is drawn again exactly.

A scene without it comes from CLEVR, whose files differ in two ways. They do not tell the camera's place, which varies from
image to image: it is worked out from ``pixel_coords`` (:func:`fitted_camera`), and where they are missing it is the
mean one, turned to the ``directions``. And ``rotation``, documented as degrees, is what CLEVR's generator sets as Blender's angle
in radians. CLEVR also takes ``directions`` and ``relationships`` from the camera before it is moved, ours from the camera
that sees the scene.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from vision_zero.domains.scenes.scene import VALUES, Camera, Lamps, Point, Scene, SceneObject
from vision_zero.errors import PairsError

MOST_OBJECTS = 100
"""An object's number has to fit into a byte of the image's mask."""
FARTHEST = 1e6
"""Lengths, pixels and angles beyond this are faults."""
NEAREST = 1e-3
"""Focal lengths, and distances of lamps, below this are faults."""
RELATION_EPSILON = 0.2
"""CLEVR's threshold: an object is left of another if it is more than this far to the left."""
IMAGE_SIZES: tuple[tuple[int, int], ...] = ((480, 320), (320, 240))
"""Of CLEVR's published images, and of those that its generator makes unless told otherwise. The files do not say which."""
WORST_MEAN_ERROR = 2.0
"""Pixels; where objects lie farther off on average, ``pixel_coords`` belong to another camera or size."""
_DEPTH_WEIGHT = 30.0
"""Pixels that a unit of depth counts as; about what it is to the side."""
_PLACE_WEIGHT = 0.1
"""Pixels that a unit from the mean camera counts as: settles what one object alone leaves open."""
Points = NDArray[np.float64]


def to_clevr(scene: Scene, width: int, height: int, image_filename: str = "") -> dict[str, Any]:
    """The scene as one entry of CLEVR's ``scenes`` list, for an image of that size."""
    directions = scene.camera.ground_directions()
    centers = np.array([item.center for item in scene.objects], dtype=np.float64).reshape(-1, 3)
    pixels = scene.camera.project(centers, width, height)
    return {
        "split": "",
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
        "vision_zero": {"camera": asdict(scene.camera), "lamps": asdict(scene.lamps)},
    }


def from_clevr(entry: Mapping[str, Any]) -> Scene:
    """The scene of one entry of CLEVR's ``scenes`` list.

    Raises:
        PairsError: a field is missing or has a value that CLEVR does not know, or that no image can be drawn of.
    """
    try:
        if len(entry["objects"]) > MOST_OBJECTS:
            raise ValueError(f"{len(entry['objects'])} objects, and at most {MOST_OBJECTS} can be drawn")
        ours = entry.get("vision_zero")
        if ours is None:
            objects = tuple(_object(item, math.degrees) for item in entry["objects"])
            return Scene(objects, _camera(entry, objects))
        camera, lamps = ours["camera"], ours["lamps"]
        return Scene(
            tuple(_object(item, float) for item in entry["objects"]),
            _checked(Camera(_point(camera["location"]), _point(camera["target"]), _number(camera["focal"]))),
            Lamps(**{lamp.name: _lamp(lamps[lamp.name]) for lamp in fields(Lamps) if lamp.name in dict(lamps)}),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PairsError(f"not a CLEVR scene: {type(error).__name__} {error}; see CLEVR_*_scenes.json for the fields") from error


def _related(centers: np.ndarray, axis: np.ndarray) -> list[list[int]]:
    along = centers @ axis
    return [
        [other for other in range(len(along)) if other != item and along[other] - along[item] > RELATION_EPSILON]
        for item in range(len(along))
    ]


def _object(item: Mapping[str, Any], in_degrees: Callable[[float], float]) -> SceneObject:
    for key, known in VALUES.items():
        if item[key] not in known:
            raise ValueError(f"{key} {item[key]!r} is none of {', '.join(known)}")
    x, y, _ = _point(item["3d_coords"])
    rotation = in_degrees(_number(item.get("rotation", 0.0))) % 360
    return SceneObject(item["shape"], item["color"], item["size"], item["material"], x, y, rotation)


def _number(value: Any) -> float:
    number = float(value)
    if not abs(number) <= FARTHEST:
        raise ValueError(f"{value} is not a number from {-FARTHEST:g} to {FARTHEST:g}")
    return number


def _point(values: Any) -> Point:
    x, y, z = (_number(value) for value in values)
    return (x, y, z)


def _lamp(values: Any) -> Point:
    place = _point(values)
    if math.hypot(*place) < NEAREST:
        raise ValueError("a lamp stands in the middle of the scene, where it lights nothing from a side")
    return place


def _checked(camera: Camera) -> Camera:
    """The camera, if it has an image.

    Raises:
        ValueError: it looks straight up or down or at its own place, stands below the ground, or has no focal length.
    """
    if math.hypot(*(here - there for here, there in zip(camera.location[:2], camera.target[:2], strict=True))) < 1e-6:
        raise ValueError("the camera looks straight up or down")
    if camera.location[2] <= 0 or camera.focal < NEAREST:
        raise ValueError(f"the camera needs a place above the ground and a focal length above {NEAREST}")
    return camera


def _camera(entry: Mapping[str, Any], objects: tuple[SceneObject, ...]) -> Camera:
    right = _point(entry["directions"]["right"])
    if math.hypot(*right[:2]) < 1e-6:
        raise ValueError("directions.right is no direction on the ground")
    mean = turned_camera(right)
    if not all("pixel_coords" in item for item in entry["objects"]):
        return mean
    pixels = np.array([_point(item["pixel_coords"]) for item in entry["objects"]], dtype=np.float64).reshape(-1, 3)
    return fitted_camera(mean, np.array([item.center for item in objects], dtype=np.float64).reshape(-1, 3), pixels) or mean


def turned_camera(right: Point) -> Camera:
    """CLEVR's mean camera, turned about the vertical until its right is the given direction."""
    base = Camera()
    own = base.ground_directions()["right"]
    turn = math.atan2(right[1], right[0]) - math.atan2(own[1], own[0])
    x, y, z = base.location
    cosine, sine = math.cos(turn), math.sin(turn)
    return Camera((cosine * x - sine * y, sine * x + cosine * y, z), base.target, base.focal)


def fitted_camera(mean: Camera, centers: Points, pixels: Points) -> Camera | None:
    """The camera whose image has the objects where the file says.

    CLEVR moves its camera by up to half a unit along each axis from image to image and keeps it aimed at the origin. Three
    numbers are unknown, and each object gives three: column, row and depth.

    Args:
        mean: where the search starts.
        centers: (N, 3) objects' centres in the world.
        pixels: (N, 3) their column, row and depth.

    Returns:
        None where no place fits, by ``WORST_MEAN_ERROR``, in an image of a size that CLEVR uses.
    """
    if not len(centers):
        return None
    fits = [_fit(mean, centers, pixels, size) for size in IMAGE_SIZES]
    error, camera = min(fits, key=lambda fit: fit[0])
    return camera if error <= WORST_MEAN_ERROR else None


def _fit(mean: Camera, centers: Points, pixels: Points, size: tuple[int, int]) -> tuple[float, Camera]:
    """Mean error in pixels and camera, by least squares."""
    start = np.asarray(mean.location, dtype=np.float64)

    def camera(place: Points) -> Camera:
        return replace(mean, location=(float(place[0]), float(place[1]), float(place[2])))

    def errors(place: Points) -> Points:
        offset = (camera(place).project(centers, *size) - pixels) * (1.0, 1.0, _DEPTH_WEIGHT)
        return np.concatenate([offset.ravel(), (place - start) * _PLACE_WEIGHT])

    found = least_squares(errors, start, method="lm")
    # A camera that leaves the neighbourhood of CLEVR's fits nothing.
    if not np.linalg.norm(found.x - start) < 0.5 * np.linalg.norm(start):
        return math.inf, mean
    offset = found.fun[:-3].reshape(-1, 3)
    return float(np.hypot(offset[:, 0], offset[:, 1]).mean()), camera(found.x)

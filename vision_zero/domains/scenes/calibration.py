"""Where CLEVR's camera stood: its files do not say, but give each object's place on the ground and in the picture.

CLEVR moves its camera by up to half a unit along each axis from picture to picture and keeps it aimed at the origin. Three
numbers are unknown, and each object gives three: column, row and depth.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.scene import Camera, Point

PICTURE_SIZES: tuple[tuple[int, int], ...] = ((480, 320), (320, 240))
"""Of CLEVR's published pictures, and of those that its generator makes unless told otherwise. The files do not say which."""
WORST_MEAN_ERROR = 2.0
"""Pixels; where objects lie farther off on average, ``pixel_coords`` belong to another camera or size."""
_DEPTH_WEIGHT = 30.0
"""Pixels that a unit of depth counts as; about what it is to the side."""
_PLACE_WEIGHT = 0.1
"""Pixels that a unit from the mean camera counts as: settles what one object alone leaves open."""
_STEPS = 8
_STEP = 1e-4

Points = NDArray[np.float64]


def turned_camera(right: Point) -> Camera:
    """CLEVR's mean camera, turned about the vertical until its right is the given direction."""
    base = Camera()
    own = base.ground_directions()["right"]
    turn = math.atan2(right[1], right[0]) - math.atan2(own[1], own[0])
    x, y, z = base.location
    cosine, sine = math.cos(turn), math.sin(turn)
    return Camera((cosine * x - sine * y, sine * x + cosine * y, z), base.target, base.focal)


def fitted_camera(mean: Camera, centers: Points, pixels: Points) -> Camera | None:
    """The camera whose picture has the objects where the file says.

    Args:
        mean: where the search starts.
        centers: (N, 3) objects' centres in the world.
        pixels: (N, 3) their column, row and depth.

    Returns:
        None where no place fits, by ``WORST_MEAN_ERROR``, in a picture of a size that CLEVR uses.
    """
    if not len(centers):
        return None
    fits = [_fit(mean, centers, pixels, size) for size in PICTURE_SIZES]
    error, camera = min(fits, key=lambda fit: fit[0])
    return camera if error <= WORST_MEAN_ERROR else None


def _fit(mean: Camera, centers: Points, pixels: Points, size: tuple[int, int]) -> tuple[float, Camera]:
    """Mean error in pixels and camera, by the Gauss-Newton method."""
    start = np.asarray(mean.location, dtype=np.float64)

    def camera(place: Points) -> Camera:
        return replace(mean, location=(float(place[0]), float(place[1]), float(place[2])))

    def errors(place: Points) -> Points:
        offset = (camera(place).project(centers, *size) - pixels) * (1.0, 1.0, _DEPTH_WEIGHT)
        return np.concatenate([offset.ravel(), (place - start) * _PLACE_WEIGHT])

    place = start
    for _ in range(_STEPS):
        now = errors(place)
        slopes = np.stack([(errors(place + _STEP * axis) - now) / _STEP for axis in np.eye(3)], axis=1)
        moved = place - np.linalg.lstsq(slopes, now, rcond=None)[0]
        # A camera that leaves the neighbourhood of CLEVR's fits nothing.
        if not np.linalg.norm(moved - start) < 0.5 * np.linalg.norm(start):
            return math.inf, mean
        place = moved
    offset = errors(place)[:-3].reshape(-1, 3)
    return float(np.hypot(offset[:, 0], offset[:, 1]).mean()), camera(place)

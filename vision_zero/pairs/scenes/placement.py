"""Random scenes by CLEVR's rules (``image_generation/render_images.py``, add_random_objects): gaps, margins, visibility."""

from __future__ import annotations

import math

import numpy as np

from vision_zero.config.pairs import ScenesConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.scenes.render import survey
from vision_zero.pairs.scenes.scene import (
    COLORS,
    MATERIALS,
    RADII,
    SHAPES,
    SIZES,
    Camera,
    Lamps,
    Point,
    Scene,
    SceneObject,
)

SCENE_TRIES = 200
OBJECT_TRIES = 60
_REFERENCE_AREA = 320 * 240


def sample_scene(config: ScenesConfig, rng: np.random.Generator) -> Scene:
    """A scene in which objects neither touch nor hide each other too much.

    Raises:
        PairsError: the settings leave no room, found after ``SCENE_TRIES`` attempts.
    """
    for _ in range(SCENE_TRIES):
        camera, lamps = _jittered(config, rng)
        count = int(rng.integers(config.min_objects, config.max_objects + 1))
        objects = _placed(config, camera, count, rng)
        if objects is None:
            continue
        scene = Scene(objects, camera, lamps)
        if all_visible(config, scene):
            return scene
    raise PairsError(
        f"no scene with {config.min_objects} to {config.max_objects} objects fits after {SCENE_TRIES} tries: "
        "raise extent or lower min_objects, margin, min_visible_pixels or zoom"
    )


def random_object(rng: np.random.Generator, x: float, y: float) -> SceneObject:
    """An object of uniformly drawn looks at that place."""
    return SceneObject(
        shape=SHAPES[rng.integers(len(SHAPES))],
        color=COLORS[rng.integers(len(COLORS))],
        size=SIZES[rng.integers(len(SIZES))],
        material=MATERIALS[rng.integers(len(MATERIALS))],
        x=x,
        y=y,
        rotation=float(rng.uniform(0, 360)),
    )


def stands_clear(config: ScenesConfig, camera: Camera, item: SceneObject, others: tuple[SceneObject, ...]) -> bool:
    """Is the object far enough from the others, rim to rim and along CLEVR's two ground axes?"""
    directions = camera.ground_directions()
    axes = [(float(directions[name][0]), float(directions[name][1])) for name in ("right", "behind")]
    for other in others:
        x, y = item.x - other.x, item.y - other.y
        if math.hypot(x, y) - RADII[item.size] - RADII[other.size] < config.min_distance:
            return False
        if any(abs(x * across + y * along) < config.margin for across, along in axes):
            return False
    return True


def all_visible(config: ScenesConfig, scene: Scene) -> bool:
    """Does every object show enough pixels, and enough of its own outline?"""
    view = survey(scene, config.width, config.height)
    least = config.min_visible_pixels * config.width * config.height / _REFERENCE_AREA
    return all(
        shown >= least and shown >= config.min_visible_share * outline
        for shown, outline in zip(view.visible_pixels(), view.silhouettes, strict=True)
    )


def random_place(config: ScenesConfig, rng: np.random.Generator) -> tuple[float, float]:
    x, y = rng.uniform(-config.extent, config.extent, size=2)
    return float(x), float(y)


def _placed(config: ScenesConfig, camera: Camera, count: int, rng: np.random.Generator) -> tuple[SceneObject, ...] | None:
    objects: tuple[SceneObject, ...] = ()
    for _ in range(count):
        for _ in range(OBJECT_TRIES):
            item = random_object(rng, *random_place(config, rng))
            if stands_clear(config, camera, item, objects):
                objects = (*objects, item)
                break
        else:
            return None
    return objects


def _jittered(config: ScenesConfig, rng: np.random.Generator) -> tuple[Camera, Lamps]:
    def moved(point: Point, by: float) -> Point:
        x, y, z = np.asarray(point) + rng.uniform(-by, by, size=3)
        return (float(x), float(y), float(z))

    base = Camera()
    camera = Camera(moved(base.location, config.camera_jitter), base.target, base.focal * config.zoom)
    lamps = Lamps()
    jitter = config.lamp_jitter
    return camera, Lamps(moved(lamps.key, jitter), moved(lamps.fill, jitter), moved(lamps.back, jitter), lamps.softness)

"""Random scenes by CLEVR's rules (``image_generation/render_images.py``, add_random_objects): gaps, margins, visibility."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.render import survey
from vision_zero.domains.scenes.scene import (
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
    Size,
    Vector,
)
from vision_zero.errors import PairsError
from vision_zero.randomness import one_of

SCENE_TRIES = 1000
OBJECT_TRIES = 60
_REFERENCE_AREA = 320 * 240


def sample_scene(config: ScenesConfig, rng: np.random.Generator, count: int | None = None) -> Scene:
    """A scene in which objects neither touch nor hide each other too much.

    A refused placement is drawn again with as many objects, as CLEVR does: crowded scenes are refused more often, and
    drawing the number again would make them rare.

    Args:
        config: sizes, gaps and numbers.
        rng: where chance comes from.
        count: how many objects; drawn evenly between the config's bounds where it is not given.

    Raises:
        PairsError: the settings leave no room, found after ``SCENE_TRIES`` attempts.
    """
    camera, lamps = _jittered(config, rng)
    count = sample_count(config, rng) if count is None else count
    for _ in range(SCENE_TRIES):
        objects = with_more(config, camera, (), count, rng)
        if objects is None:
            continue
        scene = Scene(objects, camera, lamps)
        if all_visible(config, scene):
            return scene
    raise PairsError(
        f"no scene with {count} objects fits after {SCENE_TRIES} tries: "
        "raise extent or lower max_objects, min_distance, margin, min_visible_pixels, min_visible_share or zoom"
    )


def sample_count(config: ScenesConfig, rng: np.random.Generator) -> int:
    """How many objects a scene gets, every number between the config's bounds equally often."""
    return int(rng.integers(config.min_objects, config.max_objects + 1))


def random_object(rng: np.random.Generator) -> SceneObject:
    """An object of uniformly drawn looks, in the middle of the ground."""
    return SceneObject(
        shape=one_of(SHAPES, rng),
        color=one_of(COLORS, rng),
        size=one_of(SIZES, rng),
        material=one_of(MATERIALS, rng),
        x=0.0,
        y=0.0,
        rotation=float(rng.uniform(0, 360)),
    )


def stands_clear(config: ScenesConfig, camera: Camera, item: SceneObject, others: tuple[SceneObject, ...]) -> bool:
    """Is the object far enough from the others, rim to rim and along CLEVR's two ground axes?"""
    return bool(_are_clear(config, camera, item.size, np.array([[item.x, item.y]]), others)[0])


def put_down(
    config: ScenesConfig, camera: Camera, item: SceneObject, others: tuple[SceneObject, ...], rng: np.random.Generator
) -> SceneObject | None:
    """The same object at a random place that is clear of the others; None where ``OBJECT_TRIES`` find none."""
    places = rng.uniform(-config.extent, config.extent, size=(OBJECT_TRIES, 2))
    clear = np.flatnonzero(_are_clear(config, camera, item.size, places, others))
    if not clear.size:
        return None
    x, y = places[clear[0]]
    return replace(item, x=float(x), y=float(y))


def with_more(
    config: ScenesConfig, camera: Camera, objects: tuple[SceneObject, ...], count: int, rng: np.random.Generator
) -> tuple[SceneObject, ...] | None:
    """The objects and ``count`` random ones beside them; None where one found no place."""
    for _ in range(count):
        item = put_down(config, camera, random_object(rng), objects, rng)
        if item is None:
            return None
        objects = (*objects, item)
    return objects


def _are_clear(
    config: ScenesConfig, camera: Camera, size: Size, places: Vector, others: tuple[SceneObject, ...]
) -> NDArray[np.bool_]:
    """(N,) which of the places (N, 2) are far enough from all others."""
    if not others:
        return np.ones(len(places), dtype=bool)
    offset = places[:, None, :] - np.array([(other.x, other.y) for other in others])
    gap = np.hypot(offset[..., 0], offset[..., 1]) - RADII[size] - np.array([RADII[other.size] for other in others])
    directions = camera.ground_directions()
    across, along = (np.abs(offset @ directions[name][:2]) for name in ("right", "behind"))
    return np.asarray(((gap >= config.min_distance) & (across >= config.margin) & (along >= config.margin)).all(axis=1))


def all_visible(config: ScenesConfig, scene: Scene) -> bool:
    """Does every object show enough pixels, and enough of its own outline?"""
    view = survey(scene, config.width, config.height)
    least = config.min_visible_pixels * config.width * config.height / _REFERENCE_AREA
    return all(
        shown >= least and shown >= config.min_visible_share * outline
        for shown, outline in zip(view.visible_pixels(), view.silhouettes, strict=True)
    )


def _jittered(config: ScenesConfig, rng: np.random.Generator) -> tuple[Camera, Lamps]:
    def moved(point: Point, by: float) -> Point:
        x, y, z = np.asarray(point) + rng.uniform(-by, by, size=3)
        return (float(x), float(y), float(z))

    base = Camera()
    camera = Camera(moved(base.location, config.camera_jitter), base.target, base.focal * config.zoom)
    lamps = Lamps()
    jitter = config.lamp_jitter
    return camera, Lamps(moved(lamps.key, jitter), moved(lamps.fill, jitter), moved(lamps.back, jitter), lamps.sun)

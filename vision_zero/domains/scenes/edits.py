"""Edits of a scene. The paper's gives objects another colour and shape in the same place; the others vary one thing each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vision_zero.domains.scenes.config import SceneEdit, ScenesConfig
from vision_zero.domains.scenes.placement import all_visible, put_down, random_object, stands_clear
from vision_zero.domains.scenes.scene import VALUES, Scene, SceneObject
from vision_zero.randomness import one_of, weighted

EDIT_TRIES = 40
_CHANGED: Mapping[SceneEdit, Sequence[str]] = {
    "recolor_reshape": ("color", "shape"),
    "recolor": ("color",),
    "reshape": ("shape",),
    "resize": ("size",),
    "rematerial": ("material",),
}
"""The attributes that an edit changes."""


@dataclass(frozen=True, slots=True)
class EditedObject:
    """One object's fate: ``before`` is None for an added one, ``after`` for a removed one."""

    before: SceneObject | None
    after: SceneObject | None


@dataclass(frozen=True, slots=True)
class EditedScene:
    """The modified scene, the name of the edit, and what happened to each object that it touched."""

    scene: Scene
    kind: SceneEdit
    objects: tuple[EditedObject, ...]


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What kind of edit, and how many objects it touches; drawn before any scene, so that no kind is drawn less often
    because it is refused more often."""

    kind: SceneEdit
    count: int

    @classmethod
    def sample(cls, config: ScenesConfig, rng: np.random.Generator) -> EditPlan:
        return cls(weighted(config.edits, rng), int(rng.integers(config.min_changes, config.max_changes + 1)))


def edit_scene(config: ScenesConfig, scene: Scene, rng: np.random.Generator, plan: EditPlan | None = None) -> EditedScene | None:
    """A valid edit of ``scene``, or None where none was found: then another scene should be tried with the same plan."""
    plan = EditPlan.sample(config, rng) if plan is None else plan
    for _ in range(EDIT_TRIES):
        edited = _attempt(config, scene, plan.kind, plan.count, rng)
        if edited is not None and all_visible(config, edited.scene):
            return edited
    return None


def _attempt(config: ScenesConfig, scene: Scene, kind: SceneEdit, count: int, rng: np.random.Generator) -> EditedScene | None:
    if kind == "add":
        return _with_additions(config, scene, count, rng)
    chosen = sorted(int(index) for index in rng.choice(len(scene.objects), size=count, replace=False))
    objects = list(scene.objects)
    fates = []
    for index in chosen:
        before = objects[index]
        if kind == "remove":
            fates.append(EditedObject(before, None))
            continue
        others = tuple(other for place, other in enumerate(objects) if place != index)
        after = (
            put_down(config, scene.camera, before, others, rng) if kind == "move" else _with_others(before, _CHANGED[kind], rng)
        )
        # Looks may change the room that an object takes.
        if after is None or (kind == "resize" and not stands_clear(config, scene.camera, after, others)):
            return None
        objects[index] = after
        fates.append(EditedObject(before, after))
    if kind == "remove":
        objects = [item for place, item in enumerate(objects) if place not in chosen]
    return EditedScene(replace(scene, objects=tuple(objects)), kind, tuple(fates))


def _with_additions(config: ScenesConfig, scene: Scene, count: int, rng: np.random.Generator) -> EditedScene | None:
    objects = scene.objects
    for _ in range(count):
        item = put_down(config, scene.camera, random_object(rng), objects, rng)
        if item is None:
            return None
        objects = (*objects, item)
    added = tuple(EditedObject(None, item) for item in objects[len(scene.objects) :])
    return EditedScene(replace(scene, objects=objects), "add", added)


def _with_others(item: SceneObject, keys: Sequence[str], rng: np.random.Generator) -> SceneObject:
    """The object with another value of each of these attributes."""
    for key in keys:
        changed: Any = {key: one_of([value for value in VALUES[key] if value != getattr(item, key)], rng)}
        item = replace(item, **changed)
    return item

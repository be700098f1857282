"""Edits of a scene. The paper's gives objects another colour and shape in the same place; the others vary one thing each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vision_zero.domains.scenes.config import SceneEdit, ScenesConfig
from vision_zero.domains.scenes.placement import all_visible, put_down, stands_clear, with_more
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


Fate = tuple[SceneObject | None, SceneObject | None]
"""An object before and after an edit; None before for an added one, after for a removed one."""


@dataclass(frozen=True, slots=True)
class EditedScene:
    """The modified scene, the name of the edit, and what happened to each object that it touched."""

    scene: Scene
    kind: SceneEdit
    objects: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What kind of edit, and how many objects it touches; drawn before any scene, so that no kind is drawn less often
    because it is refused more often."""

    kind: SceneEdit
    count: int

    @classmethod
    def sample(cls, config: ScenesConfig, rng: np.random.Generator) -> EditPlan:
        return cls(weighted(config.edits, rng), int(rng.integers(config.min_changes, config.max_changes + 1)))


def edit_scene(config: ScenesConfig, scene: Scene, rng: np.random.Generator, plan: EditPlan) -> EditedScene | None:
    """A valid edit of ``scene``, or None where none was found: then another scene should be tried with the same plan."""
    for _ in range(EDIT_TRIES):
        edited = _attempt(config, scene, plan, rng)
        if edited is not None and all_visible(config, edited.scene):
            return edited
    return None


def _attempt(config: ScenesConfig, scene: Scene, plan: EditPlan, rng: np.random.Generator) -> EditedScene | None:
    if plan.kind == "add":
        more = with_more(config, scene.camera, scene.objects, plan.count, rng)
        return None if more is None else _edited(scene, plan, more, [(None, item) for item in more[-plan.count :]])
    chosen = sorted(int(index) for index in rng.choice(len(scene.objects), size=plan.count, replace=False))
    if plan.kind == "remove":
        kept = [item for place, item in enumerate(scene.objects) if place not in chosen]
        return _edited(scene, plan, kept, [(scene.objects[index], None) for index in chosen])
    objects = list(scene.objects)
    for index in chosen:
        before, others = objects[index], (*objects[:index], *objects[index + 1 :])
        if plan.kind == "move":
            after = put_down(config, scene.camera, before, others, rng)
        else:
            after = _with_others(before, _CHANGED[plan.kind], rng)
        # Looks may change the room that an object takes.
        if after is None or (plan.kind == "resize" and not stands_clear(config, scene.camera, after, others)):
            return None
        objects[index] = after
    return _edited(scene, plan, objects, [(scene.objects[index], objects[index]) for index in chosen])


def _edited(scene: Scene, plan: EditPlan, objects: Sequence[SceneObject], fates: Sequence[Fate]) -> EditedScene:
    return EditedScene(replace(scene, objects=tuple(objects)), plan.kind, tuple(fates))


def _with_others(item: SceneObject, keys: Sequence[str], rng: np.random.Generator) -> SceneObject:
    """The object with another value of each of these attributes."""
    for key in keys:
        changed: Any = {key: one_of([value for value in VALUES[key] if value != getattr(item, key)], rng)}
        item = replace(item, **changed)
    return item

"""Pairs of CLEVR-style scenes."""

from __future__ import annotations

from collections import Counter
from typing import final

import numpy as np

from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.images import box_of
from vision_zero.data.source import PairSource
from vision_zero.domains.pair_rules import disagreement
from vision_zero.domains.scenes.clevr import from_clevr, to_clevr
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.edits import EditedScene, EditPlan, edit_scene
from vision_zero.domains.scenes.placement import sample_count, sample_scene
from vision_zero.domains.scenes.render import Rendering, render
from vision_zero.domains.scenes.scene import Scene, SceneObject
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

PAIR_TRIES = 50


@final
class SceneSource(PairSource):
    """Draws a scene and its edited copy; facts are CLEVR scene JSON."""

    domain = "scenes"

    def __init__(self, config: ScenesConfig) -> None:
        self.config = config

    def sample(self, seed: Seed) -> ImagePair:
        rng = seed.generator()
        scene, edited = self._scene_and_edit(rng)
        width, height = self.config.width, self.config.height
        before, after = render(scene, width, height), render(edited.scene, width, height)
        pair_id = f"scene-{seed.digest()[:16]}"
        return ImagePair(
            pair_id=pair_id,
            domain=self.domain,
            original=before.image,
            modified=after.image,
            changes=_changes(scene, edited, before, after),
            original_facts=to_clevr(scene, width, height, f"{pair_id}_original.png"),
            modified_facts=to_clevr(edited.scene, width, height, f"{pair_id}_modified.png"),
        )

    def _scene_and_edit(self, rng: np.random.Generator) -> tuple[Scene, EditedScene]:
        # Number of objects and edit are drawn once and kept, so that what is refused more often is not made less often.
        count, plan = sample_count(self.config, rng), EditPlan.sample(self.config, rng)
        for _ in range(PAIR_TRIES):
            scene = sample_scene(self.config, rng, count)
            edited = edit_scene(self.config, scene, rng, plan)
            if edited is not None:
                return scene, edited
        raise PairsError(
            f"no edit {plan.kind} of {plan.count} objects fits after {PAIR_TRIES} scenes of {count}: "
            "leave it out of edits, or lower max_changes or max_objects"
        )


def name(item: SceneObject | None) -> str:
    """The object in CLEVR's order of words: size, colour, material, shape; nothing for no object."""
    return "" if item is None else f"{item.size} {item.color} {item.material} {item.shape}"


def _changes(scene: Scene, edited: EditedScene, before: Rendering, after: Rendering) -> tuple[Change, ...]:
    changes = []
    for old, new in edited.objects:
        shown = np.zeros(before.mask.shape, dtype=bool)
        if old is not None:
            shown |= before.mask == scene.objects.index(old)
        if new is not None:
            shown |= after.mask == edited.scene.objects.index(new)
        changes.append(Change(edited.kind, name(old), name(new), box_of(shown)))
    return tuple(changes)


def log_against_scenes(pair: ImagePair) -> str:
    """What is wrong with the log; nothing where it is true."""
    before, after = (Counter(from_clevr(facts).objects) for facts in (pair.original_facts, pair.modified_facts))
    gone, come = (Counter(name(item) for item in difference.elements()) for difference in (before - after, after - before))
    logged = [
        Counter(words for words in side if words) for side in zip(*((c.before, c.after) for c in pair.changes), strict=True)
    ]
    return disagreement(gone, logged[0], "scene") or disagreement(come, logged[1], "scene") if logged else "the log is empty"

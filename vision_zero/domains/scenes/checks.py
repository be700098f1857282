"""Measurements of scene pairs: does the change log agree with the two scenes?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.change_log import disagreement, log_fault
from vision_zero.domains.scenes.clevr import from_clevr
from vision_zero.domains.scenes.scene import SceneObject


def measure(pair: ImagePair) -> dict[str, Any]:
    """What is wrong with the log; None where nothing is."""
    return {"log_fault": log_fault(_log_against_scenes, pair)}


def _log_against_scenes(pair: ImagePair) -> str:
    before, after = (Counter(_objects(facts)) for facts in (pair.original_facts, pair.modified_facts))
    gone, come = (Counter(_words(item) for item in difference.elements()) for difference in (before - after, after - before))
    logged = [
        Counter(words for words in side if words) for side in zip(*((c.before, c.after) for c in pair.changes), strict=True)
    ]
    return disagreement(gone, logged[0], "scene") or disagreement(come, logged[1], "scene") if logged else "the log is empty"


def _objects(facts: Mapping[str, Any]) -> tuple[SceneObject, ...]:
    return from_clevr(facts).objects


def _words(item: SceneObject) -> str:
    return f"{item.size} {item.color} {item.material} {item.shape}"

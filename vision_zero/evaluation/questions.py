"""Questions about held-out scenes with answers computed from the scene graph: colour, shape, count, position.

The families follow CLEVR's (query, count, relate). Every question names its objects uniquely, so one answer is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from PIL import Image

from vision_zero.game.parsing import one_line
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.scenes.statements import NUMBERS, SIDES, Query, SceneFacts
from vision_zero.randomness import Seed

Family = Literal["color", "shape", "count", "position"]
FAMILIES: tuple[Family, ...] = ("color", "shape", "count", "position")
_ATTRIBUTES = ("size", "color", "material", "shape")
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a picture and its answer, one lower-case word."""

    family: Family
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """A question with the picture that it is about."""

    question: Question
    image: Image.Image


def questions_about(pairs: Sequence[ImagePair], per_family: int, seed: Seed) -> list[AskedPicture]:
    """That many questions of each family, spread over the originals of scene pairs; the same seed asks the same."""
    asked = []
    for family in FAMILIES:
        made = 0
        for number in range(per_family * _TRIES):
            pair = pairs[number % len(pairs)]
            rng = seed.child(family, pair.pair_id, number // len(pairs)).generator()
            question = ask(family, pair.original_facts, rng)
            if question is not None:
                asked.append(AskedPicture(question, pair.original))
                made += 1
            if made == per_family:
                break
    return asked


def ask(family: Family, facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    """A question of that family about a scene, or None if the scene has none that is unambiguous."""
    if family == "count":
        query = describe(_pick(facts["objects"], rng), rng, (1, 2))
        return Question("count", f"How many {query.noun(plural=True)}?", NUMBERS[len(query.matches(facts))])
    if family == "position":
        return _ask_position(facts, rng)
    for _ in range(_TRIES):
        item = _pick(facts["objects"], rng)
        query = replace(describe(item, rng, (2, 3, 4)), **{family: None})
        if query != Query() and len(query.matches(facts)) == 1:
            return Question(family, f"What {family} is the {query.noun()}?", item[family])
    return None


def is_right(question: Question, reply: str) -> bool:
    """Is the reply the answer, but for case, spaces, a final stop, a box around it, and digits for a number?"""
    said = one_line(reply).lower().removeprefix("\\boxed{").rstrip(" .}").strip()
    if said.isdigit() and int(said) < len(NUMBERS):
        said = NUMBERS[int(said)]
    return {"zero": "no"}.get(said, said) == question.answer


def describe(item: Mapping[str, Any], rng: np.random.Generator, sizes: Sequence[int]) -> Query:
    """A query that fits the object and names as many of its attributes as one of ``sizes`` says."""
    named = rng.permutation(list(_ATTRIBUTES))[: _pick(sizes, rng)]
    return Query(**{str(key): item[key] for key in named})


def _ask_position(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    objects = facts["objects"]
    for _ in range(_TRIES):
        one, two = (int(index) for index in rng.choice(len(objects), size=2, replace=False))
        subject, anchor = (describe(objects[index], rng, (1, 2, 3)) for index in (one, two))
        side = _pick([side for side in SIDES if one in facts["relationships"][side][two]], rng)
        if len(subject.matches(facts)) == len(anchor.matches(facts)) == 1:
            choice = "left or right of" if side in ("left", "right") else "in front of or behind"
            return Question("position", f"Is the {subject.noun()} {choice} the {anchor.noun()}?", side)
    return None


def _pick(options: Sequence[Any], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]

"""Questions about scenes with answers computed from the scene graph; the families follow CLEVR's (query, count, exist, relate).

Every question names its objects uniquely, so one answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from vision_zero.domains.domain import Question
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.statements import NUMBERS, SIDES, Query, SceneFacts, Thing
from vision_zero.randomness import one_of

Family = Literal["color", "shape", "size", "material", "count", "exist", "position"]
FAMILIES: tuple[Family, ...] = get_args(Family)
_TRIES = 60


def ask(family: Family, facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    """A question of that family about a scene, or None where the scene has none that is unambiguous."""
    return _ASK[family](facts, rng) if family in _ASK else _ask_attribute(family, facts, rng)


def describe(item: Mapping[str, Any], rng: np.random.Generator, sizes: Sequence[int], but: str = "") -> Query:
    """A query that fits the object and names as many attributes as one of ``sizes`` says, of those the one ``but`` left out."""
    named = rng.permutation(list(VALUES))[: one_of(sizes, rng)]
    return Query(**{str(key): item[key] for key in named if key != but})


def spoiled(query: Query, rng: np.random.Generator) -> Query:
    """The query with one of its named attributes changed."""
    key = one_of([key for key in VALUES if getattr(query, key) is not None], rng)
    other: Any = one_of([value for value in VALUES[key] if value != getattr(query, key)], rng)
    return replace(query, **{key: other})


def _ask_attribute(family: str, facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    for _ in range(_TRIES):
        item = one_of(facts["objects"], rng)
        query = describe(item, rng, (2, 3, 4), but=family)
        if query != Query() and len(query.matches(facts)) == 1:
            return Question(family, f"What {family} is the {query.noun()}?", item[family], (query,))
    return None


def _ask_count(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    query = describe(one_of(facts["objects"], rng), rng, (1, 2))
    if rng.random() < 0.2:
        query = spoiled(query, rng)
    count = len(query.matches(facts))
    return Question("count", f"How many {query.noun(plural=True)}?", NUMBERS[count], (query,)) if count < len(NUMBERS) else None


def _ask_existence(facts: SceneFacts, rng: np.random.Generator) -> Question:
    query = describe(one_of(facts["objects"], rng), rng, (1, 2, 3))
    if rng.random() < 0.5:
        query = spoiled(query, rng)
    return Question("exist", f"Is there {Thing(query).text()}?", "yes" if query.matches(facts) else "no", (query,))


def _ask_position(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    objects = facts["objects"]
    if len(objects) < 2:
        return None
    for _ in range(_TRIES):
        one, two = (int(index) for index in rng.choice(len(objects), size=2, replace=False))
        subject, anchor = (describe(objects[index], rng, (1, 2, 3)) for index in (one, two))
        side = one_of([side for side in SIDES if one in facts["relationships"][side][two]], rng)
        if len(subject.matches(facts)) == len(anchor.matches(facts)) == 1:
            choice = "left or right of" if side in ("left", "right") else "in front of or behind"
            text = f"Is the {subject.noun()} {choice} the {anchor.noun()}?"
            return Question("position", text, side, (subject, anchor))
    return None


_ASK: Mapping[str, Callable[[SceneFacts, np.random.Generator], Question | None]] = {
    "count": _ask_count,
    "exist": _ask_existence,
    "position": _ask_position,
}

"""Lessons about scenes: list them, answer questions about them, say true and false things of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vision_zero.pairs.scenes.questions import FAMILIES, ask, describe, pick, spoiled
from vision_zero.pairs.scenes.statements import SIDES, Both, Count, Query, Relation, SceneFacts, Statement, Thing
from vision_zero.policy.nano.lessons.lesson import Lesson

_TRIES = 30


def teach_list(facts: SceneFacts, rng: np.random.Generator) -> Lesson:
    """Every object with all its attributes, from left to right."""
    return Lesson("list", "List all objects.", listing(facts))


def teach_question(facts: SceneFacts, rng: np.random.Generator, *, with_evidence: bool = False) -> Lesson:
    """A question of any family, answered after a look; a listing where the scene has no such question.

    With evidence, the objects that it is about stand between look and answer: "small gray metal cylinder".
    """
    question = ask(pick(FAMILIES, rng), facts, rng)
    if question is None:
        return teach_list(facts, rng)
    evidence = [", ".join(in_words(fitting(query, facts)) for query in question.about)] if with_evidence else []
    return Lesson(question.family, question.text, ". ".join([listing(facts), *evidence, f"\\boxed{{{question.answer}}}"]))


def fitting(query: Query, facts: SceneFacts) -> list[str]:
    """All objects that a description fits, from left to right, with all that can be said of them."""
    return [whole(item) for item in from_left(facts) if query.fits(item)]


def in_words(things: Sequence[str]) -> str:
    """ "small red metal cube and large red metal cube", or "none"."""
    return " and ".join(things) or "none"


def listing(facts: SceneFacts) -> str:
    """ "small red metal cube, large blue rubber sphere", from left to right."""
    return ", ".join(whole(item) for item in from_left(facts))


def whole(item: Mapping[str, Any]) -> str:
    """All that can be said of an object: "small red metal cube"."""
    return f"{item['size']} {item['color']} {item['material']} {item['shape']}"


def true_statement(facts: SceneFacts, rng: np.random.Generator, counting: float = 0.0) -> Statement:
    """Something true of the scene: two things, one, a relation or a number; now telling, now vague.

    Args:
        counting: how often it is made a number, 0 to 1; else it is one as often as when a player speaks.
    """
    if counting and rng.random() < counting:
        return _number(facts, rng)
    kind = rng.random()
    if kind < 0.5:
        one, two = (facts["objects"][int(index)] for index in rng.choice(len(facts["objects"]), size=2, replace=False))
        return Both((Thing(describe(one, rng, (2, 2, 3))), Thing(describe(two, rng, (2, 2, 3)))))
    if kind < 0.86:
        return Thing(describe(pick(facts["objects"], rng), rng, (1, 2, 3, 3, 4)))
    if kind < 0.93:
        return _relation(facts, rng)
    return _number(facts, rng)


def false_statement(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator, counting: float = 0.0) -> Statement:
    """Something false of the scene; half of the time it is true of ``other``, the scene's edited copy."""
    for _ in range(_TRIES):
        if rng.random() < 0.5:
            statement = true_statement(other, rng, counting)
        else:
            statement = _spoiled(true_statement(facts, rng, counting), rng)
        if not statement.holds(facts):
            return statement
    return Count(0, Query())


def from_left(facts: SceneFacts) -> list[Mapping[str, Any]]:
    """The objects in the order in which the picture shows them from left to right."""
    return sorted(facts["objects"], key=lambda item: item["pixel_coords"][0])


def _number(facts: SceneFacts, rng: np.random.Generator) -> Count:
    query = describe(pick(facts["objects"], rng), rng, (1, 2))
    if rng.random() < 0.15:
        query = spoiled(query, rng)
    return Count(len(query.matches(facts)), query)


def _relation(facts: SceneFacts, rng: np.random.Generator) -> Relation:
    objects = facts["objects"]
    while True:  # CLEVR's margins put every two objects on some side of each other
        anchor, side = int(rng.integers(len(objects))), pick(SIDES, rng)
        standing = facts["relationships"][side][anchor]
        if standing:
            one, two = objects[pick(standing, rng)], objects[anchor]
            return Relation(describe(one, rng, (1, 2, 2)), side, describe(two, rng, (1, 2, 2)))


def _spoiled(statement: Statement, rng: np.random.Generator) -> Statement:
    """The statement with one detail changed; it may still be true."""
    if isinstance(statement, Both):
        place = int(rng.integers(len(statement.parts)))
        return Both(tuple(_spoiled(part, rng) if index == place else part for index, part in enumerate(statement.parts)))  # type: ignore[misc]
    if isinstance(statement, Relation):
        if rng.random() < 0.5:
            return replace(statement, side=pick(SIDES, rng))
        return replace(statement, query=spoiled(statement.query, rng))
    if isinstance(statement, Count):
        return replace(statement, number=max(0, statement.number + pick((-1, 1), rng)))
    assert isinstance(statement, Thing)
    return Thing(spoiled(statement.query, rng))

"""Examples about scenes: lists, questions, true and false statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vision_zero.domains.domain import Question
from vision_zero.domains.scenes.questions import FAMILIES, ask, describe, spoiled
from vision_zero.domains.scenes.statements import (
    SIDE_WORDS,
    SIDES,
    Both,
    Count,
    Query,
    Relation,
    SceneFacts,
    Side,
    Statement,
    Thing,
)
from vision_zero.randomness import one_of
from vision_zero.warm_start.examples.example import Example, boxed, direct_reply, form, reasoned_reply

_TRIES = 30
_FROM: Mapping[Side, str] = {"left": "left", "right": "right", "front": "front", "behind": "back"}


def list_example(facts: SceneFacts, rng: np.random.Generator) -> Example:
    """Every object with all its attributes, from left to right."""
    return Example("list", "List all objects.", listing(facts))


def order_example(facts: SceneFacts, rng: np.random.Generator) -> Example:
    """All objects with all attributes, ordered from one of the four sides, as needed for relations."""
    side = one_of(SIDES, rng)
    order = ", ".join(in_full(facts["objects"][index]) for index in _from_side(facts, side, range(len(facts["objects"]))))
    return Example("order", f"List all objects from the {_FROM[side]}.", order)


def question_example(facts: SceneFacts, rng: np.random.Generator, *, reasoned: bool) -> Example:
    """A question of any family, or a list if the scene has no such question.

    A reasoned answer first names the objects that match each description in the question: "metal cubes = small gray metal cube".
    """
    question = ask(one_of(FAMILIES, rng), facts, rng)
    if question is None:
        return list_example(facts, rng)
    answer = boxed(question.answer)
    answer = reasoned_reply(listing(facts), _question_evidence(question, facts), answer) if reasoned else direct_reply(answer)
    return Example(f"question {form(reasoned)}", question.text, answer)


def _question_evidence(question: Question, facts: SceneFacts) -> list[str]:
    """Evidence for a question's answer; for a position both objects in order: "from left = red cube and blue sphere"."""
    if question.family == "position":
        side: Side = "left" if question.answer in ("left", "right") else "front"
        named = [index for query in question.about for index in query.matches(facts)]
        return [f"from {side} = {in_words([in_full(facts['objects'][index]) for index in _from_side(facts, side, named)])}"]
    return [f"{query.noun()} = {in_words(fitting(query, facts))}" for query in question.about]


def evidence(part: Thing | Count | Relation, facts: SceneFacts) -> str:
    """A statement with its evidence: "two red cubes = small red metal cube and large red metal cube", or "… = none".

    For an object the first match from left to right, for a count all matches, for a relation the first matching pair:
    "cube left of sphere = small red metal cube left of large blue rubber sphere".
    """
    words = part.text().removeprefix("a ").replace(" a ", " ")
    if isinstance(part, Relation):
        return f"{words} = {_standing(part, facts)}"
    found = fitting(part.query, facts)
    return f"{words} = {in_words(found[:1] if isinstance(part, Thing) else found)}"


def _standing(part: Relation, facts: SceneFacts) -> str:
    """The first two objects, from left to right, for which the relation holds; "none" if there are none."""
    objects = facts["objects"]
    order = _from_side(facts, "left", range(len(objects)))
    for one in order:
        for two in order:
            fit = part.query.fits(objects[one]) and part.other.fits(objects[two])
            if fit and one in facts["relationships"][part.side][two]:
                return f"{in_full(objects[one])} {SIDE_WORDS[part.side]} {in_full(objects[two])}"
    return in_words([])


def _from_side(facts: SceneFacts, side: Side, indices: Iterable[int]) -> list[int]:
    """These objects, ordered from that side."""
    axis = np.asarray(facts["directions"][side], dtype=np.float64)
    return sorted(indices, key=lambda index: -float(axis @ np.asarray(facts["objects"][index]["3d_coords"], dtype=np.float64)))


def fitting(query: Query, facts: SceneFacts) -> list[str]:
    """All objects that match a description, from left to right, with all attributes."""
    return [in_full(item) for item in from_left(facts) if query.fits(item)]


def in_words(things: Sequence[str]) -> str:
    """ "small red metal cube and large red metal cube", or "none"."""
    return " and ".join(things) or "none"


def listing(facts: SceneFacts) -> str:
    """ "small red metal cube, large blue rubber sphere", from left to right."""
    return ", ".join(in_full(item) for item in from_left(facts))


def in_full(item: Mapping[str, Any]) -> str:
    """An object with all attributes: "small red metal cube"."""
    return f"{item['size']} {item['color']} {item['material']} {item['shape']}"


def true_statement(facts: SceneFacts, rng: np.random.Generator) -> Statement:
    """A true statement, specific or vague: one or two objects in 44 %, a count in 29 %, a relation in 27 %; of a single object
    there are only the object and counts."""
    kind = rng.random()
    if len(facts["objects"]) < 2:
        kind = 0.22 + 0.51 * kind
    if kind < 0.22:
        one, two = (facts["objects"][int(index)] for index in rng.choice(len(facts["objects"]), size=2, replace=False))
        return Both((Thing(describe(one, rng, (2, 2, 3))), Thing(describe(two, rng, (2, 2, 3)))))
    if kind < 0.44:
        return Thing(describe(one_of(facts["objects"], rng), rng, (1, 2, 3, 3, 4)))
    return _number(facts, rng) if kind < 0.73 else _relation(facts, rng)


def false_statement(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Statement:
    """A false statement; half of the time it is true of ``other``, the scene's edited copy."""
    for _ in range(_TRIES):
        statement = true_statement(other, rng) if rng.random() < 0.5 else _spoiled(true_statement(facts, rng), rng)
        if not statement.holds(facts):
            return statement
    return Count(0, Query())


def from_left(facts: SceneFacts) -> list[Mapping[str, Any]]:
    """The objects from left to right in the image."""
    return sorted(facts["objects"], key=lambda item: item["pixel_coords"][0])


def _number(facts: SceneFacts, rng: np.random.Generator) -> Count:
    query = describe(one_of(facts["objects"], rng), rng, (1, 2))
    if rng.random() < 0.15:
        query = spoiled(query, rng)
    return Count(len(query.matches(facts)), query)


def _relation(facts: SceneFacts, rng: np.random.Generator) -> Relation:
    objects = facts["objects"]
    while True:  # With CLEVR's margins any two objects are on some side of each other
        anchor, side = int(rng.integers(len(objects))), one_of(SIDES, rng)
        standing = facts["relationships"][side][anchor]
        if standing:
            one, two = objects[one_of(standing, rng)], objects[anchor]
            return Relation(describe(one, rng, (2, 2, 3)), side, describe(two, rng, (1, 2, 2)))


def _spoiled(statement: Statement, rng: np.random.Generator) -> Statement:
    """The statement with one detail changed; it may still be true."""
    if isinstance(statement, Both):
        place = int(rng.integers(len(statement.parts)))
        return Both(tuple(_spoiled(part, rng) if index == place else part for index, part in enumerate(statement.parts)))  # type: ignore[misc]
    if isinstance(statement, Relation):
        if rng.random() < 0.5:
            return replace(statement, side=one_of(SIDES, rng))
        return replace(statement, query=spoiled(statement.query, rng))
    if isinstance(statement, Count):
        return replace(statement, number=max(0, statement.number + one_of((-1, 1), rng)))
    assert isinstance(statement, Thing)
    return Thing(spoiled(statement.query, rng))

"""What the embedded policy is taught before it plays: a question about a picture, and the right answer.

The warm start stands in for the pretraining of a large model. It teaches to see (list a scene, answer questions), to judge
(is this statement true of the picture?), and the game's protocol (look, then say a clue; check, then vote). All answers are
computed from the scene graph; nothing is imitated from another model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vision_zero.config.game import GameConfig
from vision_zero.game.prompts import SpokenClue, clue_prompt, vote_prompt
from vision_zero.pairs.scenes.scene import COLORS, MATERIALS, SHAPES, SIZES
from vision_zero.pairs.scenes.statements import (
    NUMBERS,
    SIDES,
    Count,
    Query,
    Relation,
    SceneFacts,
    Statement,
    Thing,
)

_VALUES: Mapping[str, Sequence[str]] = {"size": SIZES, "color": COLORS, "material": MATERIALS, "shape": SHAPES}
_TRIES = 30


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt about one picture and the answer to learn; ``topic`` names the skill in tables of progress."""

    topic: str
    prompt: str
    answer: str


def from_left(facts: SceneFacts) -> list[Mapping[str, Any]]:
    """The objects in the order in which they appear from left to right."""
    return sorted(facts["objects"], key=lambda item: item["pixel_coords"][0])


def glance(facts: SceneFacts) -> str:
    """What a look at the scene finds: colours and shapes from left to right."""
    return ", ".join(f"{item['color']} {item['shape']}" for item in from_left(facts))


def listing(facts: SceneFacts) -> str:
    """Every object with all its attributes, from left to right."""
    return ", ".join(f"{item['size']} {item['color']} {item['material']} {item['shape']}" for item in from_left(facts))


def true_statement(facts: SceneFacts, rng: np.random.Generator) -> Statement:
    """Something true of the scene: mostly a thing, sometimes a relation or a number."""
    kind = rng.random()
    if kind < 0.6:
        return Thing(_describe(_pick(facts["objects"], rng), rng, (1, 2, 2, 3, 4)))
    if kind < 0.8:
        return _relation(facts, rng)
    query = _describe(_pick(facts["objects"], rng), rng, (1, 1, 2))
    if rng.random() < 0.15:
        query = _spoiled(query, rng)
    return Count(len(query.matches(facts)), query)


def false_statement(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Statement:
    """Something false of the scene; half of the time it is true of ``other``, the scene's edited copy."""
    for _ in range(_TRIES):
        statement = true_statement(other, rng) if rng.random() < 0.5 else _spoil(true_statement(facts, rng), rng)
        if not statement.holds(facts):
            return statement
    return Count(0, Query())


def scene_lesson(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator, weights: Mapping[str, float]) -> Lesson:
    """A lesson about the scene ``facts``, whose edited copy is ``other``."""
    topics = list(weights)
    shares = np.array([weights[topic] for topic in topics])
    topic = topics[rng.choice(len(topics), p=shares / shares.sum())]
    return _TEACH[topic](facts, other, rng)


def _teach_list(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    return Lesson("list", "List all objects.", listing(facts))


def _teach_question(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    if rng.random() < 0.3:
        query = _describe(_pick(facts["objects"], rng), rng, (1, 2))
        if rng.random() < 0.3:
            query = _spoiled(query, rng)
        return Lesson("count", f"How many {query.noun(plural=True)}?", NUMBERS[len(query.matches(facts))])
    if rng.random() < 0.3:
        return _teach_side(facts, rng)
    for _ in range(_TRIES):
        item = _pick(facts["objects"], rng)
        asked = _pick(tuple(_VALUES), rng)
        query = replace(_describe(item, rng, (2, 3, 4)), **{asked: None})
        if query != Query() and len(query.matches(facts)) == 1:
            return Lesson(asked, f"What {asked} is the {query.noun()}?", item[asked])
    return _teach_list(facts, other, rng)


def _teach_side(facts: SceneFacts, rng: np.random.Generator) -> Lesson:
    for _ in range(_TRIES):
        relation = _relation(facts, rng)
        one, two = relation.query.matches(facts), relation.other.matches(facts)
        if len(one) == len(two) == 1 and one != two:
            choice = "left or right of" if relation.side in ("left", "right") else "in front of or behind"
            return Lesson("side", f"Is the {relation.query.noun()} {choice} the {relation.other.noun()}?", relation.side)
    return _teach_list(facts, facts, rng)


def _teach_check(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    seats, rounds = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    truth = {(seat, round_): bool(rng.random() < 0.65) for seat in range(1, seats + 1) for round_ in range(1, rounds + 1)}
    said = {
        place: true_statement(facts, rng) if is_true else false_statement(facts, other, rng) for place, is_true in truth.items()
    }
    lines = [
        f"{seat}: " + "; ".join(said[seat, round_].text() for round_ in range(1, rounds + 1)) + "."
        for seat in range(1, seats + 1)
    ]
    return Lesson("check", "\n".join([*lines, "Check the clues."]), verdicts(said, facts, skip=None))


def verdicts(said: Mapping[tuple[int, int], Statement], facts: SceneFacts, skip: int | None) -> str:
    """The private check of a table's clues: seat by seat, whether each clue is true of the scene."""
    seats = sorted({seat for seat, _ in said} - {skip})
    return ", ".join(
        f"{seat} " + " ".join("yes" if said[place].holds(facts) else "no" for place in sorted(said) if place[0] == seat)
        for seat in seats
    )


def _game(rng: np.random.Generator) -> GameConfig:
    return GameConfig(civilians=int(rng.choice((2, 3, 3, 3, 4))), rounds=int(rng.choice((1, 2, 2, 2, 3))), prompt="compact")


def _teach_clue(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    game = _game(rng)
    players = game.civilians + 1
    said = int(rng.integers(0, players * game.rounds))
    is_spy = rng.random() < 0.25
    clues = []
    for number in range(said):
        # Most others see one picture; what this player does not see comes from the edited copy.
        seen = other if (rng.random() < 0.75) == is_spy else facts
        clues.append(SpokenClue(number // players + 1, number % players + 1, true_statement(seen, rng).text()))
    prompt = clue_prompt(game, said % players + 1, "spy" if is_spy else "civilian", clues, round_=said // players + 1)
    return Lesson("clue", prompt, f"{glance(facts)}. \\boxed{{{true_statement(facts, rng).text()}}}")


def _teach_vote(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    game = _game(rng)
    players = game.civilians + 1
    spy, voter = (int(seat) + 1 for seat in rng.choice(players, size=2, replace=False))
    said = {
        (seat, round_): true_statement(other if seat == spy else facts, rng)
        for round_ in range(1, game.rounds + 1)
        for seat in range(1, players + 1)
    }
    clues = [SpokenClue(round_, seat, statement.text()) for (seat, round_), statement in said.items()]
    prompt = vote_prompt(game, voter, "civilian", clues)
    betrayed = any(not said[spy, round_].holds(facts) for round_ in range(1, game.rounds + 1))
    box = f"\\boxed{{{spy if betrayed else 'N/A'}}}"
    style = rng.random()
    if style < 1 / 3:
        return Lesson("vote", prompt, box)
    check = verdicts(said, facts, skip=voter)
    if style < 2 / 3:
        return Lesson("vote", prompt, f"{check}. {box}")
    return Lesson("vote", prompt, f"{glance(facts)}. {check}. {box}")


_TEACH = {
    "list": _teach_list,
    "question": _teach_question,
    "check": _teach_check,
    "clue": _teach_clue,
    "vote": _teach_vote,
}


def _pick(options: Sequence[Any], rng: np.random.Generator) -> Any:
    return options[int(rng.integers(len(options)))]


def _describe(item: Mapping[str, Any], rng: np.random.Generator, sizes: Sequence[int]) -> Query:
    """A query that fits the object and names as many attributes as one of ``sizes`` says."""
    named = rng.permutation(list(_VALUES))[: _pick(sizes, rng)]
    return Query(**{key: item[key] for key in named})


def _relation(facts: SceneFacts, rng: np.random.Generator) -> Relation:
    objects = facts["objects"]
    for _ in range(_TRIES):
        anchor = int(rng.integers(len(objects)))
        side = _pick(SIDES, rng)
        standing = facts["relationships"][side][anchor]
        if standing:
            one, two = objects[_pick(standing, rng)], objects[anchor]
            return Relation(_describe(one, rng, (1, 2, 2)), side, _describe(two, rng, (1, 2, 2)))
    raise AssertionError("CLEVR's margins put every two objects on some side of each other")


def _spoiled(query: Query, rng: np.random.Generator) -> Query:
    """The query with one named attribute changed."""
    named = [key for key in _VALUES if getattr(query, key) is not None]
    key = _pick(named, rng)
    return replace(query, **{key: _pick([value for value in _VALUES[key] if value != getattr(query, key)], rng)})


def _spoil(statement: Statement, rng: np.random.Generator) -> Statement:
    if isinstance(statement, Relation):
        which = rng.random()
        if which < 0.5:
            return replace(statement, side=_pick(SIDES, rng))
        return replace(statement, query=_spoiled(statement.query, rng))
    if isinstance(statement, Count):
        return replace(statement, number=max(0, statement.number + int(rng.choice((-1, 1)))))
    assert isinstance(statement, Thing)
    return Thing(_spoiled(statement.query, rng))

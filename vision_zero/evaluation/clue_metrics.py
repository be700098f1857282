"""Metrics of clues from the scene graphs of both images of a pair: specificity, truth, and whether a clue separates the images.

Vagueness is what clue training finds first, since vague clues are hard to vote on, and a win rate does not show it. So it is
measured: the attributes that a clue names, the objects of the speaker's image that it fits, and whether it is false of the
other image, which is what voters can use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from vision_zero.config.game import GameConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.statements import NO_FACTS, Count, Query, Relation, SceneFacts, Statement, Thing, parse, parts_of
from vision_zero.evaluation.written_checks import is_habit
from vision_zero.game.prompts import Role
from vision_zero.game.transcript import Move, Transcript

OF_SCENES = ("statements", "true", "false", "telling", "attributes", "objects that fit")
"""Measures of clues on scene pairs …"""
OF_SPIES = ("telling", "attributes")
"""… and those that are also taken of the spy's alone."""
Spoken = tuple[Sequence[Transcript], Role | None]
"""Games with the role whose clues are meant; None for both."""


def clue_metrics(spoken: Sequence[Spoken], pairs: Mapping[str, ImagePair], rules: GameConfig) -> dict[str, list[float]]:
    """Means by pair over all clues that one player gave on it, in one game or several.

    ``clues/unreadable``, ``clues/duplicates`` (said word for word before in the game), and of scene pairs: ``statements`` (in the
    language of :mod:`vision_zero.domains.scenes.statements`), ``true`` and ``false`` of the speaker's own image, ``telling``
    (false of the other one), ``attributes`` named, ``objects that fit``. What is no statement is neither true nor false nor
    telling, and names nothing. Where most of a player's clues are no statements the measures of scenes have no units: it speaks
    another language, and its clues are not judged here.

    Args:
        spoken: lists of games, each pair at the same place in all of them, with the role that the player had.
    """
    names = [*(f"clues/{name}" for name in ("unreadable", "duplicates", *OF_SCENES)), *(f"spy clues/{name}" for name in OF_SPIES)]
    values: dict[str, list[float]] = {name: [] for name in names}
    by_pair: list[list[tuple[Move, dict[str, float]]]] = []
    roles = [role for _, role in spoken]
    for games in zip(*(played for played, _ in spoken), strict=True):
        moves = [
            (game, move) for game, role in zip(games, roles, strict=True) for move in game.clue_moves if role in (None, move.role)
        ]
        values["clues/unreadable"].append(fmean(move.unreadable is not None for _, move in moves))
        values["clues/duplicates"].append(fmean(_is_repeated(move, game) for game, move in moves))
        pair = pairs[games[0].pair_id]
        if has_scene_graph(pair):
            by_pair.append([(move, _measures(move, pair, rules)) for _, move in moves])
    if not is_habit(bool(found["statements"]) for clues in by_pair for _, found in clues):
        return values
    for clues in by_pair:
        for name in OF_SCENES:
            values[f"clues/{name}"].append(fmean(found[name] for _, found in clues))
        of_spy = [found for move, found in clues if move.role == "spy"]
        for name in OF_SPIES if of_spy else ():
            values[f"spy clues/{name}"].append(fmean(found[name] for found in of_spy))
    return values


def _seen_facts(pair: ImagePair, rules: GameConfig, *, is_spy: bool) -> SceneFacts:
    """The scene graph of the image that a seat is shown."""
    if not is_spy or rules.spy_image == "identical":
        return pair.original_facts
    return NO_FACTS if rules.spy_image == "blank" else pair.modified_facts


def _measures(move: Move, pair: ImagePair, rules: GameConfig) -> dict[str, float]:
    """Of one clue; one that says nothing fits all objects."""
    own, other = (_seen_facts(pair, rules, is_spy=is_spy) for is_spy in (move.role == "spy", move.role != "spy"))
    statement = parse(move.clue)
    queries = [] if statement is None else _queries(statement)
    return {
        "statements": statement is not None,
        "true": statement is not None and statement.holds(own),
        "false": statement is not None and not statement.holds(own),
        "telling": statement is not None and not statement.holds(other),
        "attributes": sum(getattr(query, key) is not None for query in queries for key in VALUES),
        "objects that fit": fmean(len(query.matches(own)) for query in queries) if queries else len(own["objects"]),
    }


def _queries(statement: Statement) -> list[Query]:
    """Every description of objects in a clue."""
    found: list[Query] = []
    for part in parts_of(statement):
        match part:
            case Thing(query) | Count(_, query):
                found.append(query)
            case Relation(query, _, other):
                found += [query, other]
    return found


def _is_repeated(move: Move, game: Transcript) -> bool:
    """Was this clue said before in the game, by anybody?"""
    before = game.clue_moves[: game.clue_moves.index(move)]
    return bool(move.clue) and any(earlier.clue == move.clue for earlier in before)

"""Metrics of clues from the scene graphs of both images of a pair: specificity, truth, and whether a clue separates the images.

Vagueness is what clue training finds first, since vague clues are hard to vote on, and a win rate does not show it. So it is
measured: the attributes that a clue names, the objects of the speaker's image that it fits, and whether it is false of the
other image, which is what voters can use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from vision_zero.config.game import GameConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.statements import NO_FACTS, Count, Query, Relation, SceneFacts, Statement, Thing, parse, parts_of
from vision_zero.evaluation.written_checks import is_habit
from vision_zero.game.prompts import Role
from vision_zero.game.transcript import Move, Transcript

IN_WORDS = ("clues/unreadable", "clues/duplicates")
"""Measures that need no scene graph."""
Spoken = tuple[Sequence[Transcript], Role | None]
"""Games with the role whose clues are meant; None for both."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A clue with what it was said of: the speaker's image and the other one."""

    is_spy: bool
    statement: Statement | None
    own: SceneFacts
    other: SceneFacts

    def is_statement(self) -> bool:
        return self.statement is not None

    def is_true(self) -> bool:
        return self.statement is not None and self.statement.holds(self.own)

    def is_false(self) -> bool:
        return self.statement is not None and not self.statement.holds(self.own)

    def is_telling(self) -> bool:
        return self.statement is not None and not self.statement.holds(self.other)

    def attributes(self) -> int:
        return sum(getattr(query, key) is not None for query in self.queries() for key in VALUES)

    def fitting(self) -> float:
        """Objects that fit a description of the clue, on the mean of its descriptions; a clue that says nothing fits all."""
        found = [len(query.matches(self.own)) for query in self.queries()]
        return fmean(found) if found else float(len(self.own["objects"]))

    def queries(self) -> list[Query]:
        """Every description of objects in the clue."""
        found: list[Query] = []
        for part in () if self.statement is None else parts_of(self.statement):
            match part:
                case Thing(query) | Count(_, query):
                    found.append(query)
                case Relation(query, _, other):
                    found += [query, other]
        return found


OF_SCENES: Mapping[str, Callable[[_Said], float]] = {
    "clues/statements": _Said.is_statement,
    "clues/true": _Said.is_true,
    "clues/false": _Said.is_false,
    "clues/telling": _Said.is_telling,
    "clues/attributes": _Said.attributes,
    "clues/objects that fit": _Said.fitting,
    "spy clues/telling": _Said.is_telling,
    "spy clues/attributes": _Said.attributes,
}
"""Measures of clues on scene pairs, of all or of the spy's."""


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
    values: dict[str, list[float]] = {name: [] for name in (*IN_WORDS, *OF_SCENES)}
    by_pair: list[list[_Said]] = []
    roles = [role for _, role in spoken]
    for games in zip(*(played for played, _ in spoken), strict=True):
        moves = [
            (game, move) for game, role in zip(games, roles, strict=True) for move in game.clue_moves if role in (None, move.role)
        ]
        values["clues/unreadable"].append(fmean(move.unreadable is not None for _, move in moves))
        values["clues/duplicates"].append(fmean(_is_repeated(move, game) for game, move in moves))
        pair = pairs[games[0].pair_id]
        if has_scene_graph(pair):
            by_pair.append([_said(move, game, pair, rules) for game, move in moves])
    if not is_habit(said.is_statement() for clues in by_pair for said in clues):
        return values
    for clues in by_pair:
        of_spy = [said for said in clues if said.is_spy]
        for name, measure in OF_SCENES.items():
            own = of_spy if name.startswith("spy ") else clues
            if own:
                values[name].append(fmean(map(measure, own)))
    return values


def seen_facts(pair: ImagePair, rules: GameConfig, *, is_spy: bool) -> SceneFacts:
    """The scene graph of the image that a seat is shown."""
    if not is_spy or rules.spy_image == "identical":
        return pair.original_facts
    return NO_FACTS if rules.spy_image == "blank" else pair.modified_facts


def _said(move: Move, game: Transcript, pair: ImagePair, rules: GameConfig) -> _Said:
    is_spy = move.seat == game.spy
    own, other = (seen_facts(pair, rules, is_spy=role) for role in (is_spy, not is_spy))
    return _Said(is_spy, parse(move.clue), own, other)


def _is_repeated(move: Move, game: Transcript) -> bool:
    """Was this clue said before in the game, by anybody?"""
    before = game.clue_moves[: game.clue_moves.index(move)]
    return bool(move.clue) and any(earlier.clue == move.clue for earlier in before)

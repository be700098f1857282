"""Verdicts are counted by kind of statement against the scene graph, and forced choices replace only what named nobody."""

from dataclasses import dataclass, field, replace

import pytest

from tests.make import plain_pair, scene_pairs
from vision_zero.config.game import GameConfig
from vision_zero.evaluation.forced_choice import forced_choices, up_to_the_box
from vision_zero.evaluation.vote_metrics import verdict_metrics
from vision_zero.game.interface import GameState, Reply
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Move, Transcript

PAIR = scene_pairs(1)[0]
FACTS = {
    "objects": [
        {"size": "small", "color": "red", "material": "metal", "shape": "cube"},
        {"size": "large", "color": "blue", "material": "rubber", "shape": "sphere"},
    ],
    "relationships": {"left": [[], [0]], "right": [[1], []], "front": [[], []], "behind": [[], []]},
}
"""A red cube left of a blue sphere."""
SEEN = replace(PAIR, original_facts=FACTS)
SAID = ("a red cube and a blue cube", "two spheres", "a red cube left of a sphere", "hello")
"""By seats 1 to 4: true and false, false, true, and no statement."""


def table(*replies, said=SAID, pair=SEEN):
    """A game whose spy is player 4; players 1 to 3 vote with these replies."""
    clues = [Move(seat, "civilian", "clue", 1, "", "", "", clue=text) for seat, text in enumerate(said, 1)]
    votes = [Move(seat, "civilian", "vote", 0, "", reply, "") for seat, reply in enumerate(replies, 1)]
    return Transcript("g", pair.pair_id, 4, 4, (*clues, *votes))


def measured(*tables, pair=SEEN):
    return verdict_metrics(tables, {pair.pair_id: pair})


def test_verdicts_by_kind_by_hand():
    found = measured(
        table(
            "2: no; 3: yes; 4: yes. \\boxed{2}",  # both right
            "1: yes, yes; 3: no; 4: no. \\boxed{4}",  # right, wrong, wrong
            "1: yes, no; 2: yes; 4: yes. \\boxed{1}",  # right, right, wrong
        )
    )
    assert found["verdicts/all"] == [pytest.approx(5 / 8)]
    assert found["verdicts/things"] == [pytest.approx(3 / 4)]
    assert found["verdicts/counts"] == [pytest.approx(1 / 2)]
    assert found["verdicts/relations"] == [pytest.approx(1 / 2)]
    assert found["false denied/all"] == [pytest.approx(2 / 4)]
    assert found["false denied/things"] == [pytest.approx(1 / 2)]
    assert found["false denied/relations"] == []  # none was false
    assert found["true denied/all"] == [pytest.approx(1 / 4)]
    assert found["checks/unreadable"] == [0.0]


def test_what_is_not_judged_is_not_right():
    found = measured(table("2: no. \\boxed{2}", "3: yes. \\boxed{1}", "4: yes, who knows. \\boxed{1}"))
    assert found["verdicts/all"] == [pytest.approx(2 / 8)]
    assert found["checks/unreadable"] == [pytest.approx(6 / 8)]


def test_a_clue_that_is_no_statement_keeps_its_place_among_a_seats_checks():
    """Player 4 said "hello" and then two spheres: the second verdict is about these."""
    said = replace(table("4: yes, no", "4: yes, no", "4: yes, no"))
    second = Move(4, "civilian", "clue", 2, "", "", "", clue="two spheres")
    found = measured(replace(said, moves=(*said.clue_moves, second, *said.votes)))
    assert found["false denied/counts"] == [pytest.approx(3 / 5)]  # three of player 4's, none of the two of player 2's


def test_voters_without_checks_and_pairs_without_scenes_have_no_units():
    assert set(map(tuple, measured(table("I suspect player 2. \\boxed{2}", "\\boxed{1}", "")).values())) == {()}
    photo = plain_pair("photo")
    assert set(map(tuple, measured(table("1: no", "1: no", "1: no", pair=photo), pair=photo).values())) == {()}


def test_units_are_those_of_the_clues_whatever_is_written():
    """Two voters of the same games must be comparable game by game."""
    games = [table("1: no", "1: no", "1: no"), table("2: no", "", "", said=("a red cube", "a red thing", "a cube", "two cubes"))]
    one = measured(*games)
    two = measured(
        *(replace(one, moves=(*one.clue_moves, *(replace(move, reply="1: yes") for move in one.votes))) for one in games)
    )
    assert {name: len(values) for name, values in one.items()} == {name: len(values) for name, values in two.items()}
    assert len(one["verdicts/relations"]) == 1


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("1: no. \\boxed{N/A}", "1: no. \\boxed{"),
        ("\\boxed{1} or \\boxed{x}", "\\boxed{1} or \\boxed{"),
        ("1: no. \\boxed{2", "1: no. \\boxed{"),
        ("1: no, cut of ", "1: no, cut of \\boxed{"),
        ("", "\\boxed{"),
    ],
)
def test_words_before_the_choice(reply, kept):
    assert up_to_the_box(reply) == kept


@dataclass
class Voter:
    """Votes as it is told, and suspects the last seat that it may."""

    said: tuple[str, ...]
    asked: list = field(default_factory=list)

    def reply(self, requests, seed):
        return [Reply(text) for text in self.said]

    def likeliest(self, messages, begun, options):
        self.asked += zip(begun, options, strict=True)
        assert all(chat[0]["content"][1]["text"].endswith("Who is the spy?") for chat in messages)
        return [len(allowed) - 1 for allowed in options]


def test_only_votes_that_named_nobody_are_chosen_anew():
    rules = WhoIsTheSpy(GameConfig(prompt="compact"))
    clues = [
        Move(seat, "civilian", "clue", round_, "", "", "", clue=text) for round_ in (1, 2) for seat, text in enumerate(SAID, 1)
    ]
    before = GameState(PAIR.original, PAIR.modified, Transcript("g", PAIR.pair_id, 4, 4, tuple(clues)))
    voter = Voter(("2: no. \\boxed{2}", "1: no. \\boxed{N/A}", "hm"))
    after = before
    for request, reply in zip(rules.turns(before), voter.reply([], None), strict=True):
        after = rules.hear(after, request, reply)
    [chosen] = forced_choices(rules, [after], voter)
    assert [move.vote for move in after.transcript.votes] == [2, None, None]
    assert [move.vote for move in chosen.votes] == [2, 4, 4]
    assert [move.unreadable for move in chosen.votes] == [None] * 3
    assert voter.asked == [("1: no. \\boxed{", ["1}", "3}", "4}"]), ("hm \\boxed{", ["1}", "2}", "4}"])]

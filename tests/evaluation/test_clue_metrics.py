"""Clues are held against both images: how much they say, how true they are, and whether they tell."""

from dataclasses import replace

import pytest

from tests.evaluation.test_verdict_metrics import FACTS
from tests.make import plain_pair, scene_pairs
from vision_zero.config.game import GameConfig
from vision_zero.evaluation.clue_metrics import clue_metrics
from vision_zero.evaluation.head_to_head import play_head_to_head
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Move, Transcript
from vision_zero.policy.scripted import Liar, Oracle, Vague
from vision_zero.randomness import Seed

GREEN = {**FACTS, "objects": [{**FACTS["objects"][0], "color": "green"}, FACTS["objects"][1]]}
"""The same with a green cube: what the spy sees."""
PAIR = replace(scene_pairs(1)[0], original_facts=FACTS, modified_facts=GREEN)
SPY = 2


def said(*texts, pair=PAIR, rules=None, role=None):
    """Measures of a game with these clues of seats 1, 2 (the spy), 3, 1, 2, 3."""
    moves = [
        Move(number % 3 + 1, "spy" if number % 3 == 1 else "civilian", "clue", number // 3 + 1, "", "", "", clue=text,
             unreadable=None if text else "no_box")
        for number, text in enumerate(texts)
    ]  # fmt: skip
    game = Transcript("g", pair.pair_id, 3, SPY, tuple(moves))
    return clue_metrics([([game], role)], {pair.pair_id: pair}, rules or GameConfig())


def test_clues_by_hand():
    found = said("a red cube", "a green cube", "two things", "a red cube", "a blue metal sphere", "")
    assert found["clues/unreadable"] == [pytest.approx(1 / 6)]
    assert found["clues/duplicates"] == [pytest.approx(1 / 6)]
    assert found["clues/statements"] == [pytest.approx(5 / 6)]
    assert found["clues/true"] == [pytest.approx(4 / 6)]
    assert found["clues/false"] == [pytest.approx(1 / 6)]
    # The red cube twice and the green one are false of the other image, and so is what is false of both.
    assert found["clues/telling"] == [pytest.approx(4 / 6)]
    assert found["clues/attributes"] == [pytest.approx((2 + 2 + 0 + 2 + 3 + 0) / 6)]
    # One fits each cube, both are things, nothing is a blue metal sphere, and silence fits everything.
    assert found["clues/objects that fit"] == [pytest.approx((1 + 1 + 2 + 1 + 0 + 2) / 6)]
    assert found["spy clues/telling"] == [1.0]
    assert found["spy clues/attributes"] == [pytest.approx(5 / 2)]


def test_only_the_players_own_clues_count():
    assert said("a red cube", "a thing", "a red cube", role="civilian")["clues/telling"] == [1.0]
    assert said("a red cube", "a thing", "a red cube", role="spy")["clues/telling"] == [0.0]
    assert said("a red cube", "a thing", "a red cube", role="civilian")["spy clues/telling"] == []


@pytest.mark.parametrize(("image", "true", "telling"), [("modified", 0.0, 0.0), ("identical", 1.0, 0.0), ("blank", 0.0, 0.0)])
def test_a_spys_clue_is_held_against_the_image_that_it_was_shown(image, true, telling):
    found = said("a thing", "a red cube", "a thing", role="spy", rules=GameConfig(spy_image=image))
    assert (found["clues/true"], found["clues/telling"]) == ([true], [telling])


def test_of_players_who_speak_another_language_and_of_other_images_scenes_measure_nothing():
    for found in (said("I can see some kind of cube.", "Shapes!", "blue"), said("a red cube", "a", "b", pair=plain_pair())):
        assert found["clues/unreadable"] == [0.0]
        assert {name: values for name, values in found.items() if name not in ("clues/unreadable", "clues/duplicates")} == {
            name: [] for name in found if name not in ("clues/unreadable", "clues/duplicates")
        }


def test_scripted_players_speak_as_they_are_meant_to():
    pairs = scene_pairs(6)
    rules = WhoIsTheSpy(GameConfig(max_clue_characters=400))

    def of(player):
        tables = play_head_to_head(rules, pairs, player(pairs), player(pairs), Seed(3))
        values = clue_metrics(
            [([table.transcript for table in tables], None)], {pair.pair_id: pair for pair in pairs}, rules.config
        )
        return {name: sum(shares) / len(shares) for name, shares in values.items()}

    oracle, vague, liar = map(of, (Oracle, Vague, Liar))
    assert oracle["clues/true"] == vague["clues/true"] == liar["clues/false"] == 1.0
    assert vague["clues/attributes"] == 2.0
    assert oracle["clues/attributes"] > 10
    assert oracle["clues/telling"] == 1.0
    assert vague["clues/telling"] < 0.3
    assert vague["clues/objects that fit"] > 1

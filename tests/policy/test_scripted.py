"""Scripted players mark the ends of the scale: an oracle table catches the spy, a random one does not."""

from dataclasses import replace

import pytest

from tests.make import scene_pairs
from vision_zero.config.game import GameConfig
from vision_zero.evaluation.head_to_head import caught, play_head_to_head, vote_on
from vision_zero.game.engine import deal_all
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import vote_rates
from vision_zero.policy.scripted import SCRIPTED, Copycat, Guesser, Liar, Mute, Oracle, Random, Vague
from vision_zero.randomness import Seed

SEED = Seed(5)
PAIRS = 60


def games(player, count=PAIRS, **rules):
    pairs = scene_pairs(count)
    tables = play_head_to_head(WhoIsTheSpy(GameConfig(**rules)), pairs, player(pairs), player(pairs), SEED)
    return [table.transcript for table in tables]


@pytest.mark.slow
def test_an_oracle_table_catches_the_spy():
    played = games(Oracle)
    assert sum(caught(played)) >= 0.95 * PAIRS
    assert vote_rates(played).accuracy >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("player", [Random, Mute, Copycat, Liar])
def test_the_tables_of_others_let_it_go_more_often(player):
    assert sum(caught(games(player))) < 0.6 * PAIRS


@pytest.mark.slow
def test_who_sees_the_same_as_the_others_is_not_caught():
    assert sum(caught(games(Oracle, spy_image="identical"))) == 0


def test_an_oracle_that_guesses_is_right_where_one_that_abstains_says_nothing():
    """On the clues of a vague table: no seat is contradicted most of the time."""
    vague = games(Vague)
    rules, pairs = WhoIsTheSpy(GameConfig()), scene_pairs(PAIRS)
    tables = [replace(table, transcript=game) for table, game in zip(deal_all(rules, pairs, SEED), vague, strict=True)]
    abstains, guesses = (
        vote_rates([table.transcript for table in vote_on(rules, tables, voters(pairs), SEED)]) for voters in (Oracle, Guesser)
    )
    assert abstains.abstention > 0.5
    assert guesses.abstention == guesses.unreadable == 0
    # It loses nothing where one seat is contradicted most, and wins a third of the rest, within four standard errors.
    assert guesses.accuracy == pytest.approx(abstains.accuracy + abstains.abstention / 3, abs=0.15)


def test_a_vague_spy_is_hardly_ever_caught():
    pairs = scene_pairs(PAIRS)
    tables = play_head_to_head(WhoIsTheSpy(GameConfig()), pairs, Vague(pairs), Oracle(pairs), SEED)
    assert sum(caught([table.transcript for table in tables])) <= 0.3 * PAIRS


def test_random_voters_are_right_by_chance():
    rates = vote_rates(games(Random))
    assert 0.2 <= rates.accuracy <= 0.47  # 1/3 of 180 votes, within four standard errors
    assert rates.abstention == rates.unreadable == 0.0


@pytest.mark.parametrize("name", SCRIPTED)
@pytest.mark.parametrize("rules", [{"spy_image": "blank"}, {"spy_image": "identical"}, {"voters": "judge"}, {"rounds": 1}])
def test_every_scripted_player_can_play_by_every_rule(name, rules):
    for played in games(SCRIPTED[name], 4, **rules):
        assert len(played.votes) == 3
        spoken = [move for move in played.clue_moves if move.seat == played.spy]
        if rules.get("spy_image") == "blank":
            assert {move.clue for move in spoken} == {""}


def test_the_same_seed_says_the_same():
    assert games(Random, 4) == games(Random, 4)

"""The policy that ships: small, without code, speaking the game's protocol, and saying what it sees."""

import json

import pytest
from safetensors import safe_open

from tests.make import scene_pairs
from vision_zero.config.nano_defaults import NANO_GAME, NANO_REASONING, NANO_SAMPLING
from vision_zero.config.policy import PolicyConfig
from vision_zero.domains.scenes.statements import parse
from vision_zero.evaluation.clue_metrics import clue_metrics
from vision_zero.evaluation.written_checks import is_reasoned, others, read_checks
from vision_zero.game.engine import deal_all, play
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.policy.base_models import nano_folder
from vision_zero.policy.loading import load_policy
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

GAMES = 12


@pytest.fixture(scope="module")
def games():
    """Transcripts of sampled games on pairs that the warm start has not drawn."""
    policy = load_policy(PolicyConfig(sampling=NANO_SAMPLING), None)
    game = WhoIsTheSpy(NANO_GAME)
    tables = play(game, deal_all(game, list(scene_pairs(GAMES, seed=99)), Seed(1)), policy, Seed(1))
    return [table.transcript for table in tables]


def test_it_is_small_and_holds_no_code():
    files = list(nano_folder().iterdir())
    assert sum(file.stat().st_size for file in files) <= 8_000_000
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".jinja", ".md"}
    with safe_open(nano_folder() / "model.safetensors", framework="pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"F16"}  # noqa: SIM118  no mapping


def test_its_files_name_no_machine():
    for file in nano_folder().glob("*.json"):
        if file.name != "tokenizer.json":
            assert "/" not in json.dumps(json.loads(file.read_text())).replace("https://", ""), file.name


def test_it_follows_the_format(games):
    moves = [move for transcript in games for move in transcript.moves]
    readable = [move.unreadable is None for move in moves]
    assert len(moves) == GAMES * (4 * 2 + 3)
    assert sum(readable) / len(readable) >= 0.95


def test_its_clues_are_about_its_own_image(games):
    pairs = {pair.pair_id: pair for pair in scene_pairs(GAMES, seed=99)}
    own = clue_metrics([(games, None)], pairs, NANO_GAME)["clues/true"]
    facts = [pairs[game.pair_id].original_facts for game in games]
    said = [[parse(move.clue) for move in game.clue_moves] for game in games]
    elsewhere = [
        statement is not None and statement.holds(facts[(number + shift) % GAMES])
        for number, statements in enumerate(said)
        for shift in range(1, GAMES)
        for statement in statements
    ]
    chance = sum(elsewhere) / len(elsewhere)
    assert sum(own) / len(own) > chance + 0.2


def test_it_votes_as_the_rule_on_its_own_checks_does(games):
    """Deciding leaves nothing to learn: the vote is for a seat with most statements denied, unless sampling slips."""
    follows = []
    for transcript in games:
        for move in transcript.votes:
            denied = dict.fromkeys(others(move, transcript), 0)
            for check in read_checks(move.reply):
                denied[check.seat] = denied.get(check.seat, 0) + (check.holds is False)
            follows.append(move.vote is not None and denied[move.vote] == max(denied.values()))
    assert sum(follows) / len(follows) > 0.75


def test_it_answers_directly_and_now_and_then_reasoned(games):
    reasoned = [is_reasoned(move.reply, NANO_REASONING) for transcript in games for move in transcript.moves]
    assert 0.02 < sum(reasoned) / len(reasoned) < 0.5

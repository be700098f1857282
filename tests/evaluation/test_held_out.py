"""Held-out measurement: scripted players fare as they must, and the base beside itself is the same."""

from dataclasses import dataclass, replace

import pytest
from pydantic import ValidationError

from tests.make import game, plain_pair, scene_pairs, write_tiny_adapter
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config.game import GameConfig
from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.domains.domain import Question
from vision_zero.evaluation.estimates import compare, estimate
from vision_zero.evaluation.head_to_head import BestGuess, caught, play_head_to_head, vote_on, vote_shares
from vision_zero.evaluation.held_out import HeldOut
from vision_zero.evaluation.metric_names import OVER_RULE
from vision_zero.evaluation.question_metrics import domain_questions, is_right
from vision_zero.game.interface import Reply
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript_files import read_transcripts, write_transcripts
from vision_zero.policy.loading import load_policy
from vision_zero.policy.scripted import Liar, Mute, Oracle, Random
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

CONFIG = EvaluationConfig(pairs=8, questions=6, resamples=200)
GAME = WhoIsTheSpy(GameConfig(max_clue_characters=400))
SEED = Seed(3)


def transcripts(tables):
    return [table.transcript for table in tables]


def test_roles_are_played_by_whom_they_were_given_to():
    pairs = scene_pairs(12)
    oracle, mute = Oracle(pairs), Mute(pairs)
    silent_spy = transcripts(play_head_to_head(GAME, pairs, mute, oracle, SEED))
    for played in silent_spy:
        assert all((move.clue == "") == (move.seat == played.spy) for move in played.clue_moves)
    assert sum(caught(silent_spy)) == 0  # a spy that says nothing contradicts nothing
    assert sum(caught(transcripts(play_head_to_head(GAME, pairs, oracle, oracle, SEED)))) >= 11
    assert sum(caught(transcripts(play_head_to_head(GAME, pairs, oracle, mute, SEED)))) == 0


def test_the_same_seats_are_dealt_whoever_plays():
    pairs = scene_pairs(6)
    one = transcripts(play_head_to_head(GAME, pairs, Mute(pairs), Oracle(pairs), SEED))
    two = transcripts(play_head_to_head(GAME, pairs, Oracle(pairs), Liar(pairs), SEED))
    assert [played.spy for played in one] == [played.spy for played in two]


def test_votes_can_be_cast_again_on_the_same_clues():
    pairs = scene_pairs(8)
    tables = play_head_to_head(GAME, pairs, Oracle(pairs), Oracle(pairs), SEED)
    again = vote_on(GAME, tables, Mute(pairs), SEED)
    for before, after in zip(tables, again, strict=True):
        assert before.transcript.clue_moves == after.transcript.clue_moves
        assert {move.unreadable for move in after.transcript.votes} == {"no_box"}
    assert vote_shares(transcripts(again))["unreadable"] == [1.0] * 8


def test_intervals_hold_the_mean_and_shrink_with_data():
    few, many = ([1.0, 0.0] * count for count in (8, 200))
    narrow, wide = estimate(many, CONFIG, SEED), estimate(few, CONFIG, SEED)
    assert wide.low <= wide.mean == 0.5 <= wide.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2
    assert estimate(few, CONFIG, SEED) == wide
    assert estimate([], CONFIG, SEED).units == 0


@pytest.mark.parametrize(
    ("policy", "base", "judgement"),
    [([1.0] * 30, [0.0] * 30, "better"), ([0.0] * 30, [1.0] * 30, "worse"), ([1.0, 0.0] * 15, [0.0, 1.0] * 15, "same")],
)
def test_judgements(policy, base, judgement):
    assert compare("verdicts/all", policy, base, CONFIG).judgement == judgement
    flipped = {"better": "worse", "worse": "better", "same": "same"}
    assert compare("clues/false", policy, base, CONFIG).judgement == flipped[judgement]
    assert compare("replies/words", policy, base, CONFIG).judgement is None


def test_questions_are_as_many_as_asked_and_the_same_every_time():
    pairs = scene_pairs(5)
    one, two = (domain_questions(pairs, 7, SEED) for _ in range(2))
    assert [asked.question for asked in one] == [asked.question for asked in two]
    assert [asked.question.family for asked in one] == [
        family for family in ("color", "shape", "count", "position") for _ in range(7)
    ]
    assert len({(asked.question.text, asked.image.tobytes()) for asked in one}) > 20


@pytest.mark.parametrize(
    ("family", "answer", "reply", "right"),
    [
        ("color", "red", "Red.", True),
        ("color", "red", "\\boxed{red}", True),
        ("color", "red", "red cube", False),
        ("color", "red", "", False),
        ("count", "two", "2", True),
        ("count", "no", "zero", True),
        ("count", "no", "0", True),
        ("count", "two", "three", False),
        ("value", "40", "42", True),
        ("value", "40", "45", False),
        ("value", "40", "4 0", True),
        ("value", "40", "forty", False),
    ],
)
def test_answers(family, answer, reply, right):
    assert is_right(Question(family, "?", answer), reply) is right


@dataclass(frozen=True)
class Knowing:
    """Stands in for a policy: answers every request in one way, whatever its switches say."""

    text: str
    greedy: bool = False
    as_base: bool = False
    base_fingerprint: str = "0"
    reply_prefix: str = ""

    def likeliest(self, messages, begun, options):
        return [0 for _ in messages]

    def reply(self, requests, seed):
        return [Reply("\\boxed{N/A}" if self.as_base else self.text) for _ in requests]

    def complete(self, messages, limit, seed):
        return [Reply("no idea") for _ in messages]


def asked(pairs, config=CONFIG, game=None):
    """What a recipe with these settings asks of these held-out pairs."""
    table = PairTable.from_pairs(enumerate(pairs), "held_out")
    return HeldOut.of(SelfPlayConfig(evaluation=config, game=game or GameConfig()).of_base, table)


def measured(held_out, policy, iteration=0):
    return held_out.measure(policy, *held_out.measure_base(replace(policy, as_base=True)), iteration)


def test_the_policy_is_measured_beside_its_base():
    pairs = scene_pairs(8)
    scores, played = measured(asked(pairs), Knowing("\\boxed{1}"), iteration=7)
    assert scores.iteration == 7
    assert len(played) == 16
    spies = [transcript.spy for transcript in played[::2]]
    accuracy = scores.named("decision/accuracy")
    assert accuracy.policy.mean == pytest.approx(sum(spy == 1 for spy in spies) / 8)
    assert accuracy.base.mean == 0.0
    assert scores.named("decision/abstention").base.mean == 1.0
    assert scores.named("decision/abstention").judgement is None
    assert scores.named("questions/all").judgement == "same"
    wins = scores.named("wins/both")
    assert wins.base.mean == 0.5
    assert wins.policy.mean == pytest.approx((scores.named("wins/as civilians").policy.mean + 1.0) / 2)


def test_the_games_of_both_sides_are_told_apart_and_shown_in_turn(tmp_path):
    pairs = scene_pairs(4)
    _, played = measured(asked(pairs), Knowing("\\boxed{1}"))
    write_transcripts(played, tmp_path / "games.parquet")
    assert read_transcripts(tmp_path / "games.parquet") == tuple(played)
    shown, _ = PlayedGames.of(played, PairTable.from_pairs(enumerate(pairs), "held_out"), RewardsConfig(), 4, "modified").shown()
    assert [transcript.game_id.partition(" ")[2] for transcript in shown] == ["(policy as civilians)", "(policy as spy)"] * 2
    voted = {transcript.game_id.split()[-1]: {move.vote for move in transcript.votes} for transcript in shown}
    assert voted == {"civilians)": {1}, "spy)": {None}}


def test_scripted_players_bound_what_voters_can_do():
    held_out = asked(scene_pairs(24))
    telling, naming = (
        play_head_to_head(held_out.game, held_out.pairs, player(held_out.scenes), player(held_out.scenes), held_out.seed)
        for player in (Oracle, Random)
    )
    bounds = {(bound.player, bound.name): bound.estimate.mean for bound in held_out._bounds(telling)}
    assert bounds["oracle", "decision/accuracy"] >= 0.95
    assert bounds["oracle", "decision/spy caught"] >= 0.95
    assert bounds["random", "decision/accuracy"] <= 0.5
    # A bound belongs to the clues: a spy that names things at random often says what is true of both images.
    assert held_out._bounds(naming)[0].estimate.mean < bounds["oracle", "decision/accuracy"]


def test_scripted_opponents_are_played_from_both_sides():
    config = CONFIG.model_copy(update={"opponents": ("random", "mute")})
    scores, _ = measured(asked(scene_pairs(8), config), Knowing("\\boxed{1}"))
    random = scores.named("wins/against random")
    # The base answers every vote with N/A: it catches nobody, and a random table cannot agree on it as the spy each time.
    assert random.base.mean <= 0.5
    assert random.policy.units == 8
    assert scores.named("wins/against mute").base.mean == 0.5


@dataclass(frozen=True)
class Checker(Knowing):
    """Checks the clues and says N/A; made to reason it votes. Begins with what it is made to begin with."""

    def reply(self, requests, seed):
        if requests[0].kind == "clue":
            return [Reply("\\boxed{a red thing}") for _ in requests]
        boxed = "1" if self.reply_prefix else "N/A"
        return [Reply(f"{self.reply_prefix} 1: no; 2: yes; 3: yes. \\boxed{{{boxed}}}") for _ in requests]


def test_what_a_threshold_explains_has_measures_of_its_own():
    """The base and the policy check alike and say N/A: forced, by the rule, and made to reason they accuse player 1."""
    pairs = scene_pairs(12)
    config = CONFIG.model_copy(update={"reasoning_prefix": "I look:", "samples": 2})
    scores, played = measured(asked(pairs, config, GameConfig(prompt="compact")), Checker("", base_fingerprint="1"))
    spies = [transcript.spy for transcript in played[::2]]
    accused = sum(spy == 1 for spy in spies) / 12
    assert scores.named("decision/accuracy").policy.mean == 0.0
    # Voters accuse player 1 by the rule; player 1 itself, where it votes, denies nobody and guesses.
    ruled = scores.named("decision/rule on checks").policy.mean
    assert accused * 0.99 <= ruled <= accused + (1 - accused) / 3 + 1e-9
    # Knowing's forced choice is the first seat that it may suspect: 1, or 2 for player 1.
    forced = scores.named("decision/forced").policy.mean
    assert forced == pytest.approx(sum({1: 3, 2: 1}.get(spy, 0) for spy in spies) / 36)
    over_rule = scores.named(OVER_RULE)
    assert (over_rule.policy.mean, over_rule.base.mean) == (forced, ruled)
    reasoned = scores.named("beside the reasoned base, decision/forced")
    assert (reasoned.policy.mean, reasoned.base.mean) == (forced, accused)
    assert scores.named("replies/reasoned").policy.mean == 0.0
    assert scores.named("pass@2/votes").policy.mean == 0.0
    assert scores.named("pass@2/questions").policy.mean == 0.0
    assert scores.named("wins sampled/both").base.mean == 0.5
    assert not [score.name for score in scores.scores if ":" in score.name]  # ZenML refuses them in the names of metadata
    wins = scores.named("wins/against the rule")
    # Nobody is ever caught by N/A; by the rule the spy at seat 1 is, by all three.
    assert wins.policy.mean == wins.base.mean <= (1 - accused) / 2 + 1e-9
    assert scores.comparisons == sum(score.judgement is not None for score in scores.scores) > 10


def test_several_domains_are_shown_apart():
    pairs = [*scene_pairs(4), *(plain_pair(f"photo {number}") for number in range(4))]
    scores, _ = measured(asked(pairs), Knowing("\\boxed{1}"))
    assert len(scores.domains) == 2
    scenes, other = (scores.named(f"decision/accuracy ({domain})").policy for domain in scores.domains)
    assert scenes.units == other.units == 4
    assert (scenes.mean + other.mean) / 2 == pytest.approx(scores.named("decision/accuracy").policy.mean)
    assert [note[:40] for note in scores.notes] == ["nano knows only its own scenes (112x112 "]
    [alone] = [measured(asked(scene_pairs(4)), Knowing("\\boxed{1}"))[0]]
    assert not [score.name for score in alone.scores if "(" in score.name]


def test_policies_play_against_earlier_ones(tiny_base, tmp_path):
    folder = tmp_path / "run_1" / "policy"
    write_tiny_adapter(tiny_base, folder)
    policy = PolicyConfig(base=str(tiny_base), sampling=SamplingConfig(max_clue_tokens=4, max_vote_tokens=4))
    table = PairTable.from_pairs(enumerate(scene_pairs(4)), "held_out")
    evaluation = CONFIG.model_copy(update={"checkpoints": (str(folder),)})
    rules = GameConfig(prompt="compact", civilians=2, rounds=1)
    held_out = HeldOut.of(SelfPlayConfig(policy=policy, evaluation=evaluation, game=rules).of_base, table)
    values = held_out._against(load_policy(policy, None))
    assert set(values) == {"wins/against run_1", "wins/against run_1, as civilians"}
    assert len(values["wins/against run_1"]) == 4
    EvaluationConfig(checkpoints=("a/run_1/policy", "a/run_2/policy", "a/last"))
    with pytest.raises(ValidationError, match="2 of them are called 'last', which names their scores: rename the folders"):
        EvaluationConfig(checkpoints=("a/last", "b/last/policy"))


def test_pairs_without_scene_graphs_have_no_scripted_players():
    config = CONFIG.model_copy(update={"opponents": ("random",)})
    pairs = [plain_pair(str(number)) for number in range(4)]
    scores, _ = measured(asked(pairs, config), Knowing("\\boxed{1}"))
    assert scores.bounds == ()
    assert not [score.name for score in scores.scores if "against" in score.name]


def test_held_out_games_may_have_rules_of_their_own():
    config = CONFIG.model_copy(update={"game": GameConfig(civilians=4)})
    assert asked(scene_pairs(4), config, GameConfig(civilians=2)).game.players == 5


def test_voters_of_held_out_games_are_told_the_runs_rewards():
    config = SelfPlayConfig(rewards=RewardsConfig(vote_abstain=0.25))
    assert HeldOut.of(config.of_base, PairTable.from_pairs(enumerate(scene_pairs(4)), "held_out")).game.rewards == config.rewards


def test_a_base_without_adapter_equals_itself(tiny_base):
    sampling = SamplingConfig(max_clue_tokens=6, max_vote_tokens=6)
    policy = load_policy(PolicyConfig(base=str(tiny_base), sampling=sampling), None)
    scores, _ = measured(asked(scene_pairs(4), game=GameConfig(prompt="compact", civilians=2, rounds=1)), policy)
    empty = set()
    for score in scores.scores:
        if score.difference is None:
            empty.add(score.name)
            assert (score.judgement, score.base.text()) == (None, "–")
        else:
            assert score.policy == score.base
            assert score.difference.mean == 0.0
    # A policy of random weights writes no checks and no lists and says no statements: nothing of these is measured.
    assert {"decision/rule on checks", "verdicts/all", "lists/objects right", "clues/true", OVER_RULE} <= empty
    assert {"decision/forced", "decision/unreadable", "wins sampled/both", "clues/unreadable", "replies/words"}.isdisjoint(empty)


def test_a_game_without_votes_counts_as_not_caught():
    assert caught([game(players=4, spy=1, votes={})]) == [0.0]


@dataclass(frozen=True)
class Telling:
    """Says how it was asked."""

    greedy: bool = False

    def reply(self, requests, seed):
        return [Reply("\\boxed{%s}" % (1 if self.greedy else "N/A")) for _ in requests]


def test_votes_of_held_out_games_are_best_guesses_and_clues_are_drawn():
    tables = play_head_to_head(WhoIsTheSpy(GameConfig()), scene_pairs(2), BestGuess(Telling()), BestGuess(Telling()), Seed(0))
    for table in tables:
        assert {move.clue for move in table.transcript.clue_moves} == {"N/A"}
        assert {move.vote for move in table.transcript.votes} == {1}


def test_a_base_that_was_exchanged_is_measured_again(caplog):
    held_out, policy = asked(scene_pairs(4)), Knowing("\\boxed{1}")
    measures, games = held_out.measure_base(replace(policy, as_base=True))
    assert held_out.still_true(measures, games, policy) == (measures, games)
    assert not caplog.records
    now, games_now = held_out.still_true(measures, games, replace(policy, base_fingerprint="1"))
    assert (now.fingerprint, now.values, games_now) == ("1", measures.values, games)
    assert "measured again" in caplog.text


def test_measures_of_the_base_depend_on_no_setting_of_training():
    plain = SelfPlayConfig()
    changed = plain.model_copy(update={"seed": 3, "learning": plain.learning.model_copy(update={"kl": 1.0})})
    assert changed.of_base == plain.of_base
    own_game = SelfPlayConfig(game=GameConfig(civilians=2), evaluation=EvaluationConfig(game=plain.game))
    assert own_game.of_base == plain.of_base

"""Each alarm is raised by players who cause what it watches for, and stays quiet with players who do not."""

from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

import pytest

from tests.make import scene_pairs
from vision_zero.config.evaluation import AlarmsConfig, EvaluationConfig
from vision_zero.config.game import GameConfig
from vision_zero.config.learning import SwitchConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.evaluation.clue_metrics import clue_metrics
from vision_zero.evaluation.estimates import Scores, compare
from vision_zero.evaluation.head_to_head import caught, play_head_to_head
from vision_zero.evaluation.held_out import HeldOut
from vision_zero.game.interface import Reply
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import vote_rates
from vision_zero.policy.scripted import Copycat, Liar, Mute, Oracle, Random, Vague
from vision_zero.randomness import Seed
from vision_zero.report.curves import curve_charts
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import group_advantages
from vision_zero.training.diagnostics import (
    abstention_collapse,
    negative_transfer,
    plateau,
    role_collapse,
    unreadable_replies,
    vagueness,
    watch,
)
from vision_zero.training.progress import Progress
from vision_zero.training.state import StageState

ALARMS, REWARDS, SEED = AlarmsConfig(), RewardsConfig(), Seed(11)
EVALUATION = EvaluationConfig(pairs=8, questions=10, resamples=200)
PAIRS = 24


@cache
def games(spy, others, spy_image="modified"):
    """Games of a table whose spy and civilians are of these kinds."""
    pairs = scene_pairs(PAIRS)
    rules = WhoIsTheSpy(GameConfig(spy_image=spy_image))
    return [table.transcript for table in play_head_to_head(rules, pairs, spy(pairs), others(pairs), SEED)]


def wins_of(player, iteration):
    """Scores whose win rate is that player's against the random one."""
    as_civilians, as_spy = caught(games(Random, player)), caught(games(player, Random))
    both = [(civil + 1 - spy) / 2 for civil, spy in zip(as_civilians, as_spy, strict=True)]
    return Scores(iteration=iteration, scores=(compare("wins/both", both, [0.5] * PAIRS, EVALUATION),))


def state_of(table, iterations=6):
    """The state after iterations in the decision stage that all went like these games, each game one group of votes."""
    progress = Progress(StageState.at_start(SwitchConfig(rule="never")), "test")
    groups = [[worth(move, game) for move in game.votes] for game in table]
    for _ in range(iterations):
        progress.measured(vote_rates(table), {"zero_variance": fmean(not any(group_advantages(group)) for group in groups)})
        progress.logged({})
    return progress.state


def worth(move, game):
    return vote_reward(move.ballot, game.spy, REWARDS)


def test_a_player_who_stays_random_is_on_a_plateau():
    alarm = plateau([wins_of(Random, number) for number in range(5)], ALARMS)
    assert alarm.is_raised
    assert "moved by +0.0 points over the last 5 measurements" in alarm.sentence


def test_random_players_whom_an_oracle_replaces_are_not_on_a_plateau():
    rising = [wins_of(player, number) for number, player in enumerate((Mute, Random, Random, Oracle, Oracle))]
    assert not plateau(rising, ALARMS).is_raised
    assert not plateau([wins_of(Random, number) for number in range(4)], ALARMS).is_raised


def test_a_policy_that_is_measured_again_on_other_pairs_is_on_no_plateau():
    """As by the exam after the last iteration: 4 measurements rise, and those pairs are harder."""
    rising = [(4, 0.5), (8, 0.55), (12, 0.6), (16, 0.65), (16, 0.4)]
    measured = tuple(
        Scores(iteration=iteration, scores=(compare("wins/both", [wins] * 8, [0.5] * 8, EVALUATION),))
        for iteration, wins in rising
    )
    state = StageState(iteration=16, measured=measured)
    found = watch(state, [], measured[-1], REWARDS, ALARMS, confidence=0.95).alarms[0]
    assert (found.name, found.is_raised, found.sentence) == ("plateau", False, "4 of 5 measurements so far")
    [wins] = [chart.lines[0].points for chart in curve_charts(with_history(state)) if chart.title == "Held-out games: wins"]
    assert wins == [(0, 0.5), *rising[:4]]


def with_history(state):
    """Curves are drawn of states with iterations."""
    return state.model_copy(update={"history": state_of(games(Random, Random), iterations=1).history})


@pytest.mark.parametrize(
    ("spy", "others", "words"),
    [
        (Copycat, Copycat, "100% of the clues repeat one of the other role"),
        (Mute, Random, "100% of the spy clues are empty"),
        (Random, Mute, "100% of the civilian clues are empty"),
        (Mute, Mute, "the roles' rewards differ by 0.000 a game only"),
    ],
)
def test_copies_and_silence_are_a_role_collapse(spy, others, words):
    alarm = role_collapse(games(spy, others), REWARDS, ALARMS)
    assert alarm.is_raised
    assert words in alarm.sentence


@pytest.mark.parametrize(("spy", "others"), [(Oracle, Oracle), (Random, Random), (Liar, Random), (Random, Oracle)])
def test_players_who_speak_of_their_images_are_no_role_collapse(spy, others):
    alarm = role_collapse(games(spy, others), REWARDS, ALARMS)
    assert not alarm.is_raised, alarm.sentence
    assert alarm.sentence.startswith("the roles' rewards differ by")


@dataclass(frozen=True)
class Template:
    """Says one thing whatever it sees, but votes like the player behind it."""

    voter: Random

    def reply(self, requests, seed):
        return [Reply("\\boxed{a red thing}")] * len(requests) if requests[0].kind == "clue" else self.voter.reply(requests, seed)


def test_one_template_is_a_role_collapse():
    alarm = role_collapse(games(Random, lambda pairs: Template(Random(pairs))), REWARDS, ALARMS)
    assert alarm.is_raised
    assert "100% of the civilian clues are “a red thing”" in alarm.sentence


def test_no_games_are_no_collapse():
    assert not role_collapse([], REWARDS, ALARMS).is_raised


def test_voters_who_cannot_know_and_say_so_are_an_abstention_collapse():
    alarm = abstention_collapse(state_of(games(Oracle, Oracle, "identical")), ALARMS)
    assert alarm.is_raised
    assert "running N/A rate 100%" in alarm.sentence


def test_groups_of_equal_wrong_votes_are_an_abstention_collapse():
    alarm = abstention_collapse(state_of(games(Mute, Mute)), ALARMS)
    assert alarm.is_raised
    assert "100% of the last groups had equal rewards, 0% of their votes were right" in alarm.sentence
    assert not abstention_collapse(state_of(games(Mute, Mute), iterations=4), ALARMS).is_raised


@pytest.mark.parametrize("player", [Oracle, Random])
def test_voters_who_catch_the_spy_or_differ_are_no_abstention_collapse(player):
    assert not abstention_collapse(state_of(games(player, player)), ALARMS).is_raised
    assert not abstention_collapse(StageState(), ALARMS).is_raised


@dataclass(frozen=True)
class Answerer:
    """Plays like a random player and knows every answer; what it has learned by playing costs it some of them."""

    answers: tuple[str, ...]
    forgets: bool
    greedy: bool = False
    as_base: bool = False
    base_fingerprint: str = ""
    reply_prefix: str = ""

    def likeliest(self, messages, begun, options):
        return [0 for _ in messages]

    def reply(self, requests, seed):
        return Random(scene_pairs(8)).reply(requests, seed)

    def complete(self, messages, limit, seed):
        is_lost = self.forgets and not self.as_base
        return [Reply("no idea" if is_lost else answer) for answer in self.answers]


def measured(forgets):
    table = PairTable.from_pairs(enumerate(scene_pairs(8)), "held_out")
    held_out = HeldOut.of(SelfPlayConfig(evaluation=EVALUATION).of_base, table)
    policy = Answerer(tuple(asked.question.answer for asked in held_out.questions), forgets)
    base = held_out.measure_base(replace(policy, as_base=True))
    return held_out.measure(policy, *base, iteration=3)[0]


@pytest.mark.slow
def test_a_player_who_forgets_what_the_base_knew_must_not_be_promoted():
    alarms = watch(StageState(), games(Random, Random), measured(forgets=True), REWARDS, ALARMS, confidence=0.95)
    assert [alarm.name for alarm in alarms.raised] == ["negative transfer"]
    assert alarms.objection == "negative transfer: questions/all is at 0%, the base at 100%: a loss beyond the 5% allowed"
    allowed = negative_transfer(measured(forgets=True), AlarmsConfig(transfer_loss=1.0), 0.95)
    assert not allowed.is_raised


@pytest.mark.parametrize(("suites", "is_raised"), [(1, True), (5, False)])
def test_a_loss_that_one_of_several_suites_shows_by_chance_is_none(suites, is_raised):
    """4 of 40 answers lost and none gained: as much as one suite in five may well show without anything being lost."""
    lost = compare("questions/0", [0.0] * 4 + [1.0] * 36, [1.0] * 40, EvaluationConfig())
    kept = [compare(f"questions/{number}", [1.0] * 40, [1.0] * 40, EvaluationConfig()) for number in range(1, suites)]
    assert lost.judgement == "worse"
    alarm = negative_transfer(Scores(iteration=1, scores=(lost, *kept)), ALARMS, 0.95)
    assert alarm.is_raised == alarm.blocks_promotion == is_raised


def test_what_is_lost_in_earnest_is_seen_among_several_suites():
    lost = compare("questions/0", [0.0] * 10 + [1.0] * 30, [1.0] * 40, EvaluationConfig())
    kept = [compare(f"questions/{number}", [1.0] * 40, [1.0] * 40, EvaluationConfig()) for number in range(1, 8)]
    assert negative_transfer(Scores(iteration=1, scores=(lost, *kept)), ALARMS, 0.95).is_raised


def score(name, ours, theirs=0.0):
    return compare(name, [ours] * 8, [theirs] * 8, EVALUATION)


def test_clues_that_name_far_less_than_the_bases_are_vague():
    vague = Scores(iteration=1, scores=(score("clues/attributes", 1.0, 2.0),))
    alarm = vagueness(vague, ALARMS)
    assert alarm.is_raised
    assert not alarm.blocks_promotion
    assert alarm.sentence == "held-out clues name 1.0 attributes, the base's 2.0"
    assert not vagueness(Scores(iteration=1, scores=(score("clues/attributes", 1.5, 2.0),)), ALARMS).is_raised


@pytest.mark.parametrize(("player", "is_raised"), [(Vague, True), (Oracle, False)])
def test_a_scripted_vague_player_in_the_policys_place_is_vague(player, is_raised):
    pairs = scene_pairs(PAIRS)
    by_id = {pair.pair_id: pair for pair in pairs}

    def attributes(who):
        return clue_metrics([(games(who, who), None)], by_id, GameConfig())["clues/attributes"]

    measured = compare("clues/attributes", attributes(player), attributes(Random), EVALUATION)
    assert vagueness(Scores(iteration=1, scores=(measured,)), ALARMS).is_raised is is_raised


def test_who_says_no_statements_is_not_called_vague():
    nothing = compare("clues/attributes", [], [2.0] * 8, EVALUATION)
    assert not vagueness(Scores(iteration=1, scores=(nothing,)), ALARMS).is_raised


@pytest.mark.parametrize(
    ("votes", "clues", "is_raised"), [(0.98, 0.0, True), (0.0, 0.6, True), (0.5, 0.5, False), (0.1, 0.0, False)]
)
def test_who_mostly_cannot_be_read_is_not_promoted(votes, clues, is_raised):
    found = Scores(
        iteration=1, scores=(score("decision/unreadable", votes), score("clues/unreadable", clues)), domains=("photos",)
    )
    alarm = unreadable_replies(found, ALARMS)
    assert alarm.is_raised == alarm.blocks_promotion == is_raised
    assert alarm.sentence == f"{votes:.0%} of the held-out votes and {clues:.0%} of the held-out clues on photos cannot be read"
    assert "\n" not in alarm.sentence
    assert not unreadable_replies(found, AlarmsConfig(unreadable=1.0)).is_raised


def test_a_player_who_keeps_what_the_base_knew_may_be_promoted():
    alarms = watch(StageState(), games(Random, Random), measured(forgets=False), REWARDS, ALARMS, confidence=0.95)
    assert alarms.raised == ()
    assert alarms.objection is None

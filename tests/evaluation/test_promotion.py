"""A new version beside the one in production: who is worse is refused, whose protocol is broken too, and luck does not help."""

from dataclasses import dataclass, replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.make import scene_pairs, write_tiny_adapter
from vision_zero.config.evaluation import GateConfig
from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.evaluation.comparison import Comparison, Doubt, Refused, why_blocked
from vision_zero.evaluation.estimates import Estimate
from vision_zero.evaluation.promotion import CLUES, RIGHT, VOTES, WINS, Judge, sign_test
from vision_zero.game.interface import Request
from vision_zero.pair_sets.build import build_pairs, promotion_positions
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_beside, load_policy
from vision_zero.policy.scripted import Mute, Oracle, Random
from vision_zero.randomness import Seed

CONFIG = SelfPlayConfig.model_validate({"evaluation": {"resamples": 400}, "promotion": {"questions": 0}})
PAIRS = scene_pairs(24)
TABLE = PairTable.from_pairs(enumerate(PAIRS), "held_out")


@dataclass(frozen=True)
class Scripted:
    """A scripted player in a policy's place; it names the first of the seats that it may name."""

    players: object
    greedy: bool = False

    def reply(self, requests: list[Request], seed: Seed):
        return self.players.reply(requests, seed)

    def likeliest(self, messages, begun, options):
        return [0] * len(messages)


def judged(player, production, pairs=24, **settings):
    config = CONFIG.model_copy(update={"promotion": CONFIG.promotion.model_copy(update=settings)})
    table = TABLE.at_positions(range(pairs))
    return Judge(config, "version 4", 3).compare(Scripted(player(PAIRS)), Scripted(production(PAIRS)), table)


@pytest.mark.slow
def test_a_policy_as_good_as_the_one_in_production_is_let_through():
    found = judged(Oracle, Oracle)
    assert found.objection is None
    assert {score.name: score.difference.mean for score in found.scores} == {RIGHT: 0.0, WINS: 0.0, VOTES: 0.0, CLUES: 0.0}
    assert (found.pairs, found.p_values, found.rival) == (24, (1.0,) * 4, "version 4")
    assert found.lines()[-1] == "  nothing speaks against promotion"


@pytest.mark.slow
def test_a_policy_that_votes_by_chance_is_refused_by_name():
    found = judged(Random, Oracle)
    right = next(score for score in found.scores if score.name == RIGHT)
    assert (right.judgement, right.base.mean) == ("worse", 1.0)
    assert found.objections[0] == f"right votes fell {right.difference.points()} from 100 % of version 4"
    assert judged(Oracle, Random).objection is None, "better is no objection"


@pytest.mark.slow
def test_a_policy_that_keeps_no_protocol_is_refused_unless_production_keeps_none_either():
    silent = judged(Mute, Oracle)
    assert "100 % of its votes cannot be read, 0 % of version 4's, and 20% are allowed" in silent.objections
    assert "100 % of its clues cannot be read, 0 % of version 4's, and 20% are allowed" in silent.objections
    assert judged(Mute, Mute).objection is None
    bearable = judged(Mute, Oracle, unreadable=1.0)
    assert not any("allowed" in objection for objection in bearable.objections)
    assert any(objection.startswith("right votes fell") for objection in bearable.objections), "who says nothing is not right"


def test_few_pairs_are_never_enough_however_sure_the_bootstrap_is():
    found = judged(Random, Oracle, pairs=4)
    assert [score.name for score in found.scores if score.judgement == "worse"], "its interval of four pairs is too narrow"
    assert found.objection is None
    assert sign_test([0.0] * 4, [1.0] * 4) == 0.125
    assert sign_test([0.0] * 8 + [1.0], [1.0] * 8 + [1.0]) == 2 / 2**8


@pytest.mark.slow
def test_each_run_is_judged_on_pairs_of_its_own_behind_those_of_every_run():
    small = {"pairs": 4, "questions": 4, "resamples": 100}
    settings = {"evaluation": small, "promotion": {"pairs": 2}, "learning": {"games_per_iteration": 2, "iterations": 1}}
    scenes = {"scenes": {"width": 64, "height": 48, "min_visible_pixels": 20}}
    config = SelfPlayConfig.model_validate({**settings, "pairs": scenes})
    assert [promotion_positions(config, judged) for judged in (0, 1, 2)] == [range(4, 6), range(6, 8), range(8, 10)]
    tables = [build_pairs("scenes", config, 0, 1, judged).of_split("held_out") for judged in (0, 1)]
    always = [table.at_positions(range(4)).ids for table in tables]
    own = [table.at_positions(promotion_positions(config, number)).ids for number, table in enumerate(tables)]
    assert always[0] == always[1]
    assert [len(ids) for ids in own] == [2, 2]
    assert not set(own[0]) & set(own[1]) | set(own[0]) & set(always[0])


def test_after_refusals_it_takes_less_to_be_worse_and_more_to_be_better():
    once = Doubt.after(1, 0.95, 1)
    assert (once.of_worse, once.of_better) == pytest.approx((1.644854 / 1.959964, 2.241403 / 1.959964), abs=1e-6)
    assert Doubt.after(0, 0.95, 7) == Doubt(1.0, 1.0)
    assert Doubt.after(20, 0.95, 1).of_worse == pytest.approx(0.690309 / 1.959964, abs=1e-6)
    # A schedule goes on after however many refusals.
    assert Doubt.after(47, 0.95, 3) == Doubt.after(2000, 0.95, 3) == Doubt.after(30, 0.95, 3)
    assert Doubt.after(30, 0.95, 3).of_better > Doubt.after(29, 0.95, 3).of_better


def test_the_suites_let_no_later_run_pass_by_luck_on_the_same_items():
    def blocked(mean, half, refusals, **bounds):
        difference = Estimate(mean=mean, low=mean - half, high=mean + half, units=100)
        level = Estimate(mean=0.5, low=0.4, high=0.6, units=100)
        card = Comparison(
            name="charts", policy=level, base=level, difference=difference, won=0, lost=0, p_value=1.0, judgement="same"
        )
        return why_blocked([card], GateConfig(**bounds), refusals=refusals)

    assert blocked(-0.05, 0.055, 0) is None
    # The interval is the one that is judged by: 0.839 of the half above, 1.144 of the half below.
    assert blocked(-0.05, 0.055, 1) == "charts is worse than before (-5.0 points, interval -11.3 to -0.4)"
    assert blocked(0.05, 0.045, 0, must_improve=("charts",)) is None
    assert blocked(0.05, 0.045, 1, must_improve=("charts",)).startswith("charts had to improve")
    assert blocked(0.01, 0.05, 9) is None, "what is no worse on the mean is not held back for ever"


@pytest.mark.slow
def test_two_adapters_on_one_base_answer_as_each_alone(tiny_base, tmp_path):
    one = write_tiny_adapter(tiny_base, tmp_path / "one")
    other = write_tiny_adapter(tiny_base, tmp_path / "other")
    weights = other / "adapter_model.safetensors"
    save_file({name: 3 * torch.flip(value, [0]) for name, value in load_file(weights).items()}, weights)
    config = PolicyConfig(base=str(tiny_base), sampling=SamplingConfig(max_clue_tokens=12))
    asked = [user_message("What do you see?", pair.original) for pair in PAIRS[:3]]

    def said(policy):
        return [reply.text for reply in replace(policy, greedy=True).complete(asked, 12, Seed(0))]

    alone = [said(load_policy(config, folder)) for folder in (one, other, None)]
    assert len({tuple(replies) for replies in alone}) == 3
    first, second = load_beside(config, one, other)
    assert first.model is second.model, "they share the base's weights"
    assert [said(second), said(first), said(second)] == [alone[1], alone[0], alone[1]]
    trained, bare = load_beside(config, one, None)
    assert [said(bare), said(trained)] == [alone[2], alone[0]]


def test_a_policy_that_no_valid_pair_is_left_for_is_refused():
    found = judged(Oracle, Oracle, pairs=0)
    none = "none of the 64 pairs that were drawn to compare it with version 4 is valid"
    assert (found.objection, found.pairs, found.lines()) == (none, 0, [f"promotion: {none}"])


def test_what_is_not_compared_says_why_and_shows_who_was_refused():
    refused = (Refused(version=5, reason="the suites: charts is worse"),)
    found = Judge(CONFIG, "version 4", 6, refused).unheard("nothing was trained")
    assert (found.objection, found.lines(), found.refused) == (None, ["promotion: nothing was trained"], refused)

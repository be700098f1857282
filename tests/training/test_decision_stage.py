"""The decision stage on a tiny model: how votes are sampled, rewarded, measured, and which of them are trained."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from statistics import stdev

import pytest
import torch

from tests.make import scene_pairs
from tests.training.jobs import GAMES, optimizer, run_decision_stage, start
from vision_zero.config.game import GameConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.game import spy
from vision_zero.game.engine import deal_all, play
from vision_zero.game.interface import Reply
from vision_zero.game.parsing import Unreadable, Vote
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Move, VoteRates
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base
from vision_zero.policy.scripted import Random
from vision_zero.randomness import Seed
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import group_advantages
from vision_zero.rewards.shuffled import shuffled
from vision_zero.training import decision_stage
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.decision_stage import DecisionLoop, GroupVoters, vote_measures
from vision_zero.training.metrics import game_metrics, reply_metrics
from vision_zero.training.updates import UpdateTrainer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("readable_votes")]


@pytest.fixture
def handed(monkeypatch):
    """The rewards that each batch is made with."""
    found, batch = [], UpdateTrainer.batch
    monkeypatch.setattr(
        UpdateTrainer,
        "batch",
        lambda self, turns, earned, who: found.append(list(earned)) or batch(self, turns, earned, who),
    )
    return found


@pytest.fixture
def batches(monkeypatch):
    """The batches that updates are made from."""
    found, update = [], UpdateTrainer.update
    monkeypatch.setattr(UpdateTrainer, "update", lambda self, batch, *how: found.append(batch) or update(self, batch, *how))
    return found


def test_the_decision_stage_measures_its_votes_and_the_games_that_they_end(make_job):
    job = make_job(start("decision"), iterations=2)
    result = run_decision_stage(job)
    for number, record in enumerate(result.state.history):
        played = game_metrics(result.transcripts[number * GAMES : (number + 1) * GAMES], job.rewards)
        for name in ("reward/spy", "clue/spy/tokens", "clue/civilian/tokens"):
            assert record.metrics[name] == played[name]
        unreadable = sum(value for name, value in record.metrics.items() if name.startswith("vote/unreadable/"))
        assert unreadable == pytest.approx(record.metrics["vote/unreadable"])
        assert record.metrics["vote/tokens"] == pytest.approx(record.metrics["tokens"])


def test_votes_are_measured_by_prompt_and_by_reason():
    ballots = [(cast(1, 1), 1), (cast(None, 2, "no_box"), 1), (cast(None, 3, "no_box"), 2), (cast(None, 4, "empty"), 1)]
    measures = {"vote/tokens": 2.5, "vote/words": 0.0, "vote/unreadable/empty": 0.25, "vote/unreadable/no_box": 0.5}
    measures |= {"reward": -0.5, "zero_variance": 0.5}
    assert vote_measures(ballots, [1.0, -1.0, -1.0, -1.0], 2) == measures


def cast(seat, tokens=1, unreadable=None):
    return Move(2, "civilian", "vote", 0, "", "", "", vote=seat, unreadable=unreadable, tokens=tokens)


def test_groups_that_earned_the_same_change_nothing_but_the_kl(make_job, handed, monkeypatch):
    monkeypatch.setattr(spy, "read_vote", lambda reply, seats: ("", Vote(None if len(reply) % 5 else 1)))

    def stage(**settings):
        return run_decision_stage(make_job(start("decision"), iterations=1, games=6, kl=0.0, **settings))

    whole, part = stage(), stage(skip_equal_groups=True)
    assert len(handed[0]) == 18 > len(handed[1]) > 0
    assert len(handed[1]) % 3 == 0
    for name in ("reward", "zero_variance", "vote/tokens"):
        assert whole.state.history[0].metrics[name] == part.state.history[0].metrics[name]
    one, other = (optimizer(result.policy) for result in (whole, part))
    moments = [name for name in one if name.endswith("exp_avg")]
    assert moments
    for name in moments:
        assert torch.allclose(one[name], other[name], atol=1e-3 * one[name].abs().max().item())


def test_a_batch_without_any_difference_trains_its_kl_alone(make_job, monkeypatch):
    monkeypatch.setattr(spy, "read_vote", lambda reply, seats: ("", Vote(None)))
    job = make_job(start("decision"), iterations=1, skip_equal_groups=True)
    record = run_decision_stage(job).state.history[0]
    assert (record.metrics["zero_variance"], record.metrics["kl"]) == (1.0, 0.0)


def test_votes_earn_what_they_say(make_job, handed, monkeypatch):
    job = make_job(start("decision"), iterations=1, votes_per_prompt=4)
    monkeypatch.setattr(GroupVoters, "reply", lambda self, requests, seed: told(self, requests))
    monkeypatch.setattr(spy, "read_vote", lambda reply, seats: ("", SAID[reply]))
    spies = [game.spy for game in run_decision_stage(job).transcripts]
    state = run_decision_stage(job).state
    expected = [1.0 if spy == seat else -1.0 for spy in spies for seat in (1, 2)]
    assert handed[0] == [*expected[:2], -0.5, -1.0, *expected[2:], -0.5, -1.0]
    assert (state.history[0].accuracy, state.history[0].abstention) == (handed[0].count(1.0) / 8, 0.25)


def test_shuffled_rewards_are_those_of_other_votes(make_job, handed, monkeypatch):
    monkeypatch.setattr(spy, "read_vote", lambda reply, seats: ("", Vote(len(reply) % 3 + 1 if len(reply) % 2 else None)))
    job = make_job(start("decision"), iterations=2, games=6, votes_per_prompt=4)
    control = replace(job, rewards=job.rewards.model_copy(update={"shuffled": True}), folder=job.folder.with_name("control"))
    real, other = run_decision_stage(job).state.history[0], run_decision_stage(control).state.history[0]
    assert len(set(handed[0])) > 1
    assert handed[0] != handed[2], "the first iteration of both plays the same games"
    assert handed[2] == shuffled(handed[0], job.seed.child("iteration", 0, "shuffled"))
    assert Counter(handed[0]) == Counter(handed[2])
    for name in ("accuracy", "abstention"):
        assert getattr(real, name) == getattr(other, name), "the controller is told the truth"


def test_length_and_reasons_of_replies_are_measured_in_each_iteration(make_job):
    job = replace(make_job(start("decision"), iterations=1, votes_per_prompt=4), opener="I see:")
    result = run_decision_stage(job)
    metrics = result.state.history[0].metrics
    clues = [move for game in result.transcripts for move in game.clue_moves if move.role == "spy"]
    assert metrics["clue/spy/words"] == pytest.approx(sum(len(move.reply.split()) for move in clues) / len(clues))
    assert metrics["vote/reasoned"] == metrics["clue/civilian/reasoned"] == 0.0
    assert not [name for name in run_decision_stage(replace(job, opener=None)).state.history[0].metrics if "reasoned" in name]
    told = [
        replace(cast(1), reply=text) for text in ("I see: small red cube. 2: a cube = none no. \\boxed{2}", "\\boxed{1}", "2: no")
    ]
    measures = reply_metrics("vote", told, "I see:")
    assert (measures["vote/words"], measures["vote/reasoned"]) == (pytest.approx((12 + 1 + 2) / 3), pytest.approx(1 / 3))
    assert "vote/reasoned" not in reply_metrics("vote", told)


SAID = {"one": Vote(1), "two": Vote(2), "N/A": Vote(None), "hm": Unreadable("no_box")}


def told(voters, requests):
    """Each game's first voter says all that can be said; clues are of no matter."""
    if requests[0].kind == "clue":
        return [Reply("\\boxed{a thing}", (20,))] * len(requests)
    for request in {request.game_id: request for request in requests}.values():
        voters.groups.append([(request, Reply(text, (20 + number,))) for number, text in enumerate(SAID)])
    return [Reply("N/A", (20,))] * len(requests)


def test_one_voter_of_each_game_votes_several_times_and_its_first_vote_is_the_games():
    rules, pairs, seed = WhoIsTheSpy(GameConfig()), scene_pairs(12), Seed(3)
    voters = GroupVoters(Random(pairs), seed.child("voters"), 5, lambda part: nullcontext())
    finished = play(rules, deal_all(rules, pairs, seed), voters, seed)
    seats = []
    for table, group in zip(finished, voters.groups, strict=True):
        request = group[0][0]
        assert [asked for asked, _ in group] == [request] * 5
        assert request.game_id == table.transcript.game_id
        votes = {move.seat: move for move in table.transcript.votes}
        assert sorted(votes) == list(table.transcript.civilians)
        assert votes[request.seat] == rules.read(*group[0])
        assert votes[request.seat].prompt == request.prompt
        assert request.image.tobytes() == table.original.tobytes()
        seats.append(table.transcript.civilians.index(request.seat))
    assert set(Counter(seats)) == {0, 1, 2}, "any civilian may be drawn"
    again = GroupVoters(Random(pairs), seed.child("voters"), 5, lambda part: nullcontext())
    play(rules, deal_all(rules, pairs, seed), again, seed)
    assert again.groups == voters.groups


def test_a_judge_votes_as_often_as_the_group_asks():
    rules, pairs, seed = WhoIsTheSpy(GameConfig(voters="judge")), scene_pairs(2), Seed(3)
    voters = GroupVoters(Random(pairs), seed, 5, lambda part: nullcontext())
    finished = play(rules, deal_all(rules, pairs, seed), voters, seed)
    assert [len(group) for group in voters.groups] == [5, 5]
    assert [len(table.transcript.votes) for table in finished] == [3, 3]


@pytest.mark.parametrize("skips", [False, True])
def test_a_lone_right_vote_weighs_more_than_a_lone_wrong_one_by_the_scale_of_the_batch(skips, make_job, batches, monkeypatch):
    job = make_job(start("decision"), iterations=1, votes_per_prompt=4, games=3, tokens_per_step=10_000, skip_equal_groups=skips)
    earned = [1.0, -0.5, -0.5, -0.5, -1.0, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5]
    rewards = iter(earned * 2)
    monkeypatch.setattr(decision_stage, "vote_reward", lambda *_: next(rewards))
    for scale in ("group", "batch"):
        run_decision_stage(replace(job, rewards=job.rewards.model_copy(update={"vote_scale": scale})))
    (right, wrong), (right_of_batch, wrong_of_batch) = ([abs(b["advantages"][place].item()) for place in (0, 4)] for b in batches)
    share = 2 / 3 if skips else 1
    assert right == pytest.approx(wrong, rel=1e-3)
    assert right == pytest.approx(group_advantages(earned[:4])[0] * share, rel=1e-3)
    assert right_of_batch == pytest.approx(1.125 / stdev(earned) * share, rel=1e-3)
    assert wrong_of_batch == pytest.approx(right_of_batch / 3, rel=1e-3)


def test_group_advantages_are_trls(make_job, batches, monkeypatch):
    """TRL computes those that are trained with, from the rewards of a real batch; ours is the equation, for readers."""
    job = make_job(start("decision"), iterations=1, votes_per_prompt=4, games=3, tokens_per_step=10_000)
    groups = [[1.0, -0.5, -1.0, -1.0], [1.0, 1.0, -1.0, -0.5], [-0.5] * 4]
    rewards = iter([reward for group in groups for reward in group])
    monkeypatch.setattr(decision_stage, "vote_reward", lambda *_: next(rewards))
    run_decision_stage(job)
    assert batches[0]["advantages"].tolist() == pytest.approx(
        [advantage for group in groups for advantage in group_advantages(group)], abs=1e-5
    )


def test_votes_are_paid_by_a_scoring_rule_of_the_policys_own_chances(make_job, monkeypatch):
    """Half of the replies box something: their chances are those of the policy after the words before the last closed box."""
    job = make_job(start("decision"), iterations=1)
    job = replace(job, rewards=job.rewards.model_copy(update={"vote": "brier"}))
    loop = DecisionLoop(*load_base(job.policy), job)
    assert loop.game.rewards == job.rewards, "which voters are told"
    _, votes = loop.play([{"game": number // 3} for number in range(3 * GAMES)])
    said = [
        (request, replace(reply, text=f"so \\boxed{{{number}}}, or \\boxed{{" if number % 2 else "nothing"))
        for number, (request, reply) in enumerate(votes)
    ]
    chances = loop.chances(said)
    assert [len(own) for own in chances] == [3 * (number % 2) for number in range(len(said))]
    chat = user_message(said[1][0].prompt, said[1][0].image)
    [expected] = loop.player().chances([chat], ["so \\boxed{"], [["1}", "2}", "3}"]], 1.0)
    assert chances[1] == pytest.approx(expected, rel=1e-3)
    paid = []
    monkeypatch.setattr(decision_stage, "vote_reward", lambda *given: paid.append(given[3]) or vote_reward(*given))
    loop.rewards([(cast(2), 2)] * len(said), chances)
    assert paid == chances
    assert DecisionLoop(*load_base(job.policy), replace(job, rewards=RewardsConfig())).chances(said) == [()] * len(said)


def test_a_stage_learns_from_a_scoring_rule(make_job):
    """Replies of random weights box nothing: their votes, read off their lengths here, have no chances of their own."""
    job = make_job(start("decision"), iterations=1)
    result = run_decision_stage(replace(job, rewards=job.rewards.model_copy(update={"vote": "brier"})))
    [record] = result.state.history
    assert record.metrics["reward"] == pytest.approx(1 + 2 * record.accuracy)


def test_votes_have_a_temperature_of_their_own(make_job):
    job = make_job(start("decision"), iterations=1)
    cold = job.policy.sampling.model_copy(update={"vote_temperature": 0.001})
    job = replace(job, policy=job.policy.model_copy(update={"sampling": cold}))
    loop = DecisionLoop(*load_base(job.policy), job)
    _, votes = loop.play([{"game": number // 3} for number in range(3 * GAMES)])
    assert len(votes) == 3 * GAMES
    assert [reply.tokens for _, reply in votes[:3]] == [votes[0][1].tokens] * 3
    assert loop.trainer.temperature == 0.001
    warm = loop.player().sample([user_message("Speak.")] * 3, cold.of("clue"), job.seed, [""] * 3)
    assert len({clue.tokens for clue in warm}) > 1
    assert ClueLoop(*load_base(job.policy), job).trainer.temperature == cold.temperature


def test_rates_are_shares_of_all_votes():
    rates = VoteRates.of([(cast(1), 1), (cast(None), 1), (cast(2), 1), (cast(3), 3), (cast(None, 1, "no_box"), 3)])
    assert (rates.votes, rates.accuracy, rates.abstention, rates.unreadable) == (5, 0.4, 0.2, 0.2)

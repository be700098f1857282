"""The decision stage on a tiny model: how votes are sampled, rewarded, measured, and which of them are trained."""

from dataclasses import replace
from statistics import stdev

import pytest
import torch

from tests.learning.jobs import GAMES, optimizer, start, votes_from_any_reply
from vision_zero.game.parsing import Unreadable, Vote
from vision_zero.learning import decision_stage
from vision_zero.learning.clue_stage import ClueTrainer, run_clue_stage
from vision_zero.learning.decision_stage import DecisionTrainer, rates_of, run_decision_stage, vote_measures, vote_rows
from vision_zero.learning.measures import game_measures
from vision_zero.policy.loading import load_base
from vision_zero.policy.policy import Completion, user_message
from vision_zero.rewards.group_advantage import group_advantages


@pytest.fixture(autouse=True)
def readable_votes(monkeypatch):
    votes_from_any_reply(monkeypatch)


def test_the_decision_stage_measures_its_votes_and_the_games_that_they_end(make_job):
    job = make_job(start("decision"), iterations=2)
    games = run_clue_stage(job).transcripts
    state = run_decision_stage(job, games).state
    for number, record in enumerate(state.history):
        played = game_measures(games[number * GAMES : (number + 1) * GAMES], job.rewards)
        for name in ("reward/spy", "clue/spy/tokens", "clue/civilian/tokens"):
            assert record.metrics[name] == played[name]
        unreadable = sum(value for name, value in record.metrics.items() if name.startswith("vote/unreadable/"))
        assert unreadable == pytest.approx(record.metrics["vote/unreadable"])
        assert record.metrics["vote/tokens"] == pytest.approx(record.metrics["tokens"])


def test_votes_are_measured_by_prompt_and_by_reason():
    ballots = [(Vote(1), 1), (Unreadable("no_box"), 1), (Unreadable("no_box"), 2), (Unreadable("empty"), 1)]
    measures = {"vote/tokens": 2.5, "vote/unreadable/empty": 0.25, "vote/unreadable/no_box": 0.5}
    measures |= {"reward": -0.5, "zero_variance": 0.5}
    assert vote_measures(ballots, [1.0, -1.0, -1.0, -1.0], [1, 2, 3, 4], 2) == measures


def test_groups_that_earned_the_same_change_nothing_but_the_kl(make_job, monkeypatch):
    monkeypatch.setattr(decision_stage, "read_vote", lambda reply, seats: ("", Vote(None if len(reply) % 5 else 1)))
    games = run_clue_stage(make_job(start("decision"), iterations=1, games=6)).transcripts
    trained = []
    prepare = DecisionTrainer.prepare
    monkeypatch.setattr(
        DecisionTrainer, "prepare", lambda self, rows, *told: trained.append(len(rows)) or prepare(self, rows, *told)
    )

    def stage(**settings):
        return run_decision_stage(make_job(start("decision"), iterations=1, games=6, kl=0.0, **settings), games)

    whole, part = stage(), stage(skip_equal_groups=True)
    assert trained[0] == 18 > trained[1] > 0
    assert trained[1] % 3 == 0
    for name in ("reward", "zero_variance", "vote/tokens"):
        assert whole.state.history[0].metrics[name] == part.state.history[0].metrics[name]
    one, other = (optimizer(result.policy) for result in (whole, part))
    moments = [name for name in one if name.endswith("exp_avg")]
    assert moments
    for name in moments:
        assert torch.allclose(one[name], other[name], atol=1e-3 * one[name].abs().max().item())


def test_a_batch_without_any_difference_trains_its_kl_alone(make_job, monkeypatch):
    monkeypatch.setattr(decision_stage, "read_vote", lambda reply, seats: ("", Vote(None)))
    job = make_job(start("decision"), iterations=1, skip_equal_groups=True)
    record = run_decision_stage(job, run_clue_stage(job).transcripts).state.history[0]
    assert (record.metrics["zero_variance"], record.metrics["kl"]) == (1.0, 0.0)


def test_votes_earn_what_their_text_says(make_job, monkeypatch):
    job = make_job(start("decision"), iterations=1, votes_per_prompt=2)
    seen = []

    def sampled(self, rows):
        texts = [f"\\boxed{{{rows[0]['spy']}}}", "\\boxed{N/A}", "hm", f"\\boxed{{{rows[3]['spy'] % 3 + 1}}}"]
        return [Completion((20 + number,), text, is_cut_off=False) for number, text in enumerate(texts)]

    prepare = DecisionTrainer.prepare
    monkeypatch.setattr(DecisionTrainer, "_sample", sampled)
    monkeypatch.setattr(
        DecisionTrainer, "prepare", lambda self, rows, said, earned: seen.extend(earned) or prepare(self, rows, said, earned)
    )
    state = run_decision_stage(job, run_clue_stage(job).transcripts).state
    assert seen == [1.0, -0.5, -1.0, -1.0]
    assert (state.history[0].accuracy, state.history[0].abstention) == (0.25, 0.25)


@pytest.mark.parametrize("skips", [False, True])
def test_a_lone_right_vote_weighs_more_than_a_lone_wrong_one_by_the_scale_of_the_batch(skips, make_job, monkeypatch):
    job = make_job(start("decision"), iterations=1, votes_per_prompt=4, games=3, tokens_per_step=10_000, skip_equal_groups=skips)
    earned = [1.0, -0.5, -0.5, -0.5, -1.0, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5]
    rewards, batches = iter(earned * 2), []
    monkeypatch.setattr(decision_stage, "vote_reward", lambda *_: next(rewards))
    score = DecisionTrainer._generate_and_score_completions
    monkeypatch.setattr(
        DecisionTrainer, "_generate_and_score_completions", lambda self, rows: batches.append(score(self, rows)) or batches[-1]
    )
    games = run_clue_stage(job).transcripts
    for scale in ("group", "batch"):
        run_decision_stage(replace(job, rewards=job.rewards.model_copy(update={"vote_scale": scale})), games)
    (right, wrong), (right_of_batch, wrong_of_batch) = ([abs(b["advantages"][place].item()) for place in (0, 4)] for b in batches)
    share = 2 / 3 if skips else 1
    assert right == pytest.approx(wrong, rel=1e-3)
    assert right == pytest.approx(group_advantages(earned[:4])[0] * share, rel=1e-3)
    assert right_of_batch == pytest.approx(1.125 / stdev(earned) * share, rel=1e-3)
    assert wrong_of_batch == pytest.approx(right_of_batch / 3, rel=1e-3)


def test_votes_have_a_temperature_of_their_own(make_job):
    job = make_job(start("decision"), iterations=1)
    cold = job.policy.sampling.model_copy(update={"vote_temperature": 0.001})
    job = replace(job, policy=job.policy.model_copy(update={"sampling": cold}))
    games = run_clue_stage(job).transcripts
    rows = [row for row in vote_rows(games[:GAMES], job.pairs, job.seed) for _ in range(3)]
    trainer = DecisionTrainer(*load_base(job.policy), job, rows)
    votes = trainer._sample(rows)
    assert [vote.tokens for vote in votes[:3]] == [votes[0].tokens] * 3
    assert trainer.temperature == 0.001
    warm = trainer.player().draw([user_message("Speak.")] * 3, cold.of("clue"), job.seed, [""] * 3)
    assert len({clue.tokens for clue in warm}) > 1
    assert ClueTrainer(*load_base(job.policy), job).temperature == cold.temperature


def test_decision_rows_hold_the_voters_prompt_and_picture(make_job):
    job = make_job(start("decision"), iterations=2)
    transcripts = run_clue_stage(job).transcripts
    rows = vote_rows(transcripts, job.pairs, job.seed)
    for row, transcript in zip(rows, transcripts, strict=True):
        assert row["prompt"][0]["content"] in [move.prompt for move in transcript.votes]
        assert row["image"].tobytes() == job.pairs.by_id(transcript.pair_id).original.tobytes()
        assert row["spy"] == transcript.spy


def test_rates_are_shares_of_all_votes():
    rates = rates_of([(Vote(1), 1), (Vote(None), 1), (Vote(2), 1), (Vote(3), 3)])
    assert (rates.accuracy, rates.abstention, rates.unreadable) == (0.5, 0.25, 0.0)

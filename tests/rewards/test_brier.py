"""Votes paid by Brier's rule: exact values, properness, and that the reward of a drawn vote has the score's own gradient."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.parsing import Unreadable, Vote
from vision_zero.rewards.brier import NOTHING_BOXED, brier_reward
from vision_zero.rewards.decision import vote_reward

BRIER = RewardsConfig(vote="brier")
weights = st.lists(st.floats(0.01, 1.0), min_size=5, max_size=5)


def shares(given_weights):
    """Of four seats, with something left for N/A."""
    return [weight / sum(given_weights) for weight in given_weights][:4]


def brier_score(chances, spy):
    """S(q, s) by its equation."""
    return 2 * chances[spy - 1] - sum(chance**2 for chance in (*chances, 1 - sum(chances)))


def test_rewards_by_hand():
    chances = (0.5, 0.2, 0.2, 0.0)  # and 0.1 for N/A
    square = 0.25 + 0.04 + 0.04 + 0.01
    assert vote_reward(Vote(1), 1, BRIER, chances) == pytest.approx(2 - 1.0 + square)
    assert vote_reward(Vote(1), 2, BRIER, chances) == pytest.approx(-1.0 + square)
    assert vote_reward(Vote(2), 2, BRIER, chances) == pytest.approx(2 - 0.4 + square)
    assert vote_reward(Vote(None), 2, BRIER, chances) == pytest.approx(-0.2 + square)
    assert vote_reward(Unreadable("out_of_range"), 2, BRIER, chances) == pytest.approx(-0.2 + square)


def test_the_sure_are_paid_as_the_paper_pays_and_a_reply_without_a_box_as_a_wrong_vote():
    assert vote_reward(Vote(2), 2, BRIER, (0.0, 1.0, 0.0)) == 1.0
    assert vote_reward(Vote(2), 1, BRIER, (0.0, 1.0, 0.0)) == -1.0
    assert vote_reward(Unreadable("no_box"), 1, BRIER, NOTHING_BOXED) == -1.0
    assert vote_reward(Unreadable("no_box"), 1, BRIER) == -1.0


def test_chances_change_nothing_for_the_papers_rule():
    for vote in (Vote(1), Vote(2), Vote(None), Unreadable("empty")):
        assert vote_reward(vote, 1, RewardsConfig(), (0.3, 0.3, 0.4)) == vote_reward(vote, 1, RewardsConfig())


@given(weights, weights)
def test_it_is_proper(known, said):
    """Whoever says what can be known expects most; 0.02 away from it, less."""
    truth, claimed = (shares(of) for of in (known, said))
    total = sum(truth)
    truth = [share / total for share in truth]  # the spy has a seat
    honest, other = (
        sum(share * brier_score(chances, seat) for seat, share in enumerate(truth, 1)) for chances in (truth, claimed)
    )
    distance = sum((one - two) ** 2 for one, two in zip(truth, claimed, strict=True)) + (1 - sum(claimed)) ** 2
    assert honest - other == pytest.approx(distance, abs=1e-9)
    assert honest >= other - 1e-12


@given(weights, st.integers(1, 4))
def test_a_vote_earns_the_score_on_average_and_within_bounds(said, spy):
    chances = shares(said)
    votes = [*((Vote(seat), share) for seat, share in enumerate(chances, 1)), (Vote(None), 1 - sum(chances))]
    earned = [brier_reward(vote, spy, chances) for vote, _ in votes]
    assert sum(reward * share for reward, (_, share) in zip(earned, votes, strict=True)) == pytest.approx(
        brier_score(chances, spy), abs=1e-9
    )
    assert all(-1 <= reward <= 3 for reward in earned)


@given(st.lists(st.floats(-3, 3), min_size=5, max_size=5), st.integers(1, 4))
def test_the_policy_gradient_is_the_scores(values, spy):
    """REINFORCE over the drawn vote, with its reward held fixed, is the derivative of the score by the logits."""
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    q = logits.softmax(-1)
    [expected] = torch.autograd.grad(2 * q[spy - 1] - (q**2).sum(), logits, retain_graph=True)
    chances = q[:4].tolist()
    votes = [Vote(1), Vote(2), Vote(3), Vote(4), Vote(None)]
    rewards = torch.tensor([brier_reward(vote, spy, chances) for vote in votes], dtype=torch.float64)
    [found] = torch.autograd.grad((q.detach() * rewards * q.log()).sum(), logits)
    assert torch.allclose(found, expected, atol=1e-9)

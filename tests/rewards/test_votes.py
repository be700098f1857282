import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.parsing import Unreadable, Vote
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import group_advantages


def test_vote_rewards_are_the_papers():
    config = RewardsConfig()
    assert vote_reward(Vote(3), 3, config) == 1.0
    assert vote_reward(Vote(2), 3, config) == -1.0
    assert vote_reward(Vote(None), 3, config) == -0.5
    assert vote_reward(Unreadable("no_box"), 3, config) == -1.0


def test_equal_rewards_teach_nothing():
    assert group_advantages([-0.5] * 8) == [0.0] * 8
    assert group_advantages([1.0]) == [0.0]


@given(st.lists(st.sampled_from([1.0, -0.5, -1.0]), min_size=2, max_size=16))
def test_group_advantage_is_the_equation(rewards):
    """As torch computes it. That TRL, which trains with it, computes the same: tests/training/test_decision_stage.py."""
    values = torch.tensor(rewards)
    expected = (values - values.mean()) / (values.std() + 1e-4)
    assert group_advantages(rewards) == pytest.approx(expected.tolist(), abs=1e-5)

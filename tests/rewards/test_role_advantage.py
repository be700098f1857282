import pytest

from tests.make import game
from vision_zero.config.rewards import RewardsConfig
from vision_zero.rewards.role_advantage import RoleBaselines, batch_advantages, role_advantages

REWARDS = {1: -0.4, 2: 0.1, 3: 0.1, 4: 0.1, 5: 0.1}


def test_update_first_subtracts_the_new_baseline():
    advantages, after = role_advantages(REWARDS, 1, RoleBaselines(), RewardsConfig())
    assert after.spy == pytest.approx(0.05 * -0.4)
    assert after.civilian == pytest.approx(0.05 * 0.1)
    assert advantages[1] == pytest.approx(-0.4 - 0.05 * -0.4)
    assert advantages[2] == pytest.approx(0.1 - 0.05 * 0.1)


def test_subtract_first_uses_the_old_baseline():
    before = RoleBaselines(spy=-0.2, civilian=0.05)
    advantages, after = role_advantages(REWARDS, 1, before, RewardsConfig(baseline_order="subtract_first"))
    assert advantages[1] == pytest.approx(-0.4 + 0.2)
    assert advantages[2] == pytest.approx(0.1 - 0.05)
    assert after.spy == pytest.approx(0.95 * -0.2 + 0.05 * -0.4)


def test_without_it_the_reward_is_the_advantage():
    before = RoleBaselines(spy=1.0, civilian=1.0)
    advantages, after = role_advantages(REWARDS, 1, before, RewardsConfig(role_advantage=False))
    assert advantages == REWARDS
    assert after == before


def test_civilians_share_one_baseline_from_their_mean():
    rewards = {1: 0.1, 2: -0.325, 3: 0.075, 4: 0.075, 5: 0.075}
    _, after = role_advantages(rewards, 1, RoleBaselines(), RewardsConfig())
    assert after.civilian == pytest.approx(0.05 * -0.025)


def test_games_of_a_batch_move_the_baselines_one_after_another():
    caught = game(players=4, spy=2, votes={1: 2, 3: 2, 4: 2})
    advantages, after = batch_advantages([caught, caught], RoleBaselines(), RewardsConfig())
    first, second = -0.3 * 0.05, (-0.3 * 0.05) * 0.95 - 0.3 * 0.05
    assert advantages[0][2] == pytest.approx(-0.3 - first)
    assert advantages[1][2] == pytest.approx(-0.3 - second)
    assert after.spy == pytest.approx(second)

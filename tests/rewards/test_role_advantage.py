import pytest

from tests.make import game
from vision_zero.config.rewards import RewardsConfig
from vision_zero.rewards.role_advantage import RoleBaselines, batch_advantages, role_advantages

CAUGHT = game(players=4, spy=2, votes={1: 2, 3: 2, 4: 2})
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
    advantages, after = batch_advantages([CAUGHT, CAUGHT], RoleBaselines(), RewardsConfig())
    first, second = -0.3 * 0.05, (-0.3 * 0.05) * 0.95 - 0.3 * 0.05
    assert advantages[0][2] == pytest.approx(-0.3 - first)
    assert advantages[1][2] == pytest.approx(-0.3 - second)
    assert after.spy == pytest.approx(second)


def test_unit_advantages_keep_their_proportions():
    games = [CAUGHT, game(players=4, spy=3, votes={1: 2, 2: None, 4: 3}), CAUGHT]
    raw, after = batch_advantages(games, RoleBaselines(), RewardsConfig())
    unit, same = batch_advantages(games, RoleBaselines(), RewardsConfig(unit_advantages=True))
    values = [value for by_seat in unit for value in by_seat.values()]
    assert sum(value**2 for value in values) / len(values) == pytest.approx(1)
    factor = unit[0][1] / raw[0][1]
    assert all(one[seat] == pytest.approx(factor * other[seat]) for one, other in zip(unit, raw, strict=True) for seat in other)
    assert same == after


def test_advantages_that_are_all_0_stay_so():
    config = RewardsConfig(unit_advantages=True, beta=0.0, lam=0.0)
    advantages, _ = batch_advantages([CAUGHT], RoleBaselines(), config)
    assert set(advantages[0].values()) == {0.0}

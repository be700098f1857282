"""A control must keep how much is earned, by role, and lose for what."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vision_zero.randomness import Seed
from vision_zero.rewards.shuffled import shuffled, shuffled_among_games

SEEDS = st.integers(0, 1000).map(Seed)


@given(st.lists(st.sampled_from([1.0, -0.5, -1.0]), max_size=30), SEEDS)
def test_the_same_rewards_are_handed_out(rewards, seed):
    assert Counter(shuffled(rewards, seed)) == Counter(rewards)
    assert shuffled(rewards, seed) == shuffled(rewards, seed)


def test_what_a_vote_earns_does_not_depend_on_what_it_says():
    earned = [1.0] * 20 + [-1.0] * 60
    means = [sum(shuffled(earned, Seed(number))[:20]) / 20 for number in range(400)]
    assert abs(sum(means) / 400 - sum(earned) / 80) < 0.04


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), SEEDS)
def test_games_take_the_advantages_of_games_role_by_role(spies, seed):
    games = [{seat: (100.0 if seat == spy else seat) + number / 100 for seat in range(1, 5)} for number, spy in enumerate(spies)]
    handed = shuffled_among_games(games, spies, seed)
    assert handed == shuffled_among_games(games, spies, seed)
    for spy, by_seat in zip(spies, handed, strict=True):
        assert sorted(by_seat) == [1, 2, 3, 4]
        assert by_seat[spy] >= 100
    whole = [sorted(by_seat.values()) for by_seat in games]
    assert sorted(sorted(by_seat.values()) for by_seat in handed) == sorted(whole), "each game's advantages stay together"
    civilians = [[by_seat[seat] for seat in sorted(by_seat) if seat != spy] for spy, by_seat in zip(spies, handed, strict=True)]
    assert all(values == sorted(values) for values in civilians), "in the order of their seats"

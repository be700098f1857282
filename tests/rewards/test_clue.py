from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.make import clue, game
from vision_zero.config.rewards import RewardsConfig
from vision_zero.rewards.clue import clue_rewards, clue_totals

PAPER = RewardsConfig()


def totals(transcript):
    found = clue_totals(transcript, PAPER)
    assert found == {seat: sum(terms.values()) for seat, terms in clue_rewards(transcript, PAPER).items()}
    return found


def close(found, expected):
    assert found.keys() == expected.keys()
    for seat, value in expected.items():
        assert abs(found[seat] - value) < 1e-12, (seat, found[seat], value)


def test_four_votes_on_the_spy():
    close(totals(game(players=5, spy=1, votes={2: 1, 3: 1, 4: 1, 5: 1})), {1: -0.4, 2: 0.1, 3: 0.1, 4: 0.1, 5: 0.1})


def test_four_votes_on_one_civilian():
    votes = {2: 2, 3: 2, 4: 2, 5: 2}
    close(totals(game(players=5, spy=1, votes=votes)), {1: 0.1, 2: -0.325, 3: 0.075, 4: 0.075, 5: 0.075})


def test_abstentions_and_unreadable_votes_go_to_nobody():
    close(totals(game(players=4, spy=3, votes={1: None, 2: "no_box", 4: None})), {1: 0.0, 2: 0.0, 3: 0.0, 4: 0.0})


@given(
    st.integers(3, 9).flatmap(
        lambda players: st.tuples(
            st.just(players),
            st.integers(1, players),
            st.lists(st.one_of(st.none(), st.integers(1, players)), min_size=players - 1, max_size=players - 1),
        )
    )
)
def test_every_game_is_zero_sum(drawn):
    players, spy, choices = drawn
    civilians = [seat for seat in range(1, players + 1) if seat != spy]
    found = totals(game(players=players, spy=spy, votes=dict(zip(civilians, choices, strict=True))))
    assert abs(sum(found.values())) < 1e-9


@given(st.integers(0, 3))
def test_more_votes_cost_the_spy_more(count):
    def spy_reward(number):
        votes = {seat: 1 if seat - 1 <= number else None for seat in (2, 3, 4)}
        return totals(game(players=4, spy=1, votes=votes))[1]

    if count < 3:
        assert spy_reward(count + 1) < spy_reward(count)


@given(st.floats(0.01, 1.0), st.integers(0, 2))
def test_unreadable_clues_cost_their_seat_and_nobody_else(cost, silent):
    clues = tuple(replace(clue(2, "spy", "a red cube"), unreadable="no_box" if number < silent else None) for number in range(2))
    played = game(players=4, spy=2, votes={1: 2, 3: 1, 4: None}, clues=clues)
    free, priced = (clue_rewards(played, RewardsConfig(clue_unreadable=price)) for price in (0.0, cost))
    for seat, terms in priced.items():
        assert terms == {**free[seat], "unreadable": -cost * silent if seat == 2 else 0.0}
    assert all("unreadable" not in terms for terms in free.values())

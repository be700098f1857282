"""Written checks are read in both forms, the rule on them votes as it must, and nothing is made of replies that hold none."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import clue, game
from vision_zero.evaluation.written_checks import Check, is_reasoned, read_checks, rule_vote, rule_votes, writes_checks
from vision_zero.game.transcript import Move
from vision_zero.randomness import Seed

BARE = "1: yes; 2: no, yes. \\boxed{2}"
NAMED = (
    "I see: small red metal cube, large blue rubber sphere. 1: red cube = small red metal cube yes; "
    "3: spheres = none no, red cube left of blue sphere = small red metal cube and large blue rubber sphere yes. \\boxed{3}"
)
LOOKED = (
    "small red metal cube. 1: red cube = small red metal cube yes, red cube left of cube = no; 2: cubes = none no. \\boxed{N/A}"
)
LARGE = (
    "<think>Let me compare the clues.\n1: Player 1 mentions a red cube, which I can see.\n2. Player 2 says there are no spheres, "
    "and I do see one, so player 2 may be the spy.</think>\n\nAnswer: \\boxed{2}"
)


def verdicts(reply):
    return [(check.seat, check.place, check.holds) for check in read_checks(reply)]


@pytest.mark.parametrize("opener", ["", "So: ", "Answer: "])
def test_bare_verdicts_are_read_by_seat(opener):
    assert verdicts(opener + BARE) == [(1, 0, True), (2, 0, False), (2, 1, True)]
    assert not any(check.has_evidence for check in read_checks(BARE))


def test_verdicts_with_what_was_found_are_read_by_seat():
    assert verdicts(NAMED) == [(1, 0, True), (3, 0, False), (3, 1, True)]
    assert all(check.has_evidence for check in read_checks(NAMED))
    assert verdicts(LOOKED) == [(1, 0, True), (1, 1, False), (2, 0, False)]


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("1: yes, maybe, no. \\boxed{1}", [True, None, False]),
        ("1: red cube = yes yes", [True]),
        ("1: red cube yes", [None]),  # neither bare nor with evidence
        ("1: = small cube yes", [None]),
        ("1: YES;  2:NO", [True, False]),
        ("1: yes; 1: no", [True, False]),
        ("1:", [None]),
        ("\\boxed{1}. 2: no", [None][:0]),  # what stands after the vote was not what it follows from
        ("I see: two. Player 1: yes", []),
        ("", []),
    ],
)
def test_odd_replies(reply, found):
    assert [check.holds for check in read_checks(reply)] == found


def test_a_seat_that_is_named_twice_goes_on_with_its_statements():
    assert read_checks("1: yes; 1: no") == (Check(1, 0, True, False), Check(1, 1, False, False))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="123:;,. =noyes\\boxed{}\n", max_size=80))
def test_any_text_can_be_read(reply):
    for check in read_checks(reply):
        assert check.holds in (True, False, None)
        assert check.place >= 0
    assert rule_vote(reply, [1, 2, 4], Seed(0).generator()) in (1, 2, 4)


@pytest.mark.parametrize(
    "evil", ["1: x=" + " " * 40_000 + "z", "\n" * 40_000, "1:" * 20_000, "1: " + "yes," * 20_000, ". " * 20_000]
)
def test_long_replies_take_no_longer_than_they_are_long(evil):
    read_checks(evil)  # the suite's own limit of time would end it


def test_the_rule_votes_for_the_most_denied_seat():
    assert rule_vote(BARE, [1, 2, 4], Seed(0).generator()) == 2
    assert rule_vote("1: no; 2: no, no; 4: no. \\boxed{1}", [1, 2, 4], Seed(0).generator()) == 2
    assert rule_vote("3: no, no; 1: no", [1, 2, 4], Seed(0).generator()) == 1  # 3 is the voter: it cannot suspect itself


def test_the_rule_guesses_among_seats_that_tie_and_the_seed_decides():
    tied = "1: no; 2: no; 4: yes. \\boxed{N/A}"
    guesses = [rule_vote(tied, [1, 2, 4], Seed(0).child(number).generator()) for number in range(200)]
    assert set(guesses) == {1, 2}
    assert 70 <= Counter(guesses)[1] <= 130  # half, within four standard errors
    assert guesses[:5] == [rule_vote(tied, [1, 2, 4], Seed(0).child(number).generator()) for number in range(5)]
    assert {rule_vote("", [1, 2, 4], Seed(0).child(number).generator()) for number in range(50)} == {1, 2, 4}


def voted(*replies):
    """A game of four whose spy is player 2, with these votes of the others."""
    moves = tuple(
        Move(seat, "civilian", "vote", 0, "", reply, "", vote=None) for seat, reply in zip((1, 3, 4), replies, strict=True)
    )
    played = game(4, 2, {}, (clue(1, "civilian", "a red cube"),))
    return played.__class__(played.game_id, played.pair_id, 4, 2, (*played.clue_moves, *moves))


def test_games_are_voted_again_by_the_rule():
    [ruled] = rule_votes([voted("2: no; 3: yes; 4: yes. \\boxed{N/A}", "1: yes; 2: no, no; 4: no. \\boxed{4}", "1: no")], Seed(0))
    assert [move.vote for move in ruled.votes] == [2, 2, 1]
    assert [move.unreadable for move in ruled.votes] == [None] * 3
    assert ruled.clue_moves


def test_of_a_policy_that_writes_no_checks_nothing_is_measured():
    assert not writes_checks([LARGE] * 10)
    assert rule_votes([voted(LARGE, LARGE, LARGE)], Seed(0)) is None
    assert rule_votes([], Seed(0)) is None
    # One reply in three that happens to look like checks does not make the others guesses of a rule.
    assert rule_votes([voted(LARGE, LARGE, BARE)], Seed(0)) is None


@pytest.mark.parametrize(
    ("reply", "prefix", "reasoned"),
    [
        (NAMED, "I see:", True),
        (BARE, "I see:", False),
        (LOOKED, None, True),
        (BARE, None, False),
        (" I see: x. \\boxed{red}", "I see:", True),
    ],
)
def test_reasoned_replies(reply, prefix, reasoned):
    assert is_reasoned(reply, prefix) is reasoned

"""Comparing two policies item by item, and the gate before production."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from vision_zero.config.evaluation import EvaluationConfig, GateConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.comparison import Comparison, compare_outcomes, compare_records, mcnemar, why_blocked
from vision_zero.evaluation.suite import Record

CONFIG = EvaluationConfig(resamples=400)


def record(key: str, is_right: bool | None, **fields: Any) -> Record:
    given = {"benchmark": "scenes", "answerer": "p", "prompt": f"question {key}", "response": "r", "extraction": "e"}
    return Record(**given | {"key": key, "prediction": "e", "answers": ("a",), "is_right": is_right} | fields)


def compared(name: str, won: int, lost: int, both: int = 0) -> Comparison:
    ours = [True] * won + [False] * lost + [True] * both
    theirs = [False] * won + [True] * lost + [True] * both
    return compare_outcomes(name, ours, theirs, CONFIG)


# By hand: of 10 discordant items 8 to 2 or more uneven happens in 2 * (1 + 10 + 45) / 1024 of all coin tosses.
@pytest.mark.parametrize(
    ("won", "lost", "p_value"), [(0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (8, 2, 112 / 1024), (2, 8, 112 / 1024), (10, 0, 2 / 1024)]
)
def test_mcnemar_by_hand(won: int, lost: int, p_value: float) -> None:
    assert mcnemar(won, lost) == pytest.approx(p_value)


def test_a_clear_gain_a_clear_loss_and_noise() -> None:
    better, worse, same = compared("a", 30, 2, 68), compared("a", 2, 30, 68), compared("a", 11, 9, 80)
    assert [entry.judgement for entry in (better, worse, same)] == ["better", "worse", "same"]
    assert (better.won, better.lost, better.policy.mean, better.base.mean) == (30, 2, 0.98, 0.7)
    assert better.difference.mean == pytest.approx(0.28)
    assert better.p_value < 1e-5
    assert same.p_value > 0.5


def test_a_suite_may_have_any_name() -> None:
    """Names of measures tell which of them are numbers or neutral; a suite's is none of these, however it ends."""
    found = compared("keywords", 30, 2, 68)
    assert (found.judgement, found.policy.text()[:4]) == ("better", "98 %")


def test_pairing_tells_more_than_the_two_intervals() -> None:
    comparison = compared("a", 8, 0, 92)
    assert comparison.policy.mean - comparison.base.mean == pytest.approx(0.08)
    apart = compare_outcomes("a", [True] * 92 + [False] * 8, [False] * 16 + [True] * 84, CONFIG)
    assert apart.difference.mean == pytest.approx(0.08)
    assert apart.judgement == "same"  # the same two shares, but lost items as well as won ones
    assert comparison.judgement == "better"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_swapping_the_policies_mirrors_everything(pairs: list[tuple[bool, bool]]) -> None:
    ours, theirs = [list(column) for column in zip(*pairs, strict=True)]
    there, back = compare_outcomes("a", ours, theirs, CONFIG), compare_outcomes("a", theirs, ours, CONFIG)
    assert (there.won, there.lost, there.p_value) == (back.lost, back.won, back.p_value)
    assert there.difference.low == pytest.approx(-back.difference.high, abs=0.15)
    assert there.difference.low <= there.difference.mean <= there.difference.high
    assert there.difference.mean == pytest.approx((there.won - there.lost) / len(pairs))
    assert compare_outcomes("a", ours, ours, CONFIG).judgement == "same"


def test_records_are_paired_by_key_whatever_their_order() -> None:
    ours = [record("1", True), record("2", False), record("3", True), record("4", None)]
    theirs = [record("4", True), record("3", False), record("2", False), record("1", True)]
    comparison, right, right_before = compare_records("scenes", ours, theirs, CONFIG)
    assert (right, right_before) == ([True, False, True], [True, False, False])
    assert (comparison.won, comparison.lost, comparison.difference.units, comparison.left_out) == (1, 0, 3, 1)


def test_an_item_that_one_policy_could_not_be_asked_is_left_out() -> None:
    ours = [record("1", True), record("2", None, answers=(), fault="its image cannot be read")]
    comparison, *_ = compare_records("scenes", ours, [record("1", True), record("2", True)], CONFIG)
    assert (comparison.difference.units, comparison.left_out) == (1, 1)


def test_an_interval_holds_for_all_suites_that_are_compared_together() -> None:
    """26 won and 12 lost of 100 are worse alone; of eight suites one looks like that by chance."""
    ours, theirs = [True] * 26 + [False] * 12 + [True] * 62, [False] * 26 + [True] * 12 + [True] * 62
    assert compare_outcomes("a", ours, theirs, CONFIG).judgement == "better"
    assert compare_outcomes("a", ours, theirs, CONFIG, comparisons=8).judgement == "same"


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ([record("1", True)], "1 items were answered by one policy only"),
        ([record("1", True), record("2", True, prompt="another")], "item 2 was asked differently"),
        ([record("1", True), record("2", True, answers=("b",))], "item 2 was asked differently"),
        ([record("1", None), record("2", None)], "cannot be paired"),
    ],
)
def test_runs_under_different_protocols_are_not_compared(theirs: list[Record], words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        compare_records("scenes", [record("1", True), record("2", True)], theirs, CONFIG)


def test_a_policy_that_is_no_worse_passes() -> None:
    assert why_blocked([compared("scenes", 30, 2, 68), compared("charts", 10, 9, 81)], GateConfig()) is None
    assert why_blocked([], GateConfig()) is None


@pytest.mark.parametrize(
    ("won", "lost", "both", "bounds", "words"),
    [
        (1, 9, 90, {}, r"charts is worse than before \(-8\.0 points, interval -1\d\.\d to -[1-9]"),
        (1, 9, 90, {"tolerated_loss": 0.2}, None),
        (1, 9, 90, {"exempt": ("charts",)}, None),
        (11, 22, 67, {"largest_loss": 0.1}, r"charts lost more than 10 points \(-11\.0 points"),
        (3, 5, 12, {"largest_loss": 0.05}, "charts lost more than 5 points"),
        (3, 5, 12, {"largest_loss": 0.5}, None),
        (12, 9, 79, {"must_improve": ("charts",)}, r"charts had to improve and did not \(\+3\.0 points"),
        (30, 2, 68, {"must_improve": ("charts",)}, None),
        (30, 2, 68, {"must_improve": ("scenes",)}, "scenes was not measured"),
        (30, 2, 68, {"required": ("mathvista", "charts")}, "mathvista was not measured"),
        (5, 0, 0, {"least_items": 20}, "charts was measured on 5 items, fewer than the 20"),
    ],
)
def test_the_gate_says_why(won: int, lost: int, both: int, bounds: dict[str, Any], words: str | None) -> None:
    reason = why_blocked([compared("charts", won, lost, both)], GateConfig(**bounds))
    if words is None:
        assert reason is None
    else:
        assert reason is not None
        assert re.match(words, reason), reason
        assert "\n" not in reason


def test_every_reason_is_named_in_the_one_sentence() -> None:
    reason = why_blocked([compared("charts", 1, 30, 69), compared("scenes", 2, 30, 68)], GateConfig(required=("mathvista",)))
    assert reason is not None
    assert [name in reason for name in ("charts", "scenes", "mathvista")] == [True] * 3


@pytest.mark.parametrize("bounds", [{"tolerated_loss": -0.1}, {"largest_loss": 2}, {"least_items": 0}, {"max_drop": 0.1}])
def test_bounds_are_checked(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GateConfig(**bounds)

"""Means and intervals over seeds and pairs against numbers worked out by hand, and the page that shows them."""

import math

import pytest

from tests.report.test_pages import assert_self_contained
from vision_zero.config.ablation import AblationConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Estimate, Score, Scores
from vision_zero.experiments.ablation import compare_arms
from vision_zero.report.ablation import ablation_page, print_table, write_result
from vision_zero.training.state import StageState, Switch

BASE = 0.4
CONFIG = AblationConfig(name="test", reference="whole", arms=({"name": "whole"}, {"name": "half"}), seeds=(0, 1, 2))
ENDS = {("whole", 0): 0.6, ("half", 0): 0.5, ("whole", 1): 0.7, ("half", 1): 0.5, ("whole", 2): 0.8, ("half", 2): 0.8}


def exactly(value):
    return Estimate(mean=value, low=value, high=value, units=8)


def measured(iteration, value, units=()):
    """Scores of eight pairs that are all alike, or of these."""
    score = Score(
        name="decision/accuracy",
        policy=exactly(value),
        base=exactly(BASE),
        difference=None,
        judgement=None,
        policy_units=units or (value,) * 8,
        base_units=(BASE,) * (len(units) or 8),
    )
    return Scores(iteration=iteration, scores=(score,))


def state(end, iterations=(5, 10)):
    scores = tuple(measured(iteration, end - (iterations[-1] - iteration) / 100) for iteration in iterations)
    return StageState(iteration=iterations[-1], measured=scores, switches=(Switch(iteration=3, to="clue", cause="threshold"),))


@pytest.fixture
def result():
    return compare_arms(CONFIG, [state(end) for end in ENDS.values()])


def test_points_are_whole_and_nothing_is_never_negative():
    assert Estimate(mean=-0.004, low=-0.205, high=0.116, units=3).points() == "+0 [-20, +12]"


def test_arms_over_seeds_over_the_base_and_over_the_reference(result):
    whole, half = (arm.measures["decision/accuracy"] for arm in result.arms)
    assert [arm.arm for arm in result.arms] == ["whole", "half"]
    assert [(point.iteration, round(point.value.mean, 6)) for point in whole.curve] == [(0, 0.4), (5, 0.65), (10, 0.7)]
    assert whole.final.mean == pytest.approx(0.7)
    assert whole.gain.mean == pytest.approx(0.3)
    assert whole.difference is None
    assert half.difference.mean == pytest.approx((-0.1 - 0.2 + 0.0) / 3)
    # Pairs that are all alike have no error of their own, and three seeds have Student's tails: t(0.975, 2) = 4.303.
    assert half.difference.low == pytest.approx(-0.1 - 4.302653 * 0.1 / math.sqrt(3), abs=0.03)
    assert result.arms[0].switches == (1, 1, 1)
    assert result.iterations == 10


def test_an_interval_of_shares_ends_where_shares_do():
    config = CONFIG.model_copy(update={"arms": CONFIG.arms[:1]})
    near_all, near_none = (
        compare_arms(config, [state(end) for end in ends]).arms[0].measures["decision/accuracy"].final
        for ends in ((1.0, 1.0, 0.8), (0.0, 0.0, 0.2))
    )
    assert (near_all.high > 1, near_none.low < 0) == (True, True)
    assert (near_all.text()[-5:], near_none.text()[:8]) == (" 100]", "7 % [0, ")


def test_the_pairs_own_error_is_in_the_interval_however_alike_the_seeds_are():
    """Three seeds with the same votes on the same 40 pairs: Student's interval over seeds would be [65, 65]."""
    units = (1.0,) * 26 + (0.0,) * 14
    alike = StageState(iteration=10, measured=(measured(10, 0.65, units),))
    config = AblationConfig(name="alike", reference="whole", arms=({"name": "whole"},), seeds=(0, 1, 2))
    three = compare_arms(config, [alike] * 3).arms[0].measures["decision/accuracy"]
    one = compare_arms(config.model_copy(update={"seeds": (0,)}), [alike]).arms[0].measures["decision/accuracy"]
    assert (three.gain.low, three.gain.high) == pytest.approx((one.gain.low, one.gain.high))
    assert three.gain.mean == pytest.approx(0.25)
    assert three.gain.high - three.gain.low == pytest.approx(2 * 1.96 * math.sqrt(0.65 * 0.35 / 40), rel=0.1)


def test_arms_that_were_not_measured_alike_are_not_compared():
    few = StageState(iteration=10, measured=(measured(10, 0.5, (0.5,) * 4),))
    bare = StageState(iteration=10, measured=(measured(10, 0.5),))
    states = [bare] * 5
    with pytest.raises(EvaluationError, match="not measured on the same held-out pairs everywhere: give all arms one evaluation"):
        compare_arms(CONFIG, [*states, few])
    score = bare.measured[0].scores[0].model_copy(update={"policy_units": (), "base_units": ()})
    old = StageState(iteration=10, measured=(Scores(iteration=10, scores=(score,)),))
    with pytest.raises(EvaluationError, match="measured by an earlier version"):
        compare_arms(CONFIG, [*states, old])


def test_what_an_arm_has_nothing_of_is_named(result):
    assert "rule on checks" in result.left_out
    assert "Not compared, since not all arms have this score: forced choice right, rule on checks" in ablation_page(result)


def test_arms_of_different_length_are_compared_at_their_ends():
    """configs/ablation/learning.yaml has an arm of 100 iterations beside others of 16."""
    for lengths in ((10, 40), (40, 10)):
        states = [state(end, (5, lengths[number % 2])) for number, end in enumerate(ENDS.values())]
        found = compare_arms(CONFIG, states)
        whole, half = (arm.measures["decision/accuracy"] for arm in found.arms)
        assert (whole.curve[-1].iteration, half.curve[-1].iteration) == lengths == tuple(arm.iterations for arm in found.arms)
        assert (whole.final.mean, half.final.mean) == pytest.approx((0.7, 0.6))
        assert half.difference.mean == pytest.approx(-0.1)
        assert f"2 arms, {lengths[0]} iterations (half: {lengths[1]}), seeds" in ablation_page(found)


def test_seeds_of_an_arm_that_end_differently_are_not_compared():
    states = [state(end) for end in ENDS.values()]
    for odd in (state(0.5, iterations=(5, 15)), state(0.5).model_copy(update={"measured": ()})):
        with pytest.raises(EvaluationError, match="the seeds of 'half' were not all evaluated at the same last iteration"):
            compare_arms(CONFIG, [*states[:-1], odd])


def test_curves_are_straight_between_measurements_of_other_seeds():
    """A run ends where its stage does, so each seed is measured at iterations of its own."""
    config = CONFIG.model_copy(update={"seeds": (0, 1)})
    states = [state(0.6, (5, 10)), state(0.5, (5, 10)), state(0.8, (2, 10)), state(0.5, (4, 5, 10))]
    curve = compare_arms(config, states).arms[0].measures["decision/accuracy"].curve
    first, second = {0: 0.4, 2: 0.46, 5: 0.55, 10: 0.6}, {0: 0.4, 2: 0.72, 5: 0.75, 10: 0.8}
    assert {point.iteration: round(point.value.mean, 6) for point in curve} == {
        iteration: round((first[iteration] + second[iteration]) / 2, 6) for iteration in first
    }


def test_the_page_and_the_table_show_them(result, tmp_path, capsys):
    page, path = write_result(result, str(tmp_path))
    assert path.read_text() == page == ablation_page(result)
    assert_self_contained(page)
    for words in (
        "Ablation: test",
        '<td>frozen base</td><td class="number">40 %</td>',
        "70 % [43, 97]",
        "+30 [+3, +57]",
        "-10 [-37, +17]",
        "<polygon",
        "seeds 0, 1, 2",
    ):
        assert words in page, words
    assert sorted(file.name for file in path.parent.iterdir()) == ["report.html", "result.json"]
    print_table(result, path)
    printed = capsys.readouterr().out
    assert "half" in printed
    assert "-10 [-37, +17]" in printed


def test_many_arms_share_frames_with_the_reference():
    names = ["whole", *(f"arm {number} {'x' * 30}" for number in range(7))]
    config = AblationConfig(name="many", reference="whole", arms=[{"name": name} for name in names], seeds=(0,))
    page = ablation_page(compare_arms(config, [state(0.5) for _ in names]))
    assert page.count("<svg") == 3
    assert "say nothing about other seeds" in page


def test_a_reference_alone_is_compared_with_the_base_only(result):
    assert "Difference to whole, in points" in ablation_page(result)
    alone = ablation_page(result.model_copy(update={"arms": result.arms[:1]}))
    assert "Difference to the base, in points" in alone
    assert "Difference to whole, in points" not in alone

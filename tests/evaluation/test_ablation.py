"""Means and intervals over seeds against numbers worked out by hand, and the page that shows them."""

import math

import pytest

from tests.report.test_pages import assert_self_contained
from vision_zero.config.ablation import AblationConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.ablation import compare_arms, over_seeds
from vision_zero.evaluation.estimates import Estimate, Score, Scores
from vision_zero.learning.state import StageState, Switch
from vision_zero.report.ablation import ablation_page, print_table, write_result

BASE = 0.4
CONFIG = AblationConfig(name="test", reference="whole", arms=({"name": "whole"}, {"name": "half"}), seeds=(0, 1, 2))
ENDS = {("whole", 0): 0.6, ("half", 0): 0.5, ("whole", 1): 0.7, ("half", 1): 0.5, ("whole", 2): 0.8, ("half", 2): 0.8}


def exactly(value):
    return Estimate(mean=value, low=value, high=value, units=8)


def measured(iteration, value):
    score = Score(name="decision/accuracy", policy=exactly(value), base=exactly(BASE), difference=None, judgement=None)
    return Scores(iteration=iteration, scores=(score,))


def state(end, iterations=(5, 10)):
    scores = tuple(measured(iteration, end - (iterations[-1] - iteration) / 100) for iteration in iterations)
    return StageState(iteration=iterations[-1], measured=scores, switches=(Switch(iteration=3, to="clue", cause="threshold"),))


@pytest.fixture
def result():
    return compare_arms(CONFIG, [state(end) for end in ENDS.values()])


def test_students_interval_by_hand():
    found = over_seeds([1.0, 2.0, 3.0], 0.95)
    half = 4.302653 / math.sqrt(3)  # t(0.975, 2) = 4.303, standard deviation 1
    assert (found.mean, found.low, found.high, found.units) == (2.0, pytest.approx(2 - half), pytest.approx(2 + half), 3)
    assert over_seeds([0.3], 0.95) == Estimate(mean=0.3, low=0.3, high=0.3, units=1)


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
    assert half.difference.low == pytest.approx(-0.1 - 4.302653 * 0.1 / math.sqrt(3))
    assert result.arms[0].switches == (1, 1, 1)
    assert result.iterations == 10


def test_arms_of_different_length_are_not_compared():
    states = [state(end) for end in ENDS.values()]
    for odd in (state(0.5, iterations=(5, 15)), state(0.5).model_copy(update={"measured": ()})):
        with pytest.raises(EvaluationError, match="did not all end at the same iteration"):
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
        "70 % [45, 95]",
        "+30 [+5, +55]",
        "-10 [-35, +15]",
        "<polygon",
        "seeds 0, 1, 2",
    ):
        assert words in page, words
    assert sorted(file.name for file in path.parent.iterdir()) == ["report.html", "result.json"]
    print_table(result, path)
    printed = capsys.readouterr().out
    assert "half" in printed
    assert "-10 [-35, +15]" in printed


def test_many_arms_share_frames_with_the_reference():
    names = ["whole", *(f"arm {number} {'x' * 30}" for number in range(7))]
    config = AblationConfig(name="many", reference="whole", arms=[{"name": name} for name in names], seeds=(0,))
    page = ablation_page(compare_arms(config, [state(0.5) for _ in names]))
    assert page.count("<svg") == 3
    assert "no interval over seeds" in page
    assert "<polygon" not in page


def test_a_reference_alone_is_compared_with_the_base_only(result):
    assert "Over whole, in points" in ablation_page(result)
    alone = ablation_page(result.model_copy(update={"arms": result.arms[:1]}))
    assert "Over the base, in points" in alone
    assert "Over whole, in points" not in alone

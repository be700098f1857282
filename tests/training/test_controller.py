"""The stage controller against traces worked out by hand."""

import pytest

from vision_zero.config.learning import SwitchConfig
from vision_zero.errors import TrainingError
from vision_zero.evaluation.estimates import Scores
from vision_zero.training.controller import advance, replayed, running_rates
from vision_zero.training.state import IterationRecord, StageState


def after(rules, votes, stage=None):
    state = StageState.at_start(rules)
    if stage:
        state = state.model_copy(update={"stage": stage})
    for accuracy, abstention in votes:
        state = advance(state, accuracy, abstention)
    return state


def test_running_averages_by_hand():
    state = after(SwitchConfig(ema_init="zero"), [(1.0, 0.0), (0.5, 0.2)])
    assert running_rates(state) == pytest.approx((0.95 * 0.05 + 0.05 * 0.5, 0.05 * 0.2))
    corrected = after(SwitchConfig(), [(1.0, 0.0), (0.5, 0.2)])
    weight = 1 - 0.95**2
    assert running_rates(corrected) == pytest.approx(((0.95 * 0.05 + 0.05 * 0.5) / weight, 0.05 * 0.2 / weight))


def test_decision_to_clue_at_the_threshold_but_not_before_k_min():
    votes = [(0.95, 0.05)] * 5
    assert after(SwitchConfig(), votes[:4]).stage == "decision"
    state = after(SwitchConfig(), votes)
    assert (state.stage, state.since_switch) == ("clue", 0)
    assert [(switch.iteration, switch.to, switch.cause) for switch in state.switches] == [(5, "clue", "threshold")]


def test_accuracy_alone_is_not_enough():
    assert after(SwitchConfig(), [(0.95, 0.2)] * 19).stage == "decision"
    assert after(SwitchConfig(), [(0.89, 0.0)] * 19).stage == "decision"


def test_averages_from_zero_need_45_perfect_iterations():
    rules = SwitchConfig(ema_init="zero", patience=1000)
    assert after(rules, [(1.0, 0.0)] * 44).stage == "decision"
    assert after(rules, [(1.0, 0.0)] * 45).stage == "clue"


def test_clue_to_decision_on_error_or_on_abstention():
    assert after(SwitchConfig(), [(0.59, 0.0)] * 5, stage="clue").stage == "decision"
    assert after(SwitchConfig(), [(0.61, 0.0)] * 5, stage="clue").stage == "clue"
    assert after(SwitchConfig(), [(0.61, 0.5)] * 5, stage="clue").stage == "decision"
    assert after(SwitchConfig(), [(0.59, 0.0)] * 4, stage="clue").stage == "clue"


def test_patience_ends_a_stage_without_threshold_hits():
    state = after(SwitchConfig(), [(0.5, 0.3)] * 20)
    assert state.switches[0].cause == "patience"
    assert state.switches[0].iteration == 20
    assert after(SwitchConfig(), [(0.5, 0.3)] * 19).stage == "decision"


def test_the_averages_go_on_through_a_switch():
    state = after(SwitchConfig(), [(0.95, 0.0)] * 5)
    assert running_rates(state)[0] == pytest.approx(0.95)


def test_fixed_alternation_and_no_alternation():
    state = after(SwitchConfig(rule="fixed", period=2), [(1.0, 0.0)] * 8)
    assert [switch.iteration for switch in state.switches] == [2, 4, 6, 8]
    assert after(SwitchConfig(rule="fixed", period=1), [(0.0, 1.0)]).stage == "clue"
    assert after(SwitchConfig(rule="never", start="clue"), [(0.0, 1.0)] * 50).stage == "clue"


def test_advance_changes_nothing_in_place():
    state = StageState.at_start(SwitchConfig())
    advance(state, 1.0, 0.0)
    assert state == StageState.at_start(SwitchConfig())


def record(iteration, accuracy):
    return IterationRecord(
        iteration=iteration,
        stage="decision",
        run="r",
        accuracy=accuracy,
        abstention=0.0,
        running_accuracy=0.0,
        running_abstention=0.0,
    )


def test_the_switch_step_decides_again_from_the_votes():
    before = StageState.at_start(SwitchConfig())
    votes = [0.95] * 5
    moved = after(SwitchConfig(), [(accuracy, 0.0) for accuracy in votes])
    trained = moved.model_copy(update={"history": tuple(record(number, accuracy) for number, accuracy in enumerate(votes))})
    scores = Scores(iteration=5, scores=())
    decided = replayed(before, trained, scores)
    assert decided.stage == "clue"
    assert decided.measured == (scores,)
    with pytest.raises(TrainingError, match="different runs"):
        replayed(before, trained.model_copy(update={"stage": "decision"}), scores)

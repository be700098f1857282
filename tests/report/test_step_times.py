"""Where a run's time went: by step, between the steps, and how much of it was the work that a run is for."""

from datetime import UTC, datetime, timedelta

import pytest

from vision_zero.report.run_folder import RunTimes

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def times(**steps):
    return RunTimes.of(BEGAN, {name: tuple(BEGAN + timedelta(seconds=moment) for moment in span) for name, span in steps.items()})


def test_steps_come_in_the_order_in_which_they_began():
    found = times(watch_1=(9, 10), resume=(1, 2), clue_stage_1=(2, 9))
    assert [(step.name, step.seconds) for step in found.steps] == [("resume", 1), ("clue_stage_1", 7), ("watch_1", 1)]
    assert found.total == 10


def test_time_between_steps_counts_once_where_steps_ran_side_by_side():
    assert times(render_scenes=(2, 6), draw_charts=(3, 5), clue_stage_1=(8, 9)).between == 4
    assert times(render_scenes=(0, 6), draw_charts=(2, 7)).between == 0


def test_overhead_is_what_is_neither_making_pairs_nor_playing_nor_training_nor_measuring():
    found = times(
        resume=(1, 2), render_scenes=(2, 4), clue_stage_1=(4, 8), decision_stage_1=(8, 16), evaluate_1=(16, 18), watch_1=(19, 20)
    )
    assert found.overhead == pytest.approx(4 / 20)
    assert times(measure_base=(0, 5)).overhead == 0


def test_a_run_of_which_nothing_is_known_has_no_times():
    nothing = RunTimes.of(BEGAN, {})
    assert (nothing.total, nothing.between, nothing.overhead) == (0, 0, 0)

"""The compact look: its rules, and that a person could read the values back from the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vision_zero.domains.charts.chart import Chart, Layout
from vision_zero.domains.charts.compact import compact_chart, is_plain, sample_compact
from vision_zero.domains.charts.config import COMPACT_SHARES, COMPACT_TYPES, ChartsConfig, ChartType
from vision_zero.domains.charts.questions import is_value_right
from vision_zero.domains.charts.render import compose, problems_on, render
from vision_zero.domains.scenes.scene import PALETTE

ALL_TYPES = ChartsConfig(style="compact", types=dict.fromkeys(COMPACT_TYPES, 1.0))
SIZE = Layout(112, 112)


def pixels_of(image: Image.Image, name: str) -> np.ndarray:
    """Rows and columns (N, 2) that have exactly the colour of that name."""
    return np.argwhere((np.asarray(image) == PALETTE[name]).all(axis=2))


def charts(count: int) -> list[Chart]:
    return [sample_compact(ALL_TYPES, np.random.default_rng(seed)) for seed in range(count)]


def test_values_keep_the_rules() -> None:
    for chart in charts(300):
        values = chart.series[0].values
        order = sorted(values)
        assert 3 <= len(values) <= 5
        assert all(value % 5 == 0 and 10 <= value <= 100 for value in values)
        assert len(set(values)) == len(values)
        assert order[1] - order[0] >= 10
        assert order[-1] - order[-2] >= 10
        assert chart.axis == (0.0, 100.0)
        if chart.type in COMPACT_SHARES:
            assert sum(values) == 100


@pytest.mark.slow
def test_names_are_the_colours_shown() -> None:
    for chart in charts(40):
        image = render(chart, SIZE)
        assert len(set(chart.categories)) == len(chart.categories)
        for name in PALETTE:
            assert (len(pixels_of(image, name)) >= 25) == (name in chart.categories), (chart.type, name)


@pytest.mark.parametrize("values", [(20.0, 45.0, 90.0, 60.0), (100.0, 10.0, 55.0, 35.0)])
def test_bars_are_as_long_as_their_values(values: tuple[float, ...]) -> None:
    # Not gray, which the rims of digits also are.
    names = ("red", "yellow", "purple", "cyan")
    for kind, axis in (("vertical_bars", 0), ("horizontal_bars", 1)):
        image = render(compact_chart(kind, names, values), SIZE)
        lengths = np.array([np.ptp(pixels_of(image, name)[:, axis]) for name in names])
        slope, offset = np.polyfit(values, lengths, 1)
        assert np.abs(lengths - (slope * np.array(values) + offset)).max() < 1.5
        assert slope > 0.75, "a value of 100 spans at least three quarters of 112 pixels"


def test_bars_stand_in_the_order_of_the_table() -> None:
    names = ("blue", "green", "brown")
    upright = render(compact_chart("vertical_bars", names, (20.0, 50.0, 90.0)), SIZE)
    lying = render(compact_chart("horizontal_bars", names, (20.0, 50.0, 90.0)), SIZE)
    columns = [pixels_of(upright, name)[:, 1].mean() for name in names]
    rows = [pixels_of(lying, name)[:, 0].mean() for name in names]
    assert columns == sorted(columns)
    assert rows == sorted(rows)


def test_slices_are_as_large_as_their_values() -> None:
    names, values = ("red", "blue", "green", "yellow"), (10.0, 20.0, 25.0, 45.0)
    for kind in ("pie", "doughnut"):
        image = render(compact_chart(kind, names, values), SIZE)
        areas = np.array([len(pixels_of(image, name)) for name in names])
        assert np.abs(100 * areas / areas.sum() - values).max() < 2.0
        rows, columns = np.indices((112, 112)) - 55.5
        radius = np.hypot(rows, columns)
        ring = np.asarray(image)[(radius > 24) & (radius < 48)]
        assert not (ring == 255).all(axis=1).any(), "no gap is left between the last slice and the first"


def test_points_are_as_high_as_their_values() -> None:
    names, values = ("purple", "cyan", "brown"), (30.0, 85.0, 60.0)
    kinds: tuple[ChartType, ...] = ("lines", "areas", "scatter")
    for kind in kinds:
        image = render(compact_chart(kind, names, values), SIZE)
        heights = np.array([-pixels_of(image, name)[:, 0].mean() for name in names])
        slope, offset = np.polyfit(values, heights, 1)
        assert slope > 0.7
        assert np.abs(heights - (slope * np.array(values) + offset)).max() < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("size", [(112, 112), (224, 160), (336, 336)])
def test_digits_are_legible(size: tuple[int, int]) -> None:
    for chart in charts(12):
        assert problems_on(compose(chart, Layout(*size))) == []
        assert render(chart, Layout(*size)).size == size


def test_is_plain_refuses_what_breaks_a_rule() -> None:
    names = ("red", "blue", "green")
    assert is_plain(compact_chart("lines", names, (20.0, 35.0, 60.0)))
    assert not is_plain(compact_chart("lines", names, (20.0, 25.0, 60.0))), "the lowest is too near"
    assert not is_plain(compact_chart("lines", names, (20.0, 55.0, 60.0))), "the highest is too near"
    assert not is_plain(compact_chart("lines", names, (20.0, 33.0, 60.0))), "no multiple of 5"
    assert not is_plain(compact_chart("lines", names, (5.0, 35.0, 60.0))), "too low"
    assert not is_plain(compact_chart("pie", names, (20.0, 35.0, 60.0))), "not 100 in all"


@pytest.mark.parametrize(("said", "is_right"), [("50", True), ("54", True), ("60", False), ("³", False), ("9" * 5000, False)])
def test_any_reply_to_a_question_for_a_value_is_judged(said, is_right):
    assert is_value_right("50", said) == is_right

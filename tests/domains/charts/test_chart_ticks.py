"""Round numbers of axes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_zero.domains.charts.ticks import nice_range, number, ticks

numbers = st.floats(-1e7, 1e7, allow_nan=False).map(lambda value: round(value, 3))


@given(numbers, st.floats(0.01, 1e7).map(lambda value: round(value, 3)))
def test_a_nice_range_holds_the_data_closely(low: float, width: float) -> None:
    high = low + width
    start, end = nice_range(low, high)
    assert start <= low + 1e-6 * width
    assert end >= high - 1e-6 * width
    assert end - start <= 3.5 * width


@given(numbers, st.floats(0.01, 1e7), st.integers(3, 6))
def test_ticks_are_few_even_and_inside(low: float, width: float, most: int) -> None:
    axis = nice_range(low, low + width)
    places = ticks(axis, most)
    steps = {round((after - before) / (axis[1] - axis[0]), 6) for before, after in pairwise(places)}
    assert 1 <= len(places) <= most + 1
    assert axis[0] <= places[0] <= places[-1] <= axis[1]
    assert len(steps) <= 1


@pytest.mark.parametrize(
    ("low", "high", "axis", "places"),
    [
        (0, 93, (0, 100), (0, 20, 40, 60, 80, 100)),
        (0, 7.1, (0, 8), (0, 2, 4, 6, 8)),
        (-3, 11, (-5, 15), (-5, 0, 5, 10, 15)),
        (0, 1400, (0, 1500), (0, 250, 500, 750, 1000, 1250, 1500)),
    ],
)
def test_known_axes(low: float, high: float, axis: tuple[float, float], places: tuple[float, ...]) -> None:
    assert nice_range(low, high) == axis
    assert ticks(axis) == places


def test_numbers_are_written_as_in_charts() -> None:
    assert number(1234567) == "1,234,567"
    assert number(0.5) == "0.5"
    assert number(-2.0) == "\N{MINUS SIGN}2"
    assert number(-0.0) == "0"
    assert number(3, 1) == "3.0"

"""Intervals over seeds and pairs: what they equal in special cases, and how often they hold the truth of simulated data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_zero.evaluation.intervals import interval, normal_quantile, stretch
from vision_zero.randomness import Seed

SEED = Seed(5)
values = st.lists(st.sampled_from([0.0, 1 / 3, 2 / 3, 1.0]), min_size=2, max_size=40)


def found(data, **changes):
    how = {"resamples": 400, "confidence": 0.95, "seed": SEED} | changes
    return interval(np.asarray(data, dtype=float), **how)


def half_width(data, **changes):
    _, low, high = found(data, **changes)
    return (high - low) / 2


@settings(max_examples=30, deadline=None)
@given(values)
def test_one_seed_has_the_pairs_own_error(units):
    rng = SEED.generator()
    sample = np.array(units)
    means = sample[rng.integers(len(sample), size=(400, len(sample)))].mean(axis=1)
    expected = (sample.mean(), *np.quantile(means, (0.025, 0.975)))
    assert found([units]) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(values, st.integers(2, 5))
def test_seeds_that_agree_on_every_pair_add_nothing_and_take_nothing(units, seeds):
    """The error that Student's interval over seeds leaves out: seeds that are alike have no spread, and pairs are as few."""
    assert found([units] * seeds) == pytest.approx(found([units]))


@settings(max_examples=30, deadline=None)
@given(values, st.floats(-1, 1), st.integers(1, 4))
def test_a_constant_moves_the_interval_and_its_sign_turns_it(units, shift, seeds):
    data = np.array([units] * seeds)
    mean, low, high = found(data)
    assert found(data + shift) == pytest.approx((mean + shift, low + shift, high + shift), abs=1e-9)
    assert low - 1e-9 <= mean <= high + 1e-9


def test_seeds_that_differ_alike_on_all_pairs_have_students_interval():
    """No error of pairs: five seeds at .1 to .5; t(0.975, 4) = 2.776, deviation 0.158."""
    data = np.repeat(np.linspace(0.1, 0.5, 5)[:, None], 30, axis=1)
    assert half_width(data, resamples=20_000) == pytest.approx(2.776 * 0.1581 / np.sqrt(5), rel=0.1)


def test_more_comparisons_make_it_wider_by_bonferroni():
    data = np.random.default_rng(0).random((1, 50))
    assert normal_quantile(0.95) == pytest.approx(1.96, abs=1e-3)
    assert normal_quantile(0.95, 10) == pytest.approx(2.807, abs=1e-3)  # 1 - 0.05 / 20
    assert half_width(data, comparisons=10) == pytest.approx(half_width(data) * 2.807 / 1.96, rel=1e-3)
    assert stretch(0.95, 10, already=10) == 1.0


def simulated(rng, seeds, pairs, of_seeds, of_pairs):
    """Votes right or wrong by a threshold on pair, seed and chance, around a true mean difference of 0."""
    pair = rng.normal(0, of_pairs, size=(1, pairs))
    seed = rng.normal(0, of_seeds, size=(seeds, 1))
    return pair + seed + rng.normal(0, 0.3, size=(seeds, pairs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "of_seeds", "of_pairs"),
    [(1, 0.0, 0.5), (3, 0.05, 0.5), (5, 0.05, 0.5), (5, 0.2, 0.3), (3, 0.2, 0.1), (5, 0.0, 0.5)],
)
def test_it_holds_the_truth_as_often_as_it_says(seeds, of_seeds, of_pairs):
    rng = np.random.default_rng(7)
    trials = 250
    held = 0
    for number in range(trials):
        _, low, high = found(simulated(rng, seeds, 60, of_seeds, of_pairs), seed=SEED.child(number), resamples=300)
        held += low <= 0 <= high
    assert held / trials >= 0.91  # 0.95, less three standard errors


def test_an_interval_over_seeds_alone_would_not_hold_it():
    """What it replaces: Student's interval over three seeds that share their pairs."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(250):
        means = simulated(rng, 3, 60, 0.0, 0.5).mean(axis=1)
        held += abs(means.mean()) <= 4.303 * means.std(ddof=1) / np.sqrt(3)
    assert held / 250 < 0.9

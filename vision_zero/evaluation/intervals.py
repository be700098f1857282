"""The interval around a mean of held-out values, over the seeds that were trained and the pairs that they were measured on.

Seeds of one recipe are measured on one set of pairs, so a hard pair is hard for all of them: an interval over seeds alone leaves
that error out. Both are resampled here. With y the values of shape (seeds, units), a replicate is

    mean(y) + mean over resampled units of (unit's mean - mean(y)) + c * mean over resampled seeds of (seed's mean - mean(y))

Units (pairs, games, questions) are resampled for all seeds together, since all seeds share them; resampling them within each seed
would average their error away. ``c = sqrt(S / (S - 1)) * t(S - 1) / z`` makes up for the spread that a bootstrap of S seeds lacks
(its variance is (S - 1) / S of the right one, and few seeds have Student's tails). What belongs to a seed and a unit together is
counted on both sides, so that the interval is a little too wide rather than too narrow. With one seed it is the percentile
bootstrap over units (Efron, 1979).

Where ``comparisons`` means are looked at together, the interval is stretched about its mean by the ratio of normal quantiles of
Bonferroni's correction, at whose level t is taken, too.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from vision_zero.randomness import Seed

_LEAST_CONFIDENCE = 0.51
_MOST_HALVINGS = 30


def interval(
    values: NDArray[np.float64], *, resamples: int, confidence: float, seed: Seed, comparisons: int = 1
) -> tuple[float, float, float]:
    """Mean, low and high end.

    Args:
        values: of shape (seeds, units), at least one of each; column by column the same units.
        resamples: bootstrap replicates.
        confidence: coverage, of all ``comparisons`` together.
    """
    seeds, units = values.shape
    mean = float(values.mean())
    rng = seed.generator()
    of_units = values.mean(axis=0) - mean
    replicates = of_units[rng.integers(units, size=(resamples, units))].mean(axis=1)
    if seeds > 1:
        of_seeds = values.mean(axis=1) - mean
        drawn = of_seeds[rng.integers(seeds, size=(resamples, seeds))].mean(axis=1)
        replicates = replicates + _for_few(seeds, confidence, comparisons) * drawn
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, (tail, 1 - tail)) * stretch(confidence, comparisons)
    return mean, float(mean + low), float(mean + high)


def stretch(confidence: float, comparisons: int, already: int = 1) -> float:
    """How much wider an interval has to be for that many comparisons together than for ``already`` many."""
    return normal_quantile(confidence, comparisons) / normal_quantile(confidence, already)


def normal_quantile(confidence: float, comparisons: int = 1) -> float:
    """Half the width, in standard errors, of an interval of that confidence for each of so many comparisons together."""
    return NormalDist().inv_cdf(1 - _tail(confidence, comparisons))


def after_refusals(confidence: float, refusals: int) -> float:
    """The confidence at which a run is held to be worse on items on which so many runs were refused before it.

    The error that is allowed for calling a policy worse doubles with each refusal, so that its interval gets narrower and the
    next run needs more than luck to pass on the same items. It ends a little above one half.
    """
    return max(_LEAST_CONFIDENCE, 1 - (1 - confidence) * 2 ** min(refusals, _MOST_HALVINGS))


def before_promotion(confidence: float, refusals: int) -> float:
    """The confidence at which a run is held to be better on such items: the error halves with each refusal (alpha spending).

    It does so 30 times at most: further on, a confidence could not be told from 1.
    """
    return 1 - (1 - confidence) / 2 ** min(refusals, _MOST_HALVINGS)


def _for_few(seeds: int, confidence: float, comparisons: int) -> float:
    quantile = float(student.ppf(1 - _tail(confidence, comparisons), seeds - 1))
    return float(np.sqrt(seeds / (seeds - 1))) * quantile / normal_quantile(confidence, comparisons)


def _tail(confidence: float, comparisons: int) -> float:
    return (1 - confidence) / (2 * comparisons)

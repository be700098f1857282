"""Means with bootstrap intervals over games or questions, not over single votes, which depend on each other.

A score keeps its values by unit, so that several seeds can be compared on the pairs that they share. A quantity of which nothing
could be measured has no units: it is shown as a dash, is compared with nothing, and is judged neither better nor the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config_base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.intervals import interval
from vision_zero.evaluation.metric_names import is_share, sense
from vision_zero.randomness import Seed

Judgement = Literal["better", "same", "worse"]


NOTHING = "–"
"""What tables show in the place of a number that there is none of."""


class Estimate(Config):
    """A mean, the interval around it, and the number of units behind it."""

    mean: float
    low: float
    high: float
    units: int
    is_share: bool = True
    """Shown in percent; else a number, such as words of a reply."""

    def text(self) -> str:
        """As in tables: "62 % [53, 71]", "31.5 [29.0, 33.8]", or a dash where there are no units. No share is below 0 or above 1,
        though few seeds that differ have intervals that are."""
        if not self.units:
            return NOTHING
        if not self.is_share:
            return f"{self.mean:.1f} [{self.low:.1f}, {self.high:.1f}]"
        return f"{100 * self.mean:.0f} % [{100 * max(self.low, 0.0):.0f}, {100 * min(self.high, 1.0):.0f}]"

    def short(self) -> str:
        """The mean alone: "62 %", "31.5", or a dash."""
        if not self.units:
            return NOTHING
        return f"{100 * self.mean:.0f} %" if self.is_share else f"{self.mean:.1f}"

    def points(self) -> str:
        """As in tables, where it is a difference: "+12 [+3, +21]" points of shares, "+1.2 [+0.3, +2.1]" of numbers."""
        if not self.units:
            return NOTHING
        if self.is_share:
            mean, low, high = (f"{round(100 * value):+d}" for value in (self.mean, self.low, self.high))
        else:
            mean, low, high = (f"{round(value, 1) + 0.0:+.1f}" for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


class Score(Config):
    """One measured quantity of the policy and of the frozen base, on the same units.

    Attributes:
        name: the quantity, for example ``decision/accuracy``; without a colon, which ZenML refuses in the names of metadata.
        difference: policy minus base, paired by unit; None where one of the two has no units. Its interval is corrected for the
            number of measures that are compared together (Bonferroni).
        judgement: whether the difference's interval leaves 0 on one side; None without a difference, and for quantities that are
            neither good nor bad.
        policy_units: the policy's value for each unit (a game, a question), in their order …
        base_units: … and the base's.
    """

    name: str
    policy: Estimate
    base: Estimate
    difference: Estimate | None
    judgement: Judgement | None
    policy_units: tuple[float, ...] = ()
    base_units: tuple[float, ...] = ()


class Bound(Config):
    """What a scripted player scores in the policy's place, on the same units: a level to read a score against."""

    player: str
    name: str
    """The score that it bounds."""
    estimate: Estimate


class BaseMeasures(Config):
    """How the frozen base fares on the held-out pairs: the same for every policy that is trained from it."""

    fingerprint: str = Field(validation_alias=AliasChoices("fingerprint", "mark"))
    """What tells it from other bases: see :attr:`vision_zero.policy.policy.Policy.base_fingerprint`."""
    values: dict[str, list[float]]
    """Of each quantity by unit, in the order of games or questions."""
    reasoned: dict[str, list[float]] = Field(default_factory=dict)
    """The same, as far as it is measured, of the base made to reason; empty where nobody knows how its reasoned replies begin."""
    bounds: tuple[Bound, ...]
    """What scripted voters make of its clues."""

    def means(self) -> dict[str, float]:
        """The mean of each quantity that has any units."""
        return {name: fmean(values) for name, values in self.values.items() if values}

    def texts(self) -> dict[str, str]:
        """All means as tables show them, those of the base made to reason after the others."""
        reasoned = {f"made to reason, {name}": values for name, values in self.reasoned.items()}
        return {
            name: (f"{100 * fmean(values):.0f} %" if is_share(name) else f"{fmean(values):.1f}") if values else NOTHING
            for name, values in {**self.values, **reasoned}.items()
        }


class Scores(Config):
    """All scores after one iteration of learning, the win rates among them, and the levels that scripted players reach."""

    iteration: int
    scores: tuple[Score, ...]
    bounds: tuple[Bound, ...] = ()
    comparisons: int = 1
    """How many differences are judged together: their intervals are corrected for it."""
    domains: tuple[str, ...] = ()
    """Of the held-out pairs."""
    notes: tuple[str, ...] = ()
    """What the policy was shown that it is not made for."""

    def named(self, name: str) -> Score:
        """The score of that name."""
        return next(score for score in self.scores if score.name == name)


def estimate(
    values: Sequence[float], config: EvaluationConfig, seed: Seed, *, is_share: bool = True, comparisons: int = 1
) -> Estimate:
    """Mean and bootstrap interval of independent units of one policy."""
    return estimate_over_seeds(np.asarray([values], dtype=np.float64), config, seed, is_share=is_share, comparisons=comparisons)


def estimate_over_seeds(
    values: NDArray[np.float64], config: EvaluationConfig, seed: Seed, *, is_share: bool = True, comparisons: int = 1
) -> Estimate:
    """Mean and interval over seeds and units; ``values`` has the shape (seeds, units). See :mod:`intervals`."""
    units = values.shape[1]
    if not units:
        return Estimate(mean=0.0, low=0.0, high=0.0, units=0, is_share=is_share)
    mean, low, high = interval(
        values, resamples=config.resamples, confidence=config.confidence, seed=seed, comparisons=comparisons
    )
    return Estimate(mean=mean, low=low, high=high, units=units, is_share=is_share)


def compare(
    name: str,
    policy: Sequence[float],
    base: Sequence[float],
    config: EvaluationConfig,
    *,
    comparisons: int = 1,
) -> Score:
    """Both estimates, and the paired difference judged by its interval, which holds for ``comparisons`` of them together.

    The name tells the unit, and whether more is better (:mod:`vision_zero.evaluation.metric_names`).

    Raises:
        EvaluationError: both have units, but not the same number.
    """
    if policy and base and len(policy) != len(base):
        raise EvaluationError(f"{name}: {len(policy)} and {len(base)} values cannot be paired; measure both on the same units")
    seed, of_share = Seed(config.seed).child("bootstrap", name), is_share(name)
    difference = None
    if policy and base:
        by_unit = np.subtract(policy, base).tolist()
        difference = estimate(by_unit, config, seed, is_share=of_share, comparisons=comparisons)
    return Score(
        name=name,
        policy=estimate(policy, config, seed, is_share=of_share),
        base=estimate(base, config, seed, is_share=of_share),
        difference=difference,
        judgement=None if difference is None else _judgement(name, difference),
        policy_units=_stored(policy),
        base_units=_stored(base),
    )


def _judgement(name: str, difference: Estimate) -> Judgement | None:
    """Does the interval leave 0 on one side?"""
    more_is = sense(name)
    if more_is is None:
        return None
    if difference.low > 0:
        return "better" if more_is == "good" else "worse"
    if difference.high < 0:
        return "worse" if more_is == "good" else "better"
    return "same"


def _stored(values: Sequence[float]) -> tuple[float, ...]:
    # Shares of a game's few votes and statements: six digits tell them apart, and files stay small.
    return tuple(round(float(value), 6) for value in values)

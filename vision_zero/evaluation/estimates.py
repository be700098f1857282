"""Means with bootstrap intervals over the units that were drawn independently: games or questions, not single votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from vision_zero.config.base import Config
from vision_zero.config.evaluation import EvaluationConfig, ScriptedName
from vision_zero.randomness import Seed

Judgement = Literal["better", "same", "worse"]


class Estimate(Config):
    """A mean, the interval around it, and the number of units behind it."""

    mean: float
    low: float
    high: float
    units: int

    def text(self) -> str:
        """As in tables: "62 % [53, 71]"."""
        return f"{100 * self.mean:.0f} % [{100 * self.low:.0f}, {100 * self.high:.0f}]"

    def points(self) -> str:
        """As in tables, where it is a difference of shares: "+12 [+3, +21]"."""
        mean, low, high = (f"{round(100 * value):+d}" for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


class Score(Config):
    """One measured quantity of the policy and of the frozen base, on the same units.

    Attributes:
        name: the quantity, for example ``decision/accuracy``.
        difference: policy minus base, paired by unit; None where the base's value holds by definition.
        judgement: whether the difference's interval leaves 0 on one side; None for quantities that are neither good nor bad.
    """

    name: str
    policy: Estimate
    base: Estimate
    difference: Estimate | None
    judgement: Judgement | None


class Bound(Config):
    """What a scripted player scores in the policy's place, on the same units: a level to read a score against."""

    player: str
    name: str
    """The score that it bounds."""
    estimate: Estimate


class BaseMeasures(Config):
    """How the frozen base fares on the held-out pairs: the same for every policy that is trained from it."""

    mark: str
    """Of its weights: see :func:`vision_zero.policy.origin.mark_of`."""
    values: dict[str, list[float]]
    """Of each quantity by unit, in the order of games or questions."""
    against: dict[ScriptedName, list[float]]
    """Wins against scripted players, by scene pair."""
    bounds: tuple[Bound, ...]
    """What scripted voters make of its clues."""

    def means(self) -> dict[str, float]:
        """The mean of each quantity that has any units."""
        wins = {f"wins/against {name}": values for name, values in self.against.items()}
        return {name: sum(values) / len(values) for name, values in {**self.values, **wins}.items() if values}


class Scores(Config):
    """All scores after one iteration of learning, the win rates among them, and the levels that scripted players reach."""

    iteration: int
    scores: tuple[Score, ...]
    bounds: tuple[Bound, ...] = ()

    def named(self, name: str) -> Score:
        """The score of that name."""
        return next(score for score in self.scores if score.name == name)


def estimate(values: Sequence[float], config: EvaluationConfig, seed: Seed) -> Estimate:
    """Mean and percentile bootstrap interval (Efron, 1979) of independent units."""
    sample = np.asarray(values, dtype=np.float64)
    if not sample.size:
        return Estimate(mean=0.0, low=0.0, high=0.0, units=0)
    rng = seed.generator()
    means = sample[rng.integers(sample.size, size=(config.resamples, sample.size))].mean(axis=1)
    tail = (1 - config.confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Estimate(mean=float(sample.mean()), low=float(low), high=float(high), units=int(sample.size))


def compare(
    name: str, policy: Sequence[float], base: Sequence[float], config: EvaluationConfig, *, more_is: Literal["good", "bad"] | None
) -> Score:
    """Both estimates, and the paired difference judged by its interval."""
    seed = Seed(config.seed).child("bootstrap", name)
    difference = estimate(np.subtract(policy, base).tolist(), config, seed)
    return Score(
        name=name,
        policy=estimate(policy, config, seed),
        base=estimate(base, config, seed),
        difference=difference,
        judgement=None if more_is is None else _judge(difference, 1 if more_is == "good" else -1),
    )


def _judge(difference: Estimate, sign: int) -> Judgement:
    if difference.low > 0:
        return "better" if sign > 0 else "worse"
    if difference.high < 0:
        return "worse" if sign > 0 else "better"
    return "same"

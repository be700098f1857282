"""What an ablation found: each arm's held-out scores as means over seeds with Student's intervals, and against the reference arm.

Seeds are the units. All arms are measured on the same held-out pairs, and arms of one seed train on the same pairs, so
differences are paired by seed. With three seeds intervals are wide, as they should be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from scipy.stats import t as student

from vision_zero.config.ablation import AblationConfig, order
from vision_zero.config.base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Estimate, Scores
from vision_zero.learning.state import StageState

MEASURES = {
    "decision/accuracy": "right votes",
    "decision sampled/accuracy": "right votes, sampled",
    "decision/abstention": "N/A votes",
    "wins/both": "wins against the base",
    "questions/all": "scene questions",
    "clues/true": "true clues",
}
"""Held-out scores that arms are compared by, and the words for them."""


class CurvePoint(Config):
    """A score after so many iterations, over seeds."""

    iteration: int
    value: Estimate


class Measured(Config):
    """One score of one arm.

    Attributes:
        curve: from the frozen base, at iteration 0, to the end.
        gain: the end minus the base, paired by seed.
        difference: the end minus the reference arm's end, paired by seed; None for the reference itself.
    """

    curve: tuple[CurvePoint, ...]
    gain: Estimate
    difference: Estimate | None

    @property
    def final(self) -> Estimate:
        return self.curve[-1].value


class ArmResult(Config):
    """One arm: its scores by name, and how often each seed changed the stage."""

    arm: str
    seeds: tuple[int, ...]
    switches: tuple[int, ...]
    measures: dict[str, Measured]


class AblationResult(Config):
    """All arms, in the configuration's order."""

    name: str
    reference: str
    confidence: float
    iterations: int
    arms: tuple[ArmResult, ...]


def compare_arms(config: AblationConfig, states: Sequence[StageState]) -> AblationResult:
    """The arms beside each other; ``states`` are what the runs ended with, in their order.

    Raises:
        EvaluationError: runs were not measured at the same iterations.
    """
    by_arm: dict[str, list[StageState]] = {arm.name: [] for arm in config.arms}
    for (arm, _), state in zip(order(config), states, strict=True):
        by_arm[arm.name].append(state)
    marks = {tuple(scores.iteration for scores in state.measured) for state in states}
    if len(marks) != 1 or not marks.copy().pop():
        raise EvaluationError("the arms were measured at different iterations: give them one schedule")
    named = set.intersection(*({score.name for score in scores.scores} for state in states for scores in state.measured))
    reference = by_arm[config.reference]
    arms = tuple(
        ArmResult(
            arm=arm,
            seeds=config.seeds,
            switches=tuple(len(state.switches) for state in own),
            measures={
                name: _measured(name, own, None if arm == config.reference else reference, config.confidence)
                for name in MEASURES
                if name in named
            },
        )
        for arm, own in by_arm.items()
    )
    return AblationResult(
        name=config.name,
        reference=config.reference,
        confidence=config.confidence,
        iterations=states[0].iteration,
        arms=arms,
    )


def over_seeds(values: Sequence[float], confidence: float) -> Estimate:
    """Mean and Student's interval over seeds; a single seed has no interval, so its ends are the mean."""
    mean = fmean(values)
    half = 0.0
    if len(values) > 1:
        half = float(student.ppf((1 + confidence) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Estimate(mean=mean, low=mean - half, high=mean + half, units=len(values))


def _measured(name: str, own: Sequence[StageState], reference: Sequence[StageState] | None, confidence: float) -> Measured:
    bases = [_named(state.measured[-1], name)["base"] for state in own]
    ends = [_named(state.measured[-1], name)["policy"] for state in own]
    curve = [CurvePoint(iteration=0, value=over_seeds(bases, confidence))]
    for place, scores in enumerate(own[0].measured):
        values = [_named(state.measured[place], name)["policy"] for state in own]
        curve.append(CurvePoint(iteration=scores.iteration, value=over_seeds(values, confidence)))
    difference = None
    if reference is not None:
        others = [_named(state.measured[-1], name)["policy"] for state in reference]
        difference = over_seeds([end - other for end, other in zip(ends, others, strict=True)], confidence)
    gain = over_seeds([end - base for end, base in zip(ends, bases, strict=True)], confidence)
    return Measured(curve=tuple(curve), gain=gain, difference=difference)


def _named(scores: Scores, name: str) -> Mapping[str, float]:
    score = scores.named(name)
    return {"policy": score.policy.mean, "base": score.base.mean}

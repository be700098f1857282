"""What an ablation found: each arm's held-out scores as means over seeds with Student's intervals, and against the reference arm.

Seeds are the units. All arms are measured on the same held-out pairs, and arms of one seed train on the same pairs, so
differences are paired by seed. With three seeds intervals are wide, as they should be.

A run ends where its stage does, so runs are measured at iterations of their own. A curve has a point where any seed was measured;
between its own measurements a seed counts as if it went straight from one to the next. All ends are measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
from scipy.stats import t as student

from vision_zero.config.ablation import AblationConfig, order
from vision_zero.config.base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Estimate
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
    def start(self) -> Estimate:
        return self.curve[0].value

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
        EvaluationError: runs did not end at one iteration, measured there.
    """
    by_arm: dict[str, list[StageState]] = {arm.name: [] for arm in config.arms}
    for (arm, _), state in zip(order(config), states, strict=True):
        by_arm[arm.name].append(state)
    ends = {state.measured[-1].iteration if state.measured else None for state in states}
    if ends != {states[0].iteration}:
        raise EvaluationError("the arms did not all end at the same iteration: give them one schedule")
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
    iterations = sorted({0, *(scores.iteration for state in own for scores in state.measured)})
    by_seed = np.array([_course(state, name, iterations) for state in own])
    difference = None
    if reference is not None:
        others = [_course(state, name, iterations[-1:])[0] for state in reference]
        difference = over_seeds(list(by_seed[:, -1] - others), confidence)
    return Measured(
        curve=tuple(
            CurvePoint(iteration=iteration, value=over_seeds(list(values), confidence))
            for iteration, values in zip(iterations, by_seed.T, strict=True)
        ),
        gain=over_seeds(list(by_seed[:, -1] - by_seed[:, 0]), confidence),
        difference=difference,
    )


def _course(state: StageState, name: str, iterations: Sequence[int]) -> list[float]:
    """A score of one seed at these iterations, from the base's at 0: straight between measurements."""
    scores = [(scores.iteration, scores.named(name)) for scores in state.measured]
    steps = [0, *(iteration for iteration, _ in scores)]
    values = [scores[-1][1].base.mean, *(score.policy.mean for _, score in scores)]
    return [float(value) for value in np.interp(iterations, steps, values)]

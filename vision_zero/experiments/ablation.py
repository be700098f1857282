"""Results of an ablation: held-out scores of each arm as means over seeds and pairs, and differences to the reference arm.

All arms and seeds are evaluated on the same held-out pairs, so intervals come from a bootstrap over seeds and pairs
(:mod:`vision_zero.evaluation.intervals`), and differences are paired by pair and by seed: arms of one seed train on the same
pairs. Intervals of differences are Bonferroni-corrected for the scores of an arm.

Runs end with their stage, so they are evaluated at different iterations. A curve has a point wherever any seed was evaluated; the
other seeds are interpolated linearly there. All runs are evaluated at the end. An arm may have a longer or shorter schedule than
the others: it is compared at its own end with the reference at its.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision_zero.config.ablation import AblationConfig, order
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config_base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Estimate, estimate_over_seeds
from vision_zero.evaluation.metric_names import is_share
from vision_zero.randomness import Seed
from vision_zero.training.state import StageState

MEASURES = {
    "decision/forced": "forced choice right",
    "decision/rule on checks": "rule on checks",
    "decision/accuracy": "right votes",
    "decision sampled/accuracy": "right votes, sampled",
    "decision/abstention": "N/A votes",
    "verdicts/all": "verdicts right",
    "false denied/all": "false denied",
    "wins/both": "wins against the base",
    "wins sampled/both": "wins, sampled",
    "questions/all": "scene questions",
    "replies/reasoned": "reasoned votes",
    "replies/words": "words a vote",
    "clues/true": "true clues",
    "clues/attributes": "attributes a clue",
}
"""Held-out scores by which arms are compared, and their names in the report."""
Values = NDArray[np.float64]


class CurvePoint(Config):
    """A score after some iterations, over seeds."""

    iteration: int
    value: Estimate


class Measured(Config):
    """One score of one arm.

    Attributes:
        curve: from the frozen base, at iteration 0, to the final score.
        gain: final score minus base, paired by seed.
        difference: final score minus that of the reference arm, paired by seed; None for the reference itself.
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
    """One arm: its scores by name, and the number of stage switches of each seed."""

    arm: str
    seeds: tuple[int, ...]
    switches: tuple[int, ...]
    measures: dict[str, Measured]

    @property
    def iterations(self) -> int:
        """Iterations of its schedule, at whose end all seeds were evaluated."""
        return next(iter(self.measures.values())).curve[-1].iteration


class AblationResult(Config):
    """All arms, in the configuration's order; ``iterations`` are those of the reference."""

    name: str
    reference: str
    confidence: float
    iterations: int
    arms: tuple[ArmResult, ...]
    left_out: tuple[str, ...] = ()
    """Scores that some arm does not have, and that are therefore not compared."""

    @property
    def length(self) -> str:
        """The iterations of the arms in words, with those of each arm of another length."""
        others = [f"{arm.arm}: {arm.iterations}" for arm in self.arms if arm.iterations != self.iterations]
        return f"{self.iterations} iterations" + (f" ({', '.join(others)})" if others else "")


def compare_arms(config: AblationConfig, states: Sequence[StageState]) -> AblationResult:
    """Compare the arms; ``states`` are the final training states of the runs, in their order.

    Raises:
        EvaluationError: the seeds of an arm did not end at the same iteration, or were not evaluated there.
    """
    by_arm: dict[str, list[StageState]] = {arm.name: [] for arm in config.arms}
    for (arm, _), state in zip(order(config), states, strict=True):
        by_arm[arm.name].append(state)
    for name, own in by_arm.items():
        if {state.evaluations[-1].iteration if state.evaluations else None for state in own} != {own[0].iteration}:
            raise EvaluationError(f"the seeds of {name!r} were not all evaluated at the same last iteration: run it again")
    measured = [scores for state in states for scores in state.evaluations]
    named = set.intersection(
        *({score.name for score in scores.scores if score.policy_units and score.base_units} for scores in measured)
    )
    shared = [name for name in MEASURES if name in named]
    if not shared:
        raise EvaluationError(
            "the arms keep no values by held-out pair, which intervals over seeds and pairs need: they were measured by an "
            "earlier version, so give the ablation another name and train them again"
        )
    of = _Comparing(EvaluationConfig(confidence=config.confidence), len(shared))
    reference = by_arm[config.reference]
    arms = tuple(
        ArmResult(
            arm=arm,
            seeds=config.seeds,
            switches=tuple(len(state.switches) for state in own),
            measures={name: of.measured(name, own, None if arm == config.reference else reference) for name in shared},
        )
        for arm, own in by_arm.items()
    )
    return AblationResult(
        name=config.name,
        reference=config.reference,
        confidence=config.confidence,
        iterations=reference[0].iteration,
        arms=arms,
        left_out=tuple(words for name, words in MEASURES.items() if name not in named),
    )


@dataclass(frozen=True)
class _Comparing:
    """Estimates of an ablation; ``measures``: number of scores compared per arm."""

    config: EvaluationConfig
    measures: int

    def measured(self, name: str, own: Sequence[StageState], reference: Sequence[StageState] | None) -> Measured:
        iterations = sorted({0, *(scores.iteration for state in own for scores in state.evaluations)})
        by_seed = _stacked(name, [_curve(state, name, iterations) for state in own])
        difference = None
        if reference is not None:
            others = _stacked(name, [_curve(state, name, [state.iteration]) for state in reference])
            own, other = _stacked(name, [by_seed[:, -1], others[:, -1]])
            difference = self._estimate(name, own - other, self.measures)
        return Measured(
            curve=tuple(
                CurvePoint(iteration=iteration, value=self._estimate(name, by_seed[:, place]))
                for place, iteration in enumerate(iterations)
            ),
            gain=self._estimate(name, by_seed[:, -1] - by_seed[:, 0], self.measures),
            difference=difference,
        )

    def _estimate(self, name: str, values: Values, comparisons: int = 1) -> Estimate:
        seed = Seed(self.config.seed).child("ablation", name)
        return estimate_over_seeds(values, self.config, seed, is_share=is_share(name), comparisons=comparisons)


def _curve(state: StageState, name: str, iterations: Sequence[int]) -> Values:
    """Values of one seed at these iterations, shape (iterations, units), interpolated linearly, with the base at iteration 0."""
    scores = [(scores.iteration, scores.named(name)) for scores in state.evaluations]
    steps = [0, *(iteration for iteration, _ in scores)]
    values = _stacked(name, [np.array(scores[-1][1].base_units), *(np.array(score.policy_units) for _, score in scores)])
    return np.stack([np.interp(iterations, steps, of_unit) for of_unit in values.T], axis=1)


def _stacked(name: str, values: Sequence[Values]) -> Values:
    if len({one.shape for one in values}) > 1:
        raise EvaluationError(f"{name} was not measured on the same held-out pairs everywhere: give all arms one evaluation")
    return np.stack(values)

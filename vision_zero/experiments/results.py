"""The file of results that a document shows: scores over several seeds, beside the base and simpler explanations of a gain.

    {"seeds": [0, 1], "measures": {"verdicts": {"base": 85.0, "base made to reason": 94.8, "policy": [95.6, 95.5],
     "difference": [10.6, 8.1, 13.0]}, …}, "arms": {"shuffled": {"measures": {…}}}, …}

Shares are in percent, differences in points; their intervals are over seeds and held-out pairs (:mod:`intervals`), and are
Bonferroni-corrected for the scores of an arm. ``rule``: the rule on the base's own checks. ``base made to reason``: the base with
each reply forced to begin with the reasoning prefix. The file is made from the records of runs, which have the values by pair
(:mod:`run_record`); the tables of a document are made from this file only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config_base import Config, read_json
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.json_files import write_atomically
from vision_zero.evaluation.estimates import estimate_over_seeds
from vision_zero.evaluation.metric_names import BESIDE_REASONED, OVER_RULE
from vision_zero.experiments.run_record import RunRecord, Units
from vision_zero.randomness import Seed

Against = Literal["base", "rule", "base made to reason"]
OVER_REASONED = "over the base made to reason"
SHUFFLED, SHUFFLED_ARM = "shuffled control", "shuffled"
"""A score that repeats the forced choice of the control arm whose name begins with ``shuffled``."""


@dataclass(frozen=True)
class Spec:
    """A row of a document's table: the held-out score, and what the policy is compared with."""

    score: str
    against: Against = "base"


MEASURES: Mapping[str, Spec] = {
    "forced choice over rule": Spec("decision/forced", "rule"),
    "forced choice": Spec("decision/forced"),
    "right votes": Spec("decision/accuracy"),
    "verdicts": Spec("verdicts/all"),
    "false denied": Spec("false denied/all"),
    "false things denied": Spec("false denied/things"),
    "false counts denied": Spec("false denied/counts"),
    "false relations denied": Spec("false denied/relations"),
    OVER_REASONED: Spec("verdicts/all", "base made to reason"),
    f"false counts denied, {OVER_REASONED}": Spec("false denied/counts", "base made to reason"),
    f"false relations denied, {OVER_REASONED}": Spec("false denied/relations", "base made to reason"),
    f"forced choice, {OVER_REASONED}": Spec("decision/forced", "base made to reason"),
    "reasoned votes": Spec("replies/reasoned"),
    "a right vote among 8": Spec("pass@8/votes"),
    "a right answer among 8": Spec("pass@8/questions"),
    "wins": Spec("wins/both"),
    "wins, votes sampled": Spec("wins sampled/both"),
    "scene questions": Spec("questions/all"),
    "chart questions": Spec("charts-compact"),
    "difference captions": Spec("differences-compact"),
    "odd one out": Spec("odd_one_out-compact"),
    "easy-vqa": Spec("easy_vqa"),
}
"""Rows by their name in the document; a score without a slash is a suite of the run's ``suites``."""
COMPARED = "wins"
"""The one measure in which other arms are compared with the main arm, so its intervals are not corrected for several."""
CURVES = {"words of a vote": "vote/words", "reasoned votes": "vote/reasoned", "forced choice": "decision/forced"}
"""Training curves by their name in the document: metrics of each iteration, or held-out scores wherever they were measured."""
CLUES = ("clues/attributes", "clues/true", "clues/duplicates")
"""Scores of clues that records keep, after training and during it. The file has none of them: attributes are no share."""
FOLLOWED = (*CURVES.values(), *CLUES)
"""Names of the metrics and scores whose values during training records keep."""


Difference = tuple[float, float, float]
"""Mean, lower and upper end of the interval, in points."""


class Measure(Config):
    """One score of one arm; None if it does not exist."""

    model_config = ConfigDict(populate_by_name=True)

    base: float | None
    rule: float | None = None
    reasoned: float | None = Field(None, alias="base made to reason")
    policy: tuple[float, ...]
    """By seed."""
    difference: Difference


class ArmMeasures(Config):
    """All scores of an arm, and training curves of some: (iteration, mean, low, high), with the base at iteration 0."""

    seeds: tuple[int, ...] = ()
    """Seeds of the arm."""
    measures: dict[str, Measure]
    curves: dict[str, tuple[tuple[float, float, float, float], ...]] = Field(default_factory=dict)
    main_minus_arm: Difference | None = None
    """The main arm minus this one in ``COMPARED``, over the seeds that both have; None for the main arm."""


class Results(Config):
    """The file."""

    seeds: tuple[int, ...]
    arm: str
    """The main arm; the others are controls."""
    iterations: int
    pairs: int
    confidence: float
    measures: dict[str, Measure]
    curves: dict[str, tuple[tuple[float, float, float, float], ...]] = Field(default_factory=dict)
    arms: dict[str, ArmMeasures] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Results:
        """
        Raises:
            EvaluationError: the file cannot be read, or has no results.
        """
        return read_json(cls, path, EvaluationError)

    def write(self, path: Path) -> None:
        """Write the file, with one decimal digit.

        Raises:
            EvaluationError: it cannot be written.
        """
        write_atomically(path, self.model_dump_json(indent=1, by_alias=True) + "\n")


RECORDED = {spec.score for spec in MEASURES.values()} | {
    OVER_RULE,
    *CLUES,
    *(f"{BESIDE_REASONED}{spec.score}" for spec in MEASURES.values()),
}
"""Names of the scores that records keep: those that the file is made of, and those of clues."""


def collect(
    arms: Mapping[str, Mapping[int, RunRecord]], reasoned: RunRecord | None = None, confidence: float | None = None
) -> Results:
    """The results of runs, by arm and seed, with the main arm first.

    Args:
        reasoned: the base made to reason on the suites, from a separate evaluation.
        confidence: of the intervals; None: that of an evaluation by default.

    Raises:
        EvaluationError: the seeds of an arm ended at different iterations, or the runs were not measured on the same pairs.
    """
    for arm, runs in arms.items():
        ends = sorted({run.iteration for run in runs.values()})
        if len(ends) > 1:
            listed = ", ".join(map(str, ends))
            raise EvaluationError(f"the seeds of {arm!r} ended at iterations {listed}: give runs of one length")
    config = EvaluationConfig() if confidence is None else EvaluationConfig(confidence=confidence)
    main, first = next(iter(arms.items()))
    made = {
        arm: ArmMeasures(
            seeds=tuple(runs),
            measures=_measures(list(runs.values()), reasoned, config),
            curves=_curves(runs, config),
            main_minus_arm=_main_minus_arm(first, runs, config) if arm != main else None,
        )
        for arm, runs in arms.items()
    }
    measures = dict(made[main].measures)
    control = next((made[arm].measures for arm in made if arm.startswith(SHUFFLED_ARM)), {})
    if "forced choice" in control:
        measures[SHUFFLED] = control["forced choice"]
    run = next(iter(first.values()))
    return Results(
        seeds=tuple(first),
        arm=main,
        iterations=run.iteration,
        pairs=len(run.units("decision/forced", "policy")),
        confidence=config.confidence,
        measures=measures,
        curves=made[main].curves,
        arms={arm: measured for arm, measured in made.items() if arm != main},
    )


def partly_measured(arms: Mapping[str, Mapping[int, RunRecord]]) -> list[str]:
    """A line for each score that only some seeds of an arm have (no table shows it of this arm), and for each training curve that
    only some seeds are in."""
    lines = []
    for arm, runs in arms.items():
        for score in dict.fromkeys(spec.score for spec in MEASURES.values()):
            without = [str(seed) for seed, run in runs.items() if not run.units(score, "policy")]
            if 0 < len(without) < len(runs):
                lines.append(f"{score} of {arm}: nothing was measured with seed {', '.join(without)}")
        for words, name in CURVES.items():
            curves = _measured_alike(runs, name)
            others = [str(seed) for seed in runs if seed not in curves]
            if curves and others:
                lines.append(
                    f"{words} of {arm} over the iterations: without seed {', '.join(others)}, measured otherwise or not at all"
                )
    return lines


def _measures(runs: Sequence[RunRecord], reasoned: RunRecord | None, config: EvaluationConfig) -> dict[str, Measure]:
    """Of the measures that exist of all these runs and of what they are compared with."""
    found: dict[str, tuple[list[Units], dict[Against, list[Units]]]] = {}
    for name, spec in MEASURES.items():
        own = [run.units(spec.score, "policy") for run in runs]
        others = {whose: [_other(whose, spec.score, run, reasoned) for run in runs] for whose in get_args(Against)}
        if not (all(own) and all(others[spec.against])):
            continue
        _need_same_pairs(name, "runs", (*own, *others[spec.against]))
        found[name] = own, others
    return {
        name: Measure(
            base=_mean(others["base"]),
            rule=_mean(others["rule"]),
            reasoned=_mean(others["base made to reason"]),
            policy=tuple(_percent(mean) for mean in np.mean(own, axis=1)),
            difference=_over_seeds(name, np.subtract(own, others[MEASURES[name].against]), config, len(found)),
        )
        for name, (own, others) in found.items()
    }


def _other(whose: Against, score: str, run: RunRecord, reasoned: RunRecord | None) -> Units:
    """What a run's score is shown beside: values of the base that it was measured with; no units where there are none."""
    if whose == "base":
        return run.units(score, "base")
    if whose == "rule":
        return run.units(OVER_RULE, "base") if score == "decision/forced" else ()
    if "/" in score:
        return run.units(f"{BESIDE_REASONED}{score}", "base")
    return () if reasoned is None else reasoned.units(score, "policy")


def _main_minus_arm(main: Mapping[int, RunRecord], arm: Mapping[int, RunRecord], config: EvaluationConfig) -> Difference | None:
    """Paired by seed and held-out unit; None if no seed of both has the measure."""
    score = MEASURES[COMPARED].score
    pairs = [(main[seed].units(score, "policy"), arm[seed].units(score, "policy")) for seed in arm if seed in main]
    if not pairs or not all(own and other for own, other in pairs):
        return None
    _need_same_pairs(COMPARED, "arms", (units for pair in pairs for units in pair))
    return _over_seeds("main minus arm", np.array([np.subtract(own, other) for own, other in pairs]), config)


def _curves(runs: Mapping[int, RunRecord], config: EvaluationConfig) -> dict[str, tuple[tuple[float, float, float, float], ...]]:
    """Training curves over seeds and pairs, at the iterations that all their seeds have; held-out scores have the base at 0."""
    curves = {}
    for words, name in CURVES.items():
        by_seed = list(_measured_alike(runs, name).values())
        shared = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
        scale = 1 if name.endswith("words") else 100
        points = []
        for iteration in shared:
            _need_same_pairs(f"{words} after {iteration} iterations", "runs", (curve[iteration] for curve in by_seed))
            values = np.array([curve[iteration] for curve in by_seed])
            level = estimate_over_seeds(values, config, Seed(0).child("course", name))
            mean, low, high = (round(scale * value, 2) for value in (level.mean, level.low, level.high))
            points.append((float(iteration), mean, low, high))
        if len(points) > 1:
            curves[words] = tuple(points)
    return curves


def _measured_alike(runs: Mapping[int, RunRecord], name: str) -> dict[int, dict[int, Units]]:
    """By seed, the curves of that name on one set of held-out pairs: the one on which most seeds were measured."""
    curves = {seed: run.curves[name] for seed, run in runs.items() if run.curves.get(name)}
    pairs = {seed: {len(units) for units in curve.values()} for seed, curve in curves.items()}
    usual = max(pairs.values(), key=list(pairs.values()).count, default=set())
    return {seed: curve for seed, curve in curves.items() if pairs[seed] == usual}


def _need_same_pairs(name: str, what: str, units: Iterable[Units]) -> None:
    if len({len(one) for one in units}) > 1:
        raise EvaluationError(f"{name}: the {what} were not measured on the same held-out pairs; name runs with one evaluation")


def _over_seeds(name: str, values: NDArray[np.float64], config: EvaluationConfig, comparisons: int = 1) -> Difference:
    """The mean difference and its interval; ``values`` has the shape (seeds, units)."""
    found = estimate_over_seeds(values, config, Seed(config.seed).child("results", name), comparisons=comparisons)
    return _percent(found.mean), _percent(found.low), _percent(found.high)


def _mean(by_seed: Sequence[Units]) -> float | None:
    return _percent(np.mean(by_seed)) if all(by_seed) else None


def _percent(share: float | np.floating) -> float:
    return round(100 * float(share), 1) + 0.0

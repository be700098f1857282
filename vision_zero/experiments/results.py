"""The results that a document shows, as one file: what an exam of several seeds measured, beside the base and what explains it.

    {"seeds": [0, 1], "measures": {"verdicts": {"base": 85.0, "base made to reason": 94.8, "policy": [95.6, 95.5],
     "difference": [10.6, 8.1, 13.0]}, …}, "arms": {"shuffled": {"measures": {…}}}, …}

Shares are in percent, differences in points; their intervals are over seeds and held-out pairs (:mod:`intervals`), and hold for
all measures of an arm together. ``rule`` is the rule on the base's own checks. The file is made from the folders of runs, whose
scores keep their values by pair, and is all that the tables of a document are made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision_zero.config.base import Config
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Scores, estimate_over_seeds
from vision_zero.evaluation.metric_names import BESIDE_REASONED, OVER_RULE
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.randomness import Seed
from vision_zero.training.state import StageState

Units = tuple[float, ...]
Against = Literal["base", "rule", "base made to reason"]
OVER_REASONED = "over the base made to reason"
SHUFFLED, SHUFFLED_ARM = "shuffled control", "shuffled"
"""The measure that repeats the forced choice of the arm whose name begins so: its rewards are shuffled, so that it makes the same
updates without information."""


@dataclass(frozen=True)
class Spec:
    """A measure of a document: which held-out score it is, and what the policy is compared with."""

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
"""Measures by the words of the document; a name without a slash is a suite of the run's ``benchmarks``."""
COURSES = {"words of a vote": "replies/words", "reasoned votes": "replies/reasoned", "forced choice": "decision/forced"}
"""Scores whose course over the iterations is kept, by the words of the document."""


class Measure(Config):
    """One measure of one arm; None where there is nothing of the kind."""

    model_config = ConfigDict(populate_by_name=True)

    base: float | None
    rule: float | None = None
    reasoned: float | None = Field(None, alias="base made to reason")
    policy: tuple[float, ...]
    """By seed."""
    difference: tuple[float, float, float]
    """Mean, low and high end."""


class ArmMeasures(Config):
    """All measures of an arm, and the course of some: (iteration, mean, low, high), the base at 0."""

    seeds: tuple[int, ...] = ()
    """Those that the arm was run with."""
    measures: dict[str, Measure]
    courses: dict[str, tuple[tuple[float, float, float, float], ...]] = Field(default_factory=dict)


class Results(Config):
    """The file."""

    seeds: tuple[int, ...]
    arm: str
    """The arm whose measures stand at the top, and to which the others are controls."""
    iterations: int
    pairs: int
    confidence: float
    measures: dict[str, Measure]
    courses: dict[str, tuple[tuple[float, float, float, float], ...]] = Field(default_factory=dict)
    arms: dict[str, ArmMeasures] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Results:
        """
        Raises:
            EvaluationError: the file cannot be read, or holds no results.
        """
        return read_numbers(cls, path)

    def write(self, path: Path) -> None:
        """Write the file, with one digit after the point."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Run:
    """What the exam of one arm and seed left: a run's folder."""

    scores: Scores
    suites: Scorecard
    state: StageState

    @classmethod
    def of(cls, folder: Path) -> Run:
        """
        Raises:
            EvaluationError: it is not the folder of a run.
        """
        return cls(
            read_numbers(Scores, folder / "scores.json"),
            read_numbers(Scorecard, folder / "suites.json"),
            read_numbers(StageState, folder / "state.json"),
        )

    def units(self, name: str, whose: Literal["policy", "base"]) -> Units:
        """The values of a score or a suite by unit; none where it was not measured."""
        if "/" not in name:
            suite = next((suite for suite in self.suites.suites if suite.name == name), None)
            return () if suite is None else getattr(suite, f"{whose}_units")
        score = next((score for score in self.scores.scores if score.name == name), None)
        return () if score is None else getattr(score, f"{whose}_units")


def read_scorecard(path: Path) -> Scorecard:
    """What ``vision-zero evaluate`` left as ``scores.json``.

    Raises:
        EvaluationError: the file cannot be read, or holds something else.
    """
    return read_numbers(Scorecard, path)


def collect(arms: Mapping[str, Mapping[int, Run]], reasoned: Scorecard | None = None) -> Results:
    """The results of runs: by arm and seed, the arm that matters first.

    Args:
        reasoned: the base made to reason on the suites, as the policy of an evaluation of its own.

    Raises:
        EvaluationError: the runs were not measured on the same pairs.
    """
    main, first = next(iter(arms.items()))
    made = {
        arm: ArmMeasures(seeds=tuple(runs), measures=_measures(list(runs.values()), reasoned), courses=_courses(runs))
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
        iterations=run.state.iteration,
        pairs=len(run.units("decision/forced", "policy")),
        confidence=EvaluationConfig().confidence,
        measures=measures,
        courses=made[main].courses,
        arms={arm: measured for arm, measured in made.items() if arm != main},
    )


def _measures(runs: Sequence[Run], reasoned: Scorecard | None) -> dict[str, Measure]:
    found = {
        name: (spec, own, others) for name, spec in MEASURES.items() for own, others in _compared(name, spec, runs, reasoned)
    }
    return {name: _measure(name, *entry, len(found)) for name, entry in found.items()}


def _compared(
    name: str, spec: Spec, runs: Sequence[Run], reasoned: Scorecard | None
) -> Iterator[tuple[list[Units], dict[Against, Units]]]:
    """The policies' values and what they are held against, if all of them have any."""
    own = [run.units(spec.score, "policy") for run in runs]
    others: dict[Against, Units] = {
        "base": runs[0].units(spec.score, "base"),
        "rule": runs[0].units(OVER_RULE, "base") if spec.score == "decision/forced" else (),
        "base made to reason": _of_reasoned(spec.score, runs[0], reasoned),
    }
    if all(own) and others[spec.against]:
        if {len(units) for units in (*own, others[spec.against])} != {len(own[0])}:
            raise EvaluationError(f"{name}: the runs were not measured on the same held-out pairs; name runs of one exam")
        yield own, others


def _of_reasoned(score: str, run: Run, reasoned: Scorecard | None) -> Units:
    if "/" in score:
        return run.units(f"{BESIDE_REASONED}{score}", "base")
    return next((suite.policy_units for suite in reasoned.suites if suite.name == score), ()) if reasoned else ()


def _measure(name: str, spec: Spec, own: list[Units], others: dict[Against, Units], comparisons: int) -> Measure:
    values = np.array(own)
    config = EvaluationConfig()
    seed = Seed(config.seed).child("results", name)
    difference = estimate_over_seeds(values - np.array(others[spec.against]), config, seed, comparisons=comparisons)
    means = {whose: _percent(np.mean(units)) if units else None for whose, units in others.items()}
    return Measure(
        base=means["base"],
        rule=means["rule"],
        reasoned=means["base made to reason"],
        policy=tuple(_percent(mean) for mean in values.mean(axis=1)),
        difference=(_percent(difference.mean), _percent(difference.low), _percent(difference.high)),
    )


def _courses(runs: Mapping[int, Run]) -> dict[str, tuple[tuple[float, float, float, float], ...]]:
    """Where all seeds were measured, over seeds and pairs; the base at 0."""
    courses = {}
    for words, name in COURSES.items():
        by_seed = [_course(run.state, name) for run in runs.values()]
        shared = sorted(set.intersection(*(set(course) for course in by_seed)))
        scale = 1 if name.endswith("words") else 100
        points = []
        for iteration in shared:
            values = np.array([course[iteration] for course in by_seed])
            level = estimate_over_seeds(values, EvaluationConfig(), Seed(0).child("course", name))
            mean, low, high = (round(scale * value, 2) for value in (level.mean, level.low, level.high))
            points.append((float(iteration), mean, low, high))
        if len(points) > 1:
            courses[words] = tuple(points)
    return courses


def _course(state: StageState, name: str) -> dict[int, Units]:
    scores = [(measured.iteration, score) for measured in state.course for score in measured.scores if score.name == name]
    course = {0: scores[0][1].base_units} if scores else {}
    course |= {iteration: score.policy_units for iteration, score in scores}
    return {iteration: units for iteration, units in course.items() if units}


def _percent(share: float | np.floating) -> float:
    return round(100 * float(share), 1) + 0.0


Model = TypeVar("Model", bound=BaseModel)


def read_numbers(kind: type[Model], path: Path) -> Model:
    """A file that a run left.

    Raises:
        EvaluationError: it cannot be read, or holds something else.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise EvaluationError(f"{path} holds no {kind.__name__} of this version: {error.errors()[0]['msg']}") from error

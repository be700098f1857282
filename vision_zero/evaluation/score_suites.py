"""Scores of suites: accuracies with intervals, the comparison with the base, the gate, and example answers."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from vision_zero.config.suites import EvaluateConfig
from vision_zero.data.images import data_uri
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.comparison import compare_records, why_blocked
from vision_zero.evaluation.estimates import estimate
from vision_zero.evaluation.run_suites import open_suite
from vision_zero.evaluation.scorecard import Example, Scorecard, SuiteScores
from vision_zero.evaluation.suite import Record, Suite, scores_of
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers
from vision_zero.randomness import Seed

LARGEST_SHOWN = 320
"""Pixels of the longer side of an example's picture; larger ones are made smaller."""
LONGEST_SHOWN = 600
"""Characters of a reply that an example shows."""


def score_answers(config: EvaluateConfig, policy: AnsweredSuites, base: AnsweredSuites, refusals: int = 0) -> Scorecard:
    """Score a policy's answers, and compare them with the base's, if there are any.

    Args:
        refusals: policies that were refused since the version in production, after which the gate is stricter.

    Raises:
        EvaluationError: the two were not made under one protocol, or the policy has none.
    """
    count = len(config.suites)
    if len(policy.suites) != count or len(base.suites) not in (0, count):
        answered = f"the policies answered {len(policy.suites)} and {len(base.suites)}"
        raise EvaluationError(f"{count} suites were to be answered, {answered}: run both again")
    others = base.suites if base.suites else [None] * count
    suites = tuple(
        _score(config, open_suite(suite), ours, theirs)
        for suite, ours, theirs in zip(config.suites, policy.suites, others, strict=True)
    )
    compared = [suite.comparison for suite in suites if suite.comparison is not None]
    return Scorecard(
        policy=policy.suites[0].answerer,
        base=base.suites[0].answerer if base.suites else None,
        suites=suites,
        blocked=why_blocked(compared, config.gate, refusals=refusals, confidence=config.confidence) if base.suites else None,
    )


def _score(config: EvaluateConfig, suite: Suite, ours: Answers, theirs: Answers | None) -> SuiteScores:
    comparison = None
    right = [record.is_right for record in ours.records if record.is_right is not None]
    judged, right_before = [float(verdict) for verdict in right], list[bool]()
    if theirs is not None:
        if found := ours.protocol.differences(theirs.protocol):
            raise EvaluationError(f"{suite.name}: the policies were asked under another {', '.join(found)}; run both again")
        if judged:
            comparison, right, right_before = compare_records(
                suite.name, ours.records, theirs.records, config.statistics, comparisons=len(config.suites)
            )
    seed = Seed(config.statistics.seed).child("bootstrap", suite.name)
    return SuiteScores(
        protocol=ours.protocol,
        policy=scores_of(suite.name, ours.records),
        base=None if theirs is None else scores_of(suite.name, theirs.records),
        accuracy=estimate(judged, config.statistics, seed) if judged else None,
        comparison=comparison,
        examples=tuple(_examples(suite, ours.records, config.examples)),
        policy_units=tuple(map(float, right)),
        base_units=tuple(map(float, right_before)),
    )


def _examples(suite: Suite, records: Sequence[Record], count: int) -> list[Example]:
    """The first wrong and the first right answers, with their pictures."""
    places = {suite.key(number): number for number in range(len(suite))}
    shown = [
        record for is_right in (False, True) for record in [record for record in records if record.is_right is is_right][:count]
    ]
    return [
        Example(
            key=record.key,
            prompt=record.prompt,
            response=record.response[:LONGEST_SHOWN],
            extraction=record.extraction[:LONGEST_SHOWN],
            answers=record.answers,
            is_right=bool(record.is_right),
            picture=data_uri(_reduced(suite.item(places[record.key]).image)),
        )
        for record in shown
    ]


def _reduced(image: Image.Image) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return smaller

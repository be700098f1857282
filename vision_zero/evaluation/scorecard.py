"""What an evaluation comes to: for each suite the scores, the comparison with the base, and a few answers to look at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from vision_zero.config.base import Config
from vision_zero.config.suites import EvaluateConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.answering import Answers, open_suite
from vision_zero.evaluation.benchmarks.benchmark import Benchmark, BenchmarkScores, Record, scores_of
from vision_zero.evaluation.comparison import Comparison, compare_records, why_blocked
from vision_zero.evaluation.estimates import Estimate, estimate
from vision_zero.evaluation.protocol import EvaluationProtocol
from vision_zero.randomness import Seed
from vision_zero.report.pages import data_uri

LARGEST_SHOWN = 320
"""Pixels of the longer side of an example's picture; larger ones are made smaller."""
LONGEST_SHOWN = 600
"""Characters of a reply that an example shows."""


class Example(Config):
    """An answer to look at; ``picture`` is a PNG as a data URI."""

    key: str
    prompt: str
    response: str
    extraction: str
    answers: tuple[str, ...]
    is_right: bool
    picture: str


class SuiteScores(Config):
    """One suite.

    Attributes:
        accuracy: share of right items with its interval; None where no item has an answer to compare with.
        base: the other policy's counts; None without one.
        comparison: item by item; None without another policy or without answers to compare with.
    """

    protocol: EvaluationProtocol
    policy: BenchmarkScores
    base: BenchmarkScores | None
    accuracy: Estimate | None
    comparison: Comparison | None
    examples: tuple[Example, ...]

    @property
    def name(self) -> str:
        return self.protocol.suite


class Scorecard(Config):
    """All suites.

    Attributes:
        blocked: why the gate would keep the policy out of production, in one sentence; None if it would not, or without a base.
    """

    policy: str
    base: str | None
    suites: tuple[SuiteScores, ...]
    blocked: str | None


def score_answers(config: EvaluateConfig, policy: Sequence[Answers], base: Sequence[Answers] | None) -> Scorecard:
    """Score a policy's answers, and compare them with the base's.

    Raises:
        EvaluationError: the two were not made under one protocol, or there are none.
    """
    if not policy or (base is not None and len(base) != len(policy)):
        raise EvaluationError("there are no answers to score, or the two policies answered different suites")
    suites = tuple(
        _score(config, open_suite(suite), ours, None if base is None else base[number])
        for number, (suite, ours) in enumerate(zip(config.suites, policy, strict=True))
    )
    compared = [suite.comparison for suite in suites if suite.comparison is not None]
    return Scorecard(
        policy=policy[0].answerer,
        base=base[0].answerer if base else None,
        suites=suites,
        blocked=why_blocked(compared, config.gate) if base else None,
    )


def _score(config: EvaluateConfig, benchmark: Benchmark, ours: Answers, theirs: Answers | None) -> SuiteScores:
    judged = [float(record.is_right) for record in ours.records if record.is_right is not None]
    comparison = None
    if theirs is not None:
        if found := ours.protocol.differences(theirs.protocol):
            raise EvaluationError(f"{benchmark.name}: the policies were asked under another {', '.join(found)}; run both again")
        if judged:
            comparison = compare_records(benchmark.name, ours.records, theirs.records, config.statistics)
    seed = Seed(config.statistics.seed).child("bootstrap", benchmark.name)
    return SuiteScores(
        protocol=ours.protocol,
        policy=scores_of(benchmark.name, ours.records),
        base=None if theirs is None else scores_of(benchmark.name, theirs.records),
        accuracy=estimate(judged, config.statistics, seed) if judged else None,
        comparison=comparison,
        examples=tuple(_examples(benchmark, ours.records, config.examples)),
    )


def _examples(benchmark: Benchmark, records: Sequence[Record], count: int) -> list[Example]:
    """The first wrong and the first right answers, with their pictures."""
    places = {benchmark.key(number): number for number in range(len(benchmark))}
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
            picture=data_uri(_reduced(benchmark.item(places[record.key]).image)),
        )
        for record in shown
    ]


def _reduced(image: Image.Image) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return smaller

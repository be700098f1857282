"""Scores of suites: accuracies with intervals, the comparison with the base, the gate, and example answers; and the suites of a
self-play run, with answers that are kept from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import AnswererConfig, EvaluateConfig, SuitesConfig
from vision_zero.data.images import data_uri
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.extraction.answer import VERSION
from vision_zero.evaluation.comparison import compare_records, why_blocked
from vision_zero.evaluation.estimates import estimate
from vision_zero.evaluation.run_suites import answer_suites, open_suite, open_suites
from vision_zero.evaluation.scorecard import Example, Scorecard, SuiteScores
from vision_zero.evaluation.suite import Record, Suite, scores_of
from vision_zero.evaluation.suite_answers import AnsweredSuites, Answers
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import PolicyFolder
from vision_zero.randomness import Seed

LARGEST_SHOWN = 320
"""Pixels of the longer side of an example's image; larger ones are made smaller."""
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
    """The first wrong and the first right answers, with their images."""
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


def evaluate_trained(config: SelfPlayConfig, policy: PolicyFolder, refusals: int = 0) -> Scorecard:
    """A self-play run's policy beside its base on the suites of its recipe, and what the gate says.

    Answers are kept in ``runs/suites/<protocol and items>``, so that the base answers each suite once, not once a run.

    Raises:
        EvaluationError: a suite cannot be opened, or its records there were made under another protocol.
    """
    asked, player = config.suite_evaluation, config.policy
    if not asked.suites:
        return Scorecard(policy=player.base, base=None, suites=(), blocked=why_blocked([], asked.gate))
    opened = open_suites(asked)
    base = AnswererConfig(
        **{name: getattr(player, name) for name in ("base", "revision", "dtype", "trust_remote_code", "pictures")}
    )
    trained = base.model_copy(update={"adapter": None if policy.path is None else str(policy.path)})
    comparison = EvaluateConfig(
        **{name: getattr(asked, name) for name in SuitesConfig.model_fields},
        policy=trained,
        base=base,
        folder=str(Path(config.runs_folder) / "suites" / _fingerprint(asked, opened)),
    )
    ours, theirs = (answer_suites(comparison, who, opened) for who in (comparison.policy, comparison.compared_with))
    return score_answers(comparison, ours, theirs, refusals)


def _fingerprint(asked: SuitesConfig, opened: Sequence[Suite]) -> str:
    """Names the folder of answers: another protocol, other rules or other items get another folder."""
    how = asked.model_dump_json(include={"suites", "sampling", "limit", "judge"})
    items = [_item(suite, number) for suite in opened for number in range(len(suite))[: asked.limit]]
    return digest(how, VERSION, *(f"{suite.name} {suite.version}" for suite in opened), *items)[:12]


def _item(suite: Suite, number: int) -> str:
    try:
        return suite.digest(number)
    except EvaluationError:  # its image is missing: it is recorded as a fault when it is asked
        return ""

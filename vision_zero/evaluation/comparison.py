"""Two policies under one protocol: who is better on a suite, and whether that lets the new one into production.

Everything is paired by item: both answered the same questions in the same words, or no comparison is made. The bootstrap (Efron,
1979) says by how much they differ, McNemar's exact test (1947) whether as many items were won as lost. Pure functions: records
in, verdicts out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from vision_zero.config.evaluation import EvaluationConfig, GateConfig
from vision_zero.config_base import Config
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.estimates import Estimate, Judgement, compare
from vision_zero.evaluation.intervals import after_refusals, before_promotion, normal_quantile
from vision_zero.evaluation.suite import Record


class Refused(Config):
    """A version of the model that was not promoted, and why. It stays in the registry, and its run's files where they are."""

    version: int
    reason: str


class Comparison(Config):
    """One suite, two policies.

    Attributes:
        name: the suite.
        policy: share of right items, with its interval; ``base`` likewise.
        difference: policy minus base, paired by item.
        won: items that the policy has right and the base wrong; ``lost`` the other way round.
        p_value: of McNemar's exact two-sided test: how likely so uneven a split of won and lost is if both are equally good.
        judgement: whether the difference's interval leaves 0 on one side.
        left_out: items that are not compared, since one of the two has no verdict on them.
    """

    name: str
    policy: Estimate
    base: Estimate
    difference: Estimate
    won: int
    lost: int
    p_value: float
    judgement: Judgement
    left_out: int = 0

    def text(self) -> str:
        """As in summaries: "base 62 % [53, 71]   +4.0 points, p 0.210: same"."""
        points = f"{100 * self.difference.mean:+.1f} points"
        return f"base {self.base.text()}   {points}, p {self.p_value:.3f}: {self.judgement}"


def mcnemar(won: int, lost: int) -> float:
    """McNemar's exact two-sided p-value for that many discordant items; 1 where there are none."""
    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0


def won_and_lost(ours: Sequence[float], theirs: Sequence[float]) -> tuple[int, int]:
    """Units on which we have more, and on which they have."""
    pairs = list(zip(ours, theirs, strict=True))
    return sum(own > other for own, other in pairs), sum(own < other for own, other in pairs)


def compare_outcomes(
    name: str,
    policy: Sequence[bool],
    base: Sequence[bool],
    config: EvaluationConfig,
    left_out: int = 0,
    comparisons: int = 1,
) -> Comparison:
    """Compare two policies' verdicts on the same items, in the same order.

    Raises:
        EvaluationError: there is nothing to compare, or the two answered different numbers of items.
    """
    if not policy or len(policy) != len(base):
        raise EvaluationError(f"{name}: {len(policy)} and {len(base)} verdicts cannot be paired; run both on the same items")
    score = compare(name, [float(right) for right in policy], [float(right) for right in base], config, comparisons=comparisons)
    assert score.difference is not None
    assert score.judgement is not None
    won, lost = won_and_lost(policy, base)
    return Comparison(
        name=name,
        policy=score.policy,
        base=score.base,
        difference=score.difference,
        won=won,
        lost=lost,
        p_value=mcnemar(won, lost),
        judgement=score.judgement,
        left_out=left_out,
    )


def compare_records(
    name: str, policy: Sequence[Record], base: Sequence[Record], config: EvaluationConfig, comparisons: int = 1
) -> tuple[Comparison, list[bool], list[bool]]:
    """Compare two policies' records of one suite.

    Args:
        comparisons: suites that are compared together; the difference's interval holds for all of them (Bonferroni).

    Returns:
        The comparison, and of each item that both have a verdict on whether the policy is right, and the base.

    Raises:
        EvaluationError: the records are of different items or prompts, or no item has a verdict of both.
    """
    ours, theirs = ({record.key: record for record in records} for records in (policy, base))
    if ours.keys() != theirs.keys():
        raise EvaluationError(
            f"{name}: {len(ours.keys() ^ theirs.keys())} items were answered by one policy only; run both alike"
        )
    for key, record in ours.items():
        other = theirs[key]
        # A record of a fault has no answers: of an item that one policy could not be asked, nothing differs.
        is_asked = not (record.fault or other.fault)
        if (record.benchmark, record.prompt) != (other.benchmark, other.prompt) or (is_asked and record.answers != other.answers):
            raise EvaluationError(f"{name}: item {key} was asked differently; run both policies under one protocol")
    judged = [key for key in ours if ours[key].is_right is not None and theirs[key].is_right is not None]
    right, right_before = ([bool(records[key].is_right) for key in judged] for records in (ours, theirs))
    left_out = len(ours) - len(judged)
    return compare_outcomes(name, right, right_before, config, left_out, comparisons), right, right_before


def why_blocked(
    comparisons: Sequence[Comparison], bounds: GateConfig, *, refusals: int = 0, confidence: float = 0.95
) -> str | None:
    """Why a policy must not go into production, in one sentence; None if it may.

    A suite blocks when even the better end of its difference's interval is a loss of more than ``bounds.tolerated_loss``, when
    its mean loss exceeds ``bounds.largest_loss``, when ``bounds.must_improve`` names it and it is not judged better, or when it
    has too few items. One that the bounds name and that was not measured blocks, too: no evidence is not good evidence.

    Suites have the same items every time, so that of many tries one would pass by luck. After each refusal a policy is sooner
    held to be worse, and later held to be better (:func:`vision_zero.evaluation.intervals.after_refusals`).

    Args:
        refusals: runs that were refused since the version in production.
        confidence: of the intervals in the comparisons.
    """
    found = {comparison.name for comparison in comparisons}
    doubt = Doubt.after(refusals, confidence, max(1, len(comparisons)))
    named = dict.fromkeys((*bounds.required, *bounds.must_improve))
    reasons = [f"{name} was not measured" for name in named if name not in found]
    for comparison in comparisons:
        reason = None if comparison.name in bounds.exempt else _why_blocked(comparison, bounds, doubt)
        reasons += [] if reason is None else [f"{comparison.name} {reason}"]
    return "; ".join(reasons) or None


@dataclass(frozen=True)
class Doubt:
    """How much of an interval's half width counts when a policy is held to be worse, and when it is held to be better."""

    of_worse: float = 1.0
    of_better: float = 1.0

    @classmethod
    def after(cls, refusals: int, confidence: float, comparisons: int) -> Doubt:
        """After so many refusals on the same items, for intervals of that confidence for so many comparisons together."""
        usual = normal_quantile(confidence, comparisons)
        kinds = (after_refusals(confidence, refusals), before_promotion(confidence, refusals))
        return cls(*(normal_quantile(kind, comparisons) / usual for kind in kinds))

    def interval(self, difference: Estimate) -> tuple[float, float]:
        """The ends by which it is judged: the low one must lie above 0 to be better, the high one below 0 to be worse."""
        mean = difference.mean
        return mean + self.of_better * (difference.low - mean), mean + self.of_worse * (difference.high - mean)


def _why_blocked(comparison: Comparison, bounds: GateConfig, doubt: Doubt) -> str | None:
    difference = comparison.difference
    low, high = doubt.interval(difference)
    points = f"{100 * difference.mean:+.1f} points, interval {100 * low:+.1f} to {100 * high:+.1f}"
    if difference.units < bounds.least_items:
        return f"was measured on {difference.units} items, fewer than the {bounds.least_items} that the gate asks for"
    if -difference.mean > bounds.largest_loss:
        return f"lost more than {100 * bounds.largest_loss:g} points ({points})"
    if high < min(0.0, -bounds.tolerated_loss):
        return f"is worse than before ({points})"
    if comparison.name in bounds.must_improve and not low > 0:
        return f"had to improve and did not ({points})"
    return None

"""The result of an evaluation: per suite the scores, the comparison with the base, and example answers."""

from __future__ import annotations

from vision_zero.config_base import Config
from vision_zero.evaluation.comparison import Comparison
from vision_zero.evaluation.estimates import Estimate
from vision_zero.evaluation.suite import Accuracies, Accuracy
from vision_zero.evaluation.suite_answers import EvaluationProtocol

MOST_VALUES = 16
"""Values of a breakdown that are shown."""


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
        policy_units: of each item that is compared, 1 if the policy is right …
        base_units: … and if the other one is.
    """

    protocol: EvaluationProtocol
    policy: Accuracies
    base: Accuracies | None
    accuracy: Estimate | None
    comparison: Comparison | None
    examples: tuple[Example, ...]
    policy_units: tuple[float, ...] = ()
    base_units: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        return self.protocol.suite

    def breakdowns(self) -> dict[str, list[tuple[str, Accuracy, Accuracy | None]]]:
        """Breakdowns with several values: of those with the most items, best first, the accuracy and that of the base."""
        found = {}
        for name, values in self.policy.groups.items():
            base = {} if self.base is None else self.base.groups.get(name, {})
            largest = sorted(values, key=lambda value: (-values[value].total, value))[:MOST_VALUES]
            if len(values) > 1:
                found[name] = [(value, part, base.get(value)) for value, part in values.items() if value in largest]
        return found


class Scorecard(Config):
    """All suites.

    Attributes:
        blocked: why the gate would keep the policy out of production, in one sentence; None if it would not, or without a base.
    """

    policy: str
    base: str | None
    suites: tuple[SuiteScores, ...]
    blocked: str | None

    @property
    def accuracies(self) -> dict[str, Estimate]:
        """Share of right items by suite, of those that have answers to compare with."""
        return {suite.name: suite.accuracy for suite in self.suites if suite.accuracy is not None}

    def summary(self) -> list[str]:
        """The scores in lines."""
        lines = [self.policy if self.base is None else f"{self.policy} beside {self.base}"]
        for suite in self.suites:
            text = "no answers to compare with" if suite.accuracy is None else suite.accuracy.text()
            if suite.comparison is not None:
                text += f"   {suite.comparison.text()}"
            lines.append(f"  {suite.name:<24}{text}")
            if suite.policy.faults:
                lines.append(f"  {'':<24}{suite.policy.faults} items could not be asked")
        if self.base is not None:
            lines.append(f"  not fit for production: {self.blocked}" if self.blocked else "  fit for production")
        return lines

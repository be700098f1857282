"""Answers to suites, passed from the step that generates them to the step that scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.evaluation.protocol import EvaluationProtocol
from vision_zero.evaluation.suite import Record


@dataclass(frozen=True)
class Answers:
    """One policy's records of one suite, in the suite's order, and under what conditions they came about."""

    protocol: EvaluationProtocol
    answerer: str
    records: Sequence[Record]


@dataclass(frozen=True)
class AnsweredSuites:
    """One policy's answers to all suites of an evaluation; none where nobody was to be asked."""

    suites: Sequence[Answers]

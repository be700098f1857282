"""ChartQA's relaxed accuracy (Masry et al., 2022, section 5.1, after Methani et al., 2020), exactly as it is published.

Beside it a stricter rule: the relaxed one accepts 2010 where the answer is 2009, because 5 % of 2009 are a hundred years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TOLERANCE = 0.05
"""Largest relative difference between a predicted number and the label."""
STRICT_YEARS = "relaxed accuracy, years exact"
"""The name under which the stricter rule is reported."""

_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_ASKS_AMOUNT = re.compile(r"\bhow (?:many|much)\b|\b(?:difference|sum|total|average|median|ratio)\b", re.IGNORECASE)


def relaxed_match(prediction: str, label: str) -> bool:
    """Is the prediction right by the published rule?

    Both are stripped; one that ends in % is divided by 100. Where both are numbers and the label is not 0, they may differ by 5 %
    of the label; otherwise they must be equal but for case. NaN equals nothing.
    """
    said, right = prediction.strip(), label.strip()
    number, target = _number(said), _number(right)
    if number is not None and target:
        return abs(number - target) / abs(target) <= TOLERANCE
    return said.lower() == right.lower()


def strict_year_match(prediction: str, label: str, question: str = "") -> bool:
    """The published rule, but a label that is a year must be met exactly. Not the official score.

    A label is taken for a year if it is a whole number from 1500 to 2199 and the question does not ask for an amount.
    """
    right = label.strip()
    if _YEAR.fullmatch(right) and not _ASKS_AMOUNT.search(question):
        return _number(prediction.strip()) == float(right)
    return relaxed_match(prediction, label)


def best_match(prediction: str, labels: Sequence[str]) -> bool:
    """Is the prediction right by the published rule for any of several labels?"""
    return any(relaxed_match(prediction, label) for label in labels)


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None

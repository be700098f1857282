"""What a domain's pairs are held against, as data: :mod:`vision_zero.validation` makes expectations of it; and what the
domains' checks of the change log have in common.

Apart from the judging, so that a domain's record loads no Great Expectations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_zero.domains.quality_thresholds import QualityThresholds
from vision_zero.errors import PairsError

if TYPE_CHECKING:
    from vision_zero.data.image_pair import ImagePair


UNREADABLE = (PairsError, ArithmeticError, LookupError, TypeError, ValueError)
"""What is raised where facts are not those of an image that the domain can draw."""


@dataclass(frozen=True, slots=True)
class PairRule:
    """What one measurement of each pair must satisfy; a pair without that measurement satisfies it.

    Attributes:
        words: the rule as a person reads it, after the domain's name.
        column: the measurement.
        least, most: its bounds; where neither is given, there must be nothing: the measurement is a fault in words.
        told_as: words for the measurement, a share of the image, beside the reasons of a pair that breaks the rule.
    """

    words: str
    column: str
    least: float | None = None
    most: float | None = None
    told_as: str = ""


def shows_change(domain: str, quality: QualityThresholds) -> list[PairRule]:
    """The edit can be seen, and the rest is the same image."""
    least, most, alike = quality.bounds_of(domain)
    return [
        PairRule(f"changed area from {least:.2%} to {most:.0%}", "changed_area", least, most, "changed area"),
        PairRule(f"structural similarity from {quality.min_similarity} to {alike}", "similarity", quality.min_similarity, alike),
    ]


def log_is_true(what: str) -> PairRule:
    """The change log agrees with the facts of both images, which are ``what``."""
    return PairRule(f"the {what} differ as the log says", "log_fault")


def same_elsewhere(quality: QualityThresholds) -> PairRule:
    """Nothing differs outside the boxes of the logged changes."""
    most = quality.max_unlogged_area
    return PairRule(f"at most {most:.1%} changed elsewhere", "unlogged_area", None, most, "changed elsewhere")


def log_fault(check: Callable[[ImagePair], str], pair: ImagePair) -> str | None:
    """What the log says wrongly, in one line, by a domain's check against the facts of the pair; None where it is true."""
    try:
        return check(pair) or None
    except UNREADABLE as error:
        return f"its facts cannot be read: {error}"


def disagreement(found: Counter[Any], logged: Counter[Any], where: str) -> str:
    """How what was found and what the log says differ, by the first thing that only one of them has; empty where they agree."""
    for wrong, words in (
        (logged - found, "the log names a change that the {} does not show"),
        (found - logged, "the {} differs where the log says nothing"),
    ):
        if wrong:
            entry = next(iter(wrong))
            parts = entry if isinstance(entry, tuple) else (entry,)
            return f"{words.format(where)}: {' → '.join(map(str, parts))}"
    return ""

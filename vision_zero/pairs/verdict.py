"""What validation found, as data: apart from the judging, so that reading a verdict does not load Great Expectations."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.pairs.table import PairTable


class Expectation(Config):
    """One rule and how many pairs broke it."""

    rule: str
    broken_by: int
    holds: bool


class Quarantined(Config):
    """A pair that must not be played with, and why."""

    pair_id: str
    reasons: tuple[str, ...]


class Verdict(Config):
    """What validation found. ``worst`` holds the ids of the passed pairs whose edit is hardest to see."""

    checked: int
    passed: int
    expectations: tuple[Expectation, ...]
    quarantined: tuple[Quarantined, ...] = ()
    worst: tuple[str, ...] = ()
    mean_changed_area: float = 0.0
    mean_similarity: float = 0.0
    reasons: dict[str, int] = Field(default_factory=dict)
    """Quarantined pairs by reason."""


def quarantine(table: PairTable, verdict: Verdict) -> tuple[PairTable, PairTable]:
    """The pairs to play with, and the others."""
    failing = [entry.pair_id for entry in verdict.quarantined]
    return table.without(failing), table.only(failing)
